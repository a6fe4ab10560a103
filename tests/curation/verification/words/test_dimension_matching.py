"""Words that only say that a measure is a size: "4 mm in diameter"."""

from __future__ import annotations

import pytest

from ..caption_cases import read, verifier

CASES = [
    ("A nodule in the lingula measures 4 mm.", "lungs", "Nodule of 4 mm in diameter in the lingula.", True),
    ("12 mm cyst in the spleen.", "spleen", "Splenic cyst with a diameter of 12 mm.", True),
    ("The spleen measures 14 cm.", "spleen", "The spleen measures 14 cm in size.", True),
    ("A stone in the left kidney. It measures 5 mm.", "left kidney", "5 mm diameter stone in the left kidney.", True),
    # another dimension
    ("The spleen measures 14 cm in length.", "spleen", "The spleen measures 14 cm in diameter.", False),
    ("Pericardial effusion 9 mm thick.", "pericardium", "Pericardial effusion with a diameter of 9 mm.", False),
    ("The spleen measures 14 cm.", "spleen", "The spleen is 14 cm in diameter.", False),
    ("5 mm stone, 12 mm from the bladder, in the ureter.", "ureters", "Ureteral stone 12 mm in diameter.", False),
    ("A mass with a 3 mm wall in the liver.", "liver", "Liver mass of 3 mm in diameter.", False),
]


@pytest.mark.parametrize(("report", "organ", "caption", "accepted"), CASES)
def test_a_plain_size_is_a_diameter(report: str, organ: str, caption: str, accepted: bool) -> None:
    assert verifier().verify(read(report), organ, caption).accepted is accepted
