"""What a report says of a second place or side without naming the finding again: "mild at L2-L3, moderate at L3-L4"."""

from __future__ import annotations

import pytest

from ..caption_cases import verify

DISCS = "Moderate disc height loss at C5-C6 and mild at C6-C7."
CALCULI = "Nonobstructing calculi in the left kidney, 3 mm in the upper pole and 5 mm in the interpolar region."
PLAQUES = "Carotid plaque is marked in the right carotid bulb and mild in the left carotid bulb."
CLEARED = "Bilateral pleural effusions have cleared on the right and decreased to trace on the left."
OPACIFIED = "The maxillary sinuses are opacified on the left and clear on the right."
HYDRONEPHROSIS = "Hydronephrosis is moderate on the right and mild on the left."
GONE = "Bilateral hydroureter, resolved on the left and unchanged on the right."

ACCEPTED = [
    (GONE, "ureters", "Unchanged right hydroureter."),
    (GONE, "ureters", "Right hydroureter."),
    (DISCS, "cervical spine", "Mild disc height loss at C6-C7."),
    (CALCULI, "left kidney", "5 mm nonobstructing calculus in the interpolar region of the left kidney."),
    (CALCULI, "left kidney", "3 mm upper pole calculus in the left kidney."),
    (PLAQUES, "carotid arteries", "Mild plaque in the left carotid bulb."),
    (CLEARED, "pleura", "Trace left pleural effusion, decreased."),
    (CLEARED, "pleura", "Right pleural effusion has cleared."),
    (OPACIFIED, "paranasal sinuses", "Opacified left maxillary sinus."),
    (OPACIFIED, "paranasal sinuses", "The right maxillary sinus is clear."),
    (HYDRONEPHROSIS, "kidneys", "Mild left hydronephrosis."),
]
REFUSED = [
    (GONE, "ureters", "Left hydroureter."),
    (GONE, "ureters", "Bilateral hydroureter."),
    (GONE, "ureters", "Unchanged left hydroureter."),
    (DISCS, "cervical spine", "Moderate disc height loss at C6-C7."),
    (DISCS, "cervical spine", "Mild disc height loss at C5-C6."),
    (CALCULI, "left kidney", "3 mm interpolar calculus."),
    (CALCULI, "left kidney", "5 mm left upper pole calculus."),
    (PLAQUES, "carotid arteries", "Marked plaque in the left carotid bulb."),
    (CLEARED, "pleura", "Left pleural effusion has cleared."),
    (CLEARED, "pleura", "Trace right pleural effusion."),
    (OPACIFIED, "paranasal sinuses", "Opacified right maxillary sinus."),
    (OPACIFIED, "paranasal sinuses", "The left maxillary sinus is clear."),
    (HYDRONEPHROSIS, "kidneys", "Moderate left hydronephrosis."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_a_second_place_or_side_has_the_finding_of_the_first(report: str, organ: str, caption: str) -> None:
    assert verify(report, organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), REFUSED)
def test_a_second_place_or_side_keeps_its_own_grade(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
