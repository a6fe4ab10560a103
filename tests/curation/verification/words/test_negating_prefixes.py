"""What a prefix denies of a finding, and the same denied with "without"."""

from __future__ import annotations

import pytest

from ..caption_cases import verifier

CARRIED = [
    ("Punctate nonobstructing stones of the left kidney.", "left kidney", "Punctate stones without obstruction."),
    ("Nondisplaced fracture of the left sixth rib.", "ribs", "Left sixth rib fracture without displacement."),
    ("Fracture of the nasal bone without displacement.", "nasal bones", "Nondisplaced fracture of the nasal bone."),
    ("Nonenhancing cyst in the liver.", "liver", "Cyst in the liver without enhancement."),
    ("Nodule in the right lung without calcification.", "right lung", "Noncalcified nodule in the right lung."),
    ("Noncalcified nodule in the right lung.", "right lung", "Nodule in the right lung without calcification."),
    ("Uncomplicated left inguinal hernia.", "abdominal wall", "Left inguinal hernia without complication."),
    ("Uncomplicated right inguinal hernia.", "abdominal wall", "Right inguinal hernia without complication."),
    ("Uncomplicated diverticulosis of the sigmoid.", "colon", "Sigmoid diverticulosis without complications."),
    ("Ventral hernia without obstruction.", "abdominal wall", "Nonobstructing ventral hernia."),
]

REFUSED = [
    # of another finding, or of the organ
    ("Nonobstructing stone in the left kidney.", "left kidney", "No obstruction of the left kidney."),
    ("Noncalcified nodule in the right lung.", "right lung", "No calcification in the right lung."),
    ("Nonenhancing cyst in the liver.", "liver", "Mass in the liver without enhancement."),
    ("Nonenhancing cyst and enhancing mass in the liver.", "liver", "Mass in the liver without enhancement."),
    (
        "Fracture of the nasal bone and a nodule without displacement.",
        "nasal bones",
        "Nondisplaced nasal bone fracture.",
    ),
    # another quality
    ("Nodule in the right lung without cavitation.", "right lung", "Noncalcified nodule in the right lung."),
    ("Uncinate nodule.", "pancreas", "Nodule without cination."),
    # the other way round
    ("No nonobstructing stone in the left kidney.", "left kidney", "Stone without obstruction."),
    ("Obstructing stone in the left kidney.", "left kidney", "Stone without obstruction."),
    ("Ventral hernia with obstruction.", "abdominal wall", "Nonobstructing ventral hernia."),
    ("Nondisplaced fracture of the left sixth rib.", "ribs", "Left sixth rib fracture with displacement."),
    ("Possibly nondisplaced fracture of the left sixth rib.", "ribs", "Left sixth rib fracture without displacement."),
]


@pytest.mark.parametrize(("statement", "organ", "caption"), CARRIED)
def test_a_prefix_denies_what_without_does(statement: str, organ: str, caption: str) -> None:
    verification = verifier().verify(verifier().read(statement), organ, caption)
    assert verification.accepted, verification.detail


@pytest.mark.parametrize(("statement", "organ", "caption"), REFUSED)
def test_it_denies_it_of_one_finding_alone(statement: str, organ: str, caption: str) -> None:
    assert not verifier().verify(verifier().read(statement), organ, caption).accepted
