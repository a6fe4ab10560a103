"""Statements that speak of one thing: what a caption may draw together there, and nowhere else."""

from __future__ import annotations

import pytest

from curation.caption import Reason
from tests.curation.verification.caption_cases import assert_accepted, assert_refused

ONE_THING = [
    (
        "The diameter of the splenic artery is 12 mm, and wider than normal.",
        "splenic artery",
        "Splenic artery dilated to 12 mm.",
    ),
    (
        "4 mm anterolisthesis of L4 on L5, degenerative in nature.",
        "L4 vertebra",
        "Degenerative 4 mm anterolisthesis of L4 on L5.",
    ),
    (
        "Lung bases: 4 mm nodule in the left lower lobe, too small to characterize.",
        "left lung",
        "4 mm nodule in the left lower lobe that is too small to be characterized.",
    ),
    (
        "Large left renal cortical infarct, age indeterminate.",
        "left kidney",
        "Large cortical infarct of indeterminate age.",
    ),
]
SEVERAL_THINGS = [
    ("Cyst in the liver, calcified plaques in the aorta.", "liver", "Calcified cyst in the liver."),
    ("Small hepatic cyst, large splenic cyst.", "liver", "Large hepatic cyst."),
    ("Nodule in the left lung, 5 mm cavity there.", "left lung", "5 mm nodule in the left lung."),
    ("Hepatic cyst, old, and a splenic one.", "spleen", "Old splenic cyst."),
    ("The left kidney has a stone, and the right one is dilated.", "left kidney", "Dilated left kidney with a stone."),
    ("Kidneys: stone on the left.", "kidneys", "Right renal stone."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), ONE_THING)
def test_all_that_is_said_of_one_thing_goes_together(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), SEVERAL_THINGS)
def test_of_two_things_each_keeps_what_is_said_of_it(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))
