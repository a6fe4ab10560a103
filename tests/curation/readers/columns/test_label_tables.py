"""Tables of labels are refused, whatever their shape; reports beside labels are read."""

from __future__ import annotations

import pytest

from curation.runtime.errors import InputError

from .tables_of_text import choose


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (
            "case,Finding,Present\n1,Gallstone,1\n2,Ascites,0\n",
            "Finding holds names of findings .'Gallstone', 'Ascites'",
        ),
        ("case,Findings,Of_Note\n1,Gallstone,yes\n1,Ascites,no\n", "Of_Note holds only yes, no"),
        ("case,Findings,Ascites\n1,0,1\n2,1,0\n", "Findings, Ascites hold only 0, 1"),
        ("case,Gallstone,Ascites\n1,0,1\n2,1,-1\n", "looks like a table of labels: Gallstone, Ascites hold only"),
        ("case,Finding,Probability\n1,Gallstone,0.02\n2,Ascites,9e-1\n", "Probability holds only 0.02, 9e-1"),
        ("case,Finding,p\n1,Gallstone,0.02\n1,Ascites,0.9\n", "p holds only 0.02, 0.9"),
        ("case,Abnormality,Value\n1,Gallstone,positive\n2,Ascites,negative\n", "Value holds only positive, negative"),
    ],
)
def test_labels_are_no_reports(text: str, seen: str) -> None:
    with pytest.raises(InputError, match=seen):
        choose(text)


@pytest.mark.parametrize(
    "text",
    [
        "case,report,Ascites\n1,Gallstone,1\n2,0,0\n",
        "case,findings,contrast\n1,Gallstone,yes\n2,Ascites,no\n",
        "case,findings,Value\n1,There is a gallstone.,1\n2,Ascites,0\n",
        "case,findings,Probability\n1,Gallstone,0.5\n2,Ascites,high\n",
        "case,findings,impression\n1,Gallstone,Ascites\n",
    ],
)
def test_reports_beside_labels_are_read(text: str) -> None:
    assert choose(text).layout.texts


def test_a_named_column_is_no_question() -> None:
    assert choose("case,Finding,Present\n1,Gallstone,1\n", None, "Finding").layout.text_columns == ("Finding",)
