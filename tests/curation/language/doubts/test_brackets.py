"""Doubts in brackets put what stands before them in doubt, where the brackets hold nothing else."""

from __future__ import annotations

import pytest

from curation.verification.verifier import Verifier

VERIFIER = Verifier()
CYST = "Cyst in segment 2."


@pytest.mark.parametrize("remark", ["?", "probably", "most likely", "suspected", "is possible", "maybe", "unlikely"])
def test_a_doubt_alone_in_brackets(remark: str) -> None:
    """What stands before it is in doubt, in the same words as well."""
    report = VERIFIER.read(f"Cyst ({remark}) in segment 2.")
    assert not VERIFIER.verify(report, "liver", CYST).accepted


@pytest.mark.parametrize(
    ("report", "organ", "caption", "accepted"),
    [
        ("Lesion (probably a hemangioma) in segment 4.", "liver", "Lesion in segment 4.", True),
        ("Lesion (probably a hemangioma) in segment 4.", "liver", "Hemangioma in segment 4.", False),
        ("Small cyst (probably) in segment 2.", "liver", "Probable small cyst in segment 2.", True),
        ("Cyst (9 mm) in the left kidney.", "left kidney", "9 mm cyst in the left kidney.", True),
        ("Adenoma (DD metastasis) of the left adrenal.", "left adrenal gland", "Adenoma of the left adrenal.", False),
        ("Mass (DD lymphoma) of the spleen.", "spleen", "Mass of the spleen.", True),
    ],
)
def test_brackets(report: str, organ: str, caption: str, accepted: bool) -> None:
    """What brackets go on to say is in doubt alone; a differential diagnosis of the same kind doubts both."""
    assert VERIFIER.verify(VERIFIER.read(report), organ, caption).accepted == accepted
