"""A caption may not give the effect as the cause."""

from __future__ import annotations

import pytest

from curation.verification.verifier import Verifier

VERIFIER = Verifier()
STRANDING = "Perinephric stranding secondary to the renal stone."
CASES = [
    (STRANDING, "kidneys", "Renal stone secondary to perinephric stranding.", False),
    (STRANDING, "kidneys", "Perinephric stranding causing a renal stone.", False),
    (STRANDING, "kidneys", "Perinephric stranding due to renal stone.", True),
    (STRANDING, "kidneys", "Perinephric stranding secondary to renal stone.", True),
    (STRANDING, "kidneys", "Renal stone.", True),
    ("Gallstones causing pancreatitis.", "pancreas", "Pancreatitis causing gallstones.", False),
    ("Ascites because of cirrhosis.", "liver", "Cirrhosis because of ascites.", False),
    ("Pancreatitis as a result of gallstones.", "pancreas", "Gallstones as a result of pancreatitis.", False),
]


@pytest.mark.parametrize(("report", "organ", "caption", "accepted"), CASES)
def test_causes(report: str, organ: str, caption: str, accepted: bool) -> None:
    """The same order is accepted, in which one is the reason for the other."""
    assert VERIFIER.verify(VERIFIER.read(report), organ, caption).accepted == accepted
