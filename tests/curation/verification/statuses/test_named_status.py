"""Statuses of captions in which only a name, a size or a score tells."""

from __future__ import annotations

import pytest

from curation.caption import Status
from tests.curation.verification.test_status import status


@pytest.mark.parametrize(
    ("caption", "organ", "expected"),
    [
        # a score behind the name of a vessel
        ("Agatston score: LAD 130, RCA 0.", "left anterior descending artery", "abnormal"),
        ("Agatston score: LAD 130, RCA 0.", "right coronary artery", "normal"),
        # an organ is absent where it is denied itself, not where something does not reach it
        ("The left kidney is not seen.", "left kidney", "abnormal"),
        ("No gallbladder.", "gallbladder", "abnormal"),
        ("No extension into the IVC.", "inferior vena cava", "normal"),
        ("No extension into the renal vein or IVC.", "inferior vena cava", "normal"),
        ("No soft tissue in the renal bed.", "soft tissues", "normal"),
        # small lymph nodes
        ("Mediastinal nodes are subcentimeter.", "mediastinal lymph nodes", "normal"),
        ("Millimetric hilar lymph nodes.", "hilar lymph nodes", "normal"),
        ("Hilar lymph node smaller than 1 cm.", "hilar lymph nodes", "normal"),
        ("Hilar lymph node of 10 mm.", "hilar lymph nodes", "abnormal"),
        ("Large hilar lymph nodes.", "hilar lymph nodes", "abnormal"),
        ("Subcentimeter nodule in the left lung.", "left lung", "abnormal"),
    ],
)
def test_what_a_name_tells(caption: str, organ: str, expected: Status) -> None:
    assert status(caption, organ=organ) == expected
