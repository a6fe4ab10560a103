"""A caption that names a place around an organ may be filed under that organ, and says nothing of the organ itself."""

from __future__ import annotations

import pytest

from curation.verification.verifier import Verifier


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier()


@pytest.mark.parametrize(
    ("organ", "report", "caption", "accepted"),
    [
        ("liver", "Small amount of perihepatic fluid.", "Small perihepatic fluid", True),
        ("spleen", "Small amount of perihepatic fluid.", "Small perihepatic fluid", False),
        ("liver", "Small amount of perihepatic fluid.", "Small fluid in the liver", False),
        ("liver", "Small amount of perihepatic fluid.", "Small amount of fluid", False),
        ("right kidney", "Right hydroureter, right perirenal stranding.", "Right perirenal stranding", True),
        ("left kidney", "Right hydroureter, right perirenal stranding.", "Right perirenal stranding", False),
        ("brain", "No extra-axial hematoma.", "No extra-axial hematoma", True),
        ("lungs", "Nodule at the left costophrenic sulcus.", "Nodule at the left costophrenic sulcus", True),
        ("right lung", "Nodule at the left costophrenic sulcus.", "Nodule at the left costophrenic sulcus", False),
        ("lungs", "Nodule at the left costophrenic sulcus.", "Left lung nodule", False),
    ],
)
def test_filing(verifier: Verifier, organ: str, report: str, caption: str, accepted: bool) -> None:
    assert verifier.verify(verifier.read(report), organ, caption).accepted == accepted
