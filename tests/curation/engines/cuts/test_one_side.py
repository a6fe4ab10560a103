"""What is said of both sides, worded for one of them."""

from __future__ import annotations

import pytest

from tests.curation.engines.test_caption_wording import of


@pytest.mark.parametrize(
    ("text", "organ", "caption"),
    [
        ("Both kidneys are normal.", "left kidney", "Left kidney is normal"),
        ("The main bronchi are open.", "right main bronchus", "The right main bronchus is open"),
        ("Thin adrenals.", "left adrenal gland", "Thin left adrenal gland"),
        ("Emphysema at both apices.", "left lung", "Emphysema at left lung apex"),
        # another organ is named on one side, so that not all is true of each
        (
            "Thrombus in both femoral veins reaching the left iliac vein.",
            "right femoral vein",
            "Thrombus in both femoral veins reaching the left iliac vein",
        ),
        # parts that go by another name than the organ keep it
        ("The ossicles are eroded.", "left middle ear", "The ossicles are eroded"),
        ("The temporal horns are wide.", "right lateral ventricle", "The temporal horns are wide"),
    ],
)
def test_wording_for_one_side(text: str, organ: str, caption: str) -> None:
    assert of(organ, text) == [caption]
