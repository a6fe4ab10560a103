"""Places that a statement names one within the other, where they cannot both be right."""

from __future__ import annotations

import pytest

from ..caption_cases import read, verifier

REFUSED = [
    # the lobe of the other lung
    ("There is a 9 mm nodule in the middle lobe of the left lung.", "right lung", "9 mm nodule in the right lung."),
    (
        "There is a 9 mm nodule in the middle lobe of the left lung.",
        "right lung",
        "9 mm nodule in the middle lobe of the right lung.",
    ),
    ("Bulla in the lingula of the right lung.", "left lung", "Bulla in the lingula of the left lung."),
    ("Scar in the lingula of the right lung.", "left upper lobe", "Scar in the left upper lobe."),
    # the segment of the other lobe
    ("Cyst in the apicoposterior segment of the lower lobe.", "lungs", "Cyst in the upper lobe."),
    ("Cyst in the upper lobe laterobasal segment.", "lungs", "Cyst in the lower lobe laterobasal segment."),
    # one lung of both
    (
        "An 8 mm nodule in the left lung in different places in both lungs.",
        "lungs",
        "An 8 mm nodule in the right lung.",
    ),
]

ACCEPTED = [
    ("Bulla in the lingula of the left lung.", "left lung", "Bulla in the left lung."),
    ("Scar in the middle lobe of the right lung.", "right lung", "Scar in the right middle lobe."),
    ("Nodules in the middle lobe and in the left lung.", "right lung", "Nodules in the right lung."),
    ("Cyst in the apicoposterior segment of the upper lobe.", "lungs", "Cyst in the upper lobe."),
    ("Cysts in both lungs.", "right lung", "Cysts in the right lung."),
    ("Stone in the lower pole of the right kidney.", "right kidney", "Stone in the right kidney."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), REFUSED)
def test_a_place_inside_another_does_not_stand_for_what_that_excludes(report: str, organ: str, caption: str) -> None:
    assert not verifier().verify(read(report), organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_a_place_inside_its_own_whole_stands_for_both(report: str, organ: str, caption: str) -> None:
    assert verifier().verify(read(report), organ, caption).accepted
