"""Which head each quality of a segment belongs to."""

from __future__ import annotations

from functools import cache

import pytest

from curation.language.parser import StatementParser
from curation.language.structure.attachments import attachments_of


@cache
def parser() -> StatementParser:
    return StatementParser()


def heads(sentence: str, quality: str) -> set[str]:
    """Return the passages that the last quality of a sentence with these words may belong to."""
    statement = parser().parse(sentence)
    owners = attachments_of(statement).owners
    term = [term for term in owners if statement.text_of(term) == quality][-1]
    return {statement.text_of(head) for head in owners[term]}


@pytest.mark.parametrize(
    ("sentence", "quality", "owners"),
    [
        ("Small nodule with a large cavity", "Small", {"nodule"}),
        ("Small nodule with a large cavity", "large", {"cavity"}),
        ("5 mm stone with a 3 cm cyst", "3 cm", {"cyst"}),
        ("Cyst with calcification measuring 3 cm", "3 cm", {"Cyst", "calcification"}),
        ("Large mass displacing the small bowel", "Large", {"mass"}),
        ("Large liver with a small cyst", "Large", {"liver"}),
        ("Ground-glass nodule with a calcified rim", "calcified", {"rim"}),
        ("Mildly dilated loops", "Mildly", {"dilated", "loops"}),
        ("The loops are mildly dilated", "mildly", {"dilated", "loops"}),
        ("A small pocket of fluid", "small", {"pocket", "fluid"}),
        ("Nodule in the liver with a mass in the spleen", "liver", {"Nodule"}),
        ("Nodule in the liver with a mass in the spleen", "spleen", {"mass"}),
        ("In the liver a nodule with a mass", "liver", {"nodule", "mass"}),
        ("In the liver a nodule with a mass in the spleen", "spleen", {"mass"}),
        ("Right pneumothorax with effusion on the left", "left", {"effusion"}),
        ("Liver lesion - new splenic nodule", "new", {"nodule"}),
    ],
)
def test_heads(sentence: str, quality: str, owners: set[str]) -> None:
    assert heads(sentence, quality) == owners


def test_a_segment_without_heads_attaches_nothing() -> None:
    statement = parser().parse("A nodule, 5 mm")
    assert not any(term.measure for term in attachments_of(statement).owners)
