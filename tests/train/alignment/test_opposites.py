"""Opposites of captions: which sentences the verifier takes for one, and that none is true in the report."""

import pickle
from pathlib import Path

import pytest

from train.alignment.opposite_wordings import opposite_wordings
from train.alignment.opposites import Opposites
from train.data.caption_pairs import CaptionPair
from train.data.caption_sources import OrganCaption
from train.data.cases import Case


@pytest.fixture(scope="module")
def opposites() -> Opposites:
    return Opposites()


def of(opposites: Opposites, organ: str, caption: str, report: str = "") -> set[str]:
    pair = CaptionPair(Case("c", "p", "s", Path("c.nii.gz")), "r", report or caption, ())
    return set(opposites(pair, OrganCaption(organ, caption, "")))


@pytest.mark.parametrize(
    ("organ", "caption", "expected"),
    [
        ("spleen", "The spleen is enlarged.", {"The spleen is not enlarged.", "The spleen is small."}),
        ("left kidney", "Left renal cyst, 20 mm", {"Right renal cyst, 20 mm", "No left renal cyst, 20 mm"}),
        ("pleura", "PLEURA: There is no pleural effusion", {"PLEURA: There is pleural effusion"}),
        ("pleura", "Pleural effusion was not observed", {"Pleural effusion was observed"}),
        ("liver", "The liver is normal", {"The liver is not normal"}),
        ("liver", "Liver normal", {"Liver not normal"}),
        ("liver", "A cyst is observed in the liver", {"A cyst is not observed in the liver"}),
    ],
)
def test_side_denial_and_size_are_exchanged(opposites: Opposites, organ: str, caption: str, expected: set[str]) -> None:
    assert of(opposites, organ, caption) == expected


def test_what_is_true_in_the_report_is_no_opposite(opposites: Opposites) -> None:
    caption = "There is a cyst in the left kidney."
    other = "There is a cyst in the right kidney."
    assert other in of(opposites, "left kidney", caption)
    assert other not in of(opposites, "left kidney", caption, f"{caption} {other}")
    assert of(opposites, "left kidney", caption, f"{caption} {other}") == {"There is no cyst in the left kidney."}


def test_what_the_verifier_does_not_take_for_an_opposite_is_none(opposites: Opposites) -> None:
    assert "There is cyst in the liver" in of(opposites, "liver", "There is no cyst in the liver")
    assert of(opposites, "liver", "Liver: see above") == set()


def test_both_sides_are_not_exchanged() -> None:
    assert "right and left" not in " ".join(opposite_wordings("Cysts in the left and right kidney"))
    assert list(opposite_wordings("LEFT: Left lung is clear"))[:1] == ["LEFT: Right lung is clear"]


def test_a_process_that_loads_samples_makes_a_verifier_of_its_own(opposites: Opposites) -> None:
    of(opposites, "liver", "The liver is normal")
    stored = pickle.dumps(opposites)
    assert len(stored) < 1000
    assert of(pickle.loads(stored), "liver", "The liver is normal") == {"The liver is not normal"}
