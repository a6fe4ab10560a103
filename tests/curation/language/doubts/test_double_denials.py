"""What is denied twice is not denied."""

from __future__ import annotations

import pytest

from curation.verification.verifier import Verifier

VERIFIER = Verifier()
CASES = [
    ("The spleen is not without abnormality.", "spleen", "The spleen is without abnormality.", False),
    ("The spleen is not without abnormality.", "spleen", "No abnormality of the spleen.", False),
    ("The liver is not entirely free of metastases.", "liver", "No liver metastases.", False),
    ("There is no lack of enhancement of the kidney.", "kidneys", "No enhancement of the kidney.", False),
    ("There is no lack of enhancement of the kidney.", "kidneys", "Lack of enhancement of the kidney.", False),
    ("The pancreas is never without calcifications.", "pancreas", "No pancreatic calcifications.", False),
    ("No stone in the right kidney but in the left kidney.", "left kidney", "No stone in the left kidney.", False),
    ("No stone in the right kidney but in the left kidney.", "right kidney", "No stone in the right kidney.", True),
    ("No fracture of L1 but of L2.", "L2 vertebra", "No fracture of L2.", False),
    ("No stone in the right kidney or the left kidney.", "left kidney", "No stone in the left kidney.", True),
    ("The spleen is without abnormality.", "spleen", "No abnormality of the spleen.", True),
    ("The liver is not without cysts.", "liver", "The liver is not without cysts.", True),
]


@pytest.mark.parametrize(("report", "organ", "caption", "accepted"), CASES)
def test_denials(report: str, organ: str, caption: str, accepted: bool) -> None:
    """Neither a denied denial nor what "but" sets against a denial is denied."""
    assert VERIFIER.verify(VERIFIER.read(report), organ, caption).accepted == accepted
