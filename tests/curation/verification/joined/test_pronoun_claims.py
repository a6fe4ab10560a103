"""A word that stands for the finding before it: what is said of it is verified of that finding."""

from __future__ import annotations

import pytest

from curation.readers.sections import split_sections

from ..caption_cases import read, verifier

NODES = "FINDINGS: Several subcentimeter mesenteric lymph nodes. No pathologically enlarged lymph nodes."
OTHER_NODES = "FINDINGS: Small axillary lymph nodes. No enlarged mediastinal lymph nodes."
LESIONS = (
    "FINDINGS: A few hypodense lesions in the liver. A hypodense lesion of 30 mm in segment 7. A hyperdense lesion of "
    "9 mm in segment 3. Three simple cysts in the left kidney, two of them in the upper pole."
)

ACCEPTED = [
    (NODES, "lymph nodes", "Several subcentimeter mesenteric lymph nodes, none pathologically enlarged."),
    (NODES, "lymph nodes", "Several mesenteric lymph nodes, none of which are pathologically enlarged."),
    (LESIONS, "liver", "A few hypodense lesions in the liver, the one in segment 7 measuring 30 mm."),
    (LESIONS, "liver", "A few hypodense liver lesions, including a 30 mm one in segment 7."),
    (LESIONS, "liver", "A few hypodense liver lesions, one of them 30 mm in segment 7."),
]
REFUSED = [
    (NODES, "lymph nodes", "Several mesenteric lymph nodes, none calcified."),
    (NODES, "lymph nodes", "Several mesenteric lymph nodes, one of them pathologically enlarged."),
    (OTHER_NODES, "lymph nodes", "Small axillary lymph nodes, none enlarged."),
    (LESIONS, "liver", "A few hypodense lesions in the liver, the one in segment 4 measuring 30 mm."),
    (LESIONS, "liver", "A few hypodense lesions in the liver, the one in segment 3 measuring 9 mm."),
    (LESIONS, "liver", "A few hypodense liver lesions, including a 9 mm one in segment 7."),
    (LESIONS, "liver", "A few hypodense liver lesions, including two in segment 7."),
]


def _is_accepted(report: str, organ: str, caption: str) -> bool:
    return verifier().verify(read(report, *split_sections(report)), organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_a_word_that_stands_for_a_finding_is_that_finding(report: str, organ: str, caption: str) -> None:
    assert _is_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), REFUSED)
def test_a_word_that_stands_for_a_finding_is_no_other(report: str, organ: str, caption: str) -> None:
    assert not _is_accepted(report, organ, caption)
