"""An organ beside which something lies is no organ that it is in."""

from __future__ import annotations

import pytest

from curation.verification.verifier import Verifier

VERIFIER = Verifier()
BESIDE = [
    ("Mass adjacent to, but not arising from, the pancreatic tail.", "pancreas", "Pancreatic tail mass."),
    ("Cyst close to, yet distinct from, the left kidney.", "left kidney", "Left renal cyst."),
    ("A mass clearly separate from the uterus.", "uterus", "Uterine mass."),
    ("Mass between the stomach and the spleen.", "stomach", "Gastric mass."),
    ("Mass between the stomach and the spleen.", "spleen", "Splenic mass."),
    ("Hematoma outside the spleen.", "spleen", "Splenic hematoma."),
    ("Mass in contact with the liver.", "liver", "Liver mass."),
]
INSIDE = [
    ("Mass of the pancreatic tail, adjacent to the spleen.", "pancreas", "Mass of the pancreatic tail."),
    ("Mass between the stomach and the spleen.", "spleen", "Mass between the stomach and the spleen."),
    pytest.param(
        "A cyst adjacent to, and separate from, the pancreas.",
        "pancreas",
        "Cyst adjacent to the pancreas.",
        marks=pytest.mark.xfail(strict=True, reason="the place that two relations share stands with the second alone"),
    ),
    ("Cysts in the liver and the spleen.", "spleen", "Cysts in the spleen."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), BESIDE)
def test_beside(report: str, organ: str, caption: str) -> None:
    """What is added between commas, and both ends of "between", are looked at."""
    assert not VERIFIER.verify(VERIFIER.read(report), organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), INSIDE)
def test_inside(report: str, organ: str, caption: str) -> None:
    """A caption that names the place as one is accepted."""
    assert VERIFIER.verify(VERIFIER.read(report), organ, caption).accepted
