"""Two sides told one by one below the name of both: what is said of one side is not said of the other."""

from __future__ import annotations

import pytest

from ..caption_cases import assert_accepted, verify

PAIRS = [
    (
        "Kidneys: right 11 cm, left 9 cm.",
        ("left kidney", "The left kidney measures 9 cm."),
        ("right kidney", "The right kidney measures 11 cm."),
    ),
    (
        "Thyroid lobes: right 5 cm, left 4 cm.",
        ("left thyroid lobe", "The left thyroid lobe measures 4 cm."),
        ("right thyroid lobe", "The right thyroid lobe measures 5 cm."),
    ),
    (
        "Mastoid air cells: left opacified; right clear.",
        ("left mastoid air cells", "The left mastoid air cells are opacified."),
        ("right mastoid air cells", "The right mastoid air cells are clear."),
    ),
    (
        "Kidneys: Right: simple cyst 3 cm. Left: two stones.",
        ("left kidney", "Two stones in the left kidney."),
        ("right kidney", "3 cm simple cyst in the right kidney."),
    ),
    (
        "Kidneys: Right 10.8 cm, left 11.4 cm. Right: simple cyst 3 cm. Left: two stones.",
        ("left kidney", "The left kidney measures 11.4 cm."),
        ("right kidney", "3 cm simple cyst in the right kidney."),
    ),
    (
        "Adrenal glands: right normal, left thickened.",
        ("left adrenal gland", "The left adrenal gland is thickened."),
        ("right adrenal gland", "The right adrenal gland is normal."),
    ),
    (
        "Vertebral arteries: left dominant, right hypoplastic.",
        ("left vertebral artery", "The left vertebral artery is dominant."),
        ("right vertebral artery", "Hypoplastic right vertebral artery."),
    ),
    (
        "Frontal sinuses: right opacified, left clear.",
        ("left frontal sinus", "The left frontal sinus is clear."),
        ("right frontal sinus", "The right frontal sinus is opacified."),
    ),
    (
        "Pleural effusion right 2 cm deep, left minimal.",
        ("pleura", "Minimal left pleural effusion."),
        ("pleura", "2 cm right pleural effusion."),
    ),
    (
        "Right pleural effusion of 2 cm, left minimal.",
        ("pleura", "Minimal left pleural effusion."),
        ("pleura", "2 cm right pleural effusion."),
    ),
    (
        "Pleural effusion: left small, right moderate.",
        ("pleura", "Small left pleural effusion."),
        ("pleura", "Moderate right pleural effusion."),
    ),
    (
        "Adrenals: left nodule 14 mm, 6 HU unenhanced. Right adrenal smooth.",
        ("left adrenal gland", "Left adrenal nodule of 14 mm, 6 HU unenhanced."),
        ("right adrenal gland", "Smooth right adrenal gland."),
    ),
    (
        "Renal veins: right patent, left thrombosed.",
        ("left renal vein", "The left renal vein is thrombosed."),
        ("right renal vein", "The right renal vein is patent."),
    ),
]
"""Report with what it says of the left and of the right: organ and caption."""


@pytest.mark.parametrize(("report", "left", "right"), PAIRS)
def test_what_is_said_of_a_side_is_said_of_it(report: str, left: tuple[str, str], right: tuple[str, str]) -> None:
    assert_accepted(report, *left)
    assert_accepted(report, *right)


@pytest.mark.parametrize(("report", "left", "right"), PAIRS)
def test_what_is_said_of_a_side_is_not_said_of_the_other(
    report: str, left: tuple[str, str], right: tuple[str, str]
) -> None:
    for organ, caption in (left, right):
        one, other = ("left", "right") if "left" in caption.lower() else ("right", "left")
        turned = caption.replace(one, other).replace(one.capitalize(), other.capitalize())
        assert not verify(report, organ.replace(one, other), turned).accepted


DENIED = [
    ("Ureters: left dilated, right not.", "right ureter", "The right ureter is {}dilated."),
    ("The left hip is ankylosed, the right is not.", "right hip", "The right hip is {}ankylosed."),
    ("The liver is enlarged, the spleen is not.", "spleen", "The spleen is {}enlarged."),
    ("The right carotid artery is calcified but the left is not.", "carotid arteries", "Left carotid {}calcified."),
]
"""Report, organ and a caption of what is denied at the end, with a gap for the denial."""


@pytest.mark.parametrize(("report", "organ", "caption"), DENIED)
def test_what_ends_with_not_denies_what_stands_before_it(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption.format("not "))
    assert not verify(report, organ, caption.format("")).accepted


def test_a_side_with_none_has_not_what_the_other_has() -> None:
    report = "Pleural effusion: left small, right none."
    assert_accepted(report, "pleura", "No right pleural effusion.")
    assert_accepted(report, "pleura", "Small left pleural effusion.")
    assert not verify(report, "pleura", "Right pleural effusion.").accepted
