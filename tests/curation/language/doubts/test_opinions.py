"""Verbs of appearance, modal perfects and words of improbability put a diagnosis in doubt, and no description."""

from __future__ import annotations

import pytest

from curation.verification.verifier import Verifier

VERIFIER = Verifier()


@pytest.mark.parametrize(
    "verb",
    [
        "looks like", "behaves like", "acts like", "appears to be", "seems to be", "looks to be", "has the look of",
        "points towards", "hints at", "raises the specter of", "tends towards", "lends itself to", "evokes",
        "would have been", "must have been", "ought to be", "should be", "must be", "passes for", "is reminiscent of",
    ],
)  # fmt: skip
def test_a_diagnosis_by_appearance(verb: str) -> None:
    """The lesion is there, what it looks like is an opinion."""
    report = VERIFIER.read(f"The lesion in segment 5 {verb} a hemangioma.")
    assert not VERIFIER.verify(report, "liver", "Hemangioma in segment 5.").accepted
    assert VERIFIER.verify(report, "liver", "Lesion in segment 5.").accepted


@pytest.mark.parametrize(
    "opinion",
    ["improbable", "implausible", "far-fetched", "inconceivable", "less plausible", "hardly likely", "entertained"],
)
def test_an_opinion_on_a_diagnosis(opinion: str) -> None:
    """What is called improbable, or is only entertained, is not there."""
    report = VERIFIER.read(f"Lymphoma of the spleen is {opinion}.")
    assert not VERIFIER.verify(report, "spleen", "Lymphoma of the spleen.").accepted


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        ("The spleen looks enlarged.", "spleen", "The spleen is enlarged."),
        ("The pancreas appears to be atrophic.", "pancreas", "The pancreas is atrophic."),
        ("The aorta seems to be of normal caliber.", "aorta", "The aorta is of normal caliber."),
    ],
)
def test_a_description_by_appearance(report: str, organ: str, caption: str) -> None:
    """How an organ looks is how it is."""
    assert VERIFIER.verify(VERIFIER.read(report), organ, caption).accepted
