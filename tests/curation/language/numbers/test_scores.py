"""Schemes that grade an organ: each grade is a statement about it, with the status that the scheme gives it."""

from __future__ import annotations

import pytest

from curation.caption import Status
from curation.engines.rules import RulesEngine
from curation.language.numbers.scores import is_value
from curation.verification.verifier import Verifier

verifier = Verifier()
engine = RulesEngine(verifier)


@pytest.mark.parametrize(
    ("text", "organ", "caption", "status"),
    [
        ("Lung-RADS 4X.", "lungs", "Lung-RADS 4X", "abnormal"),
        ("Lung-RADS v2022 category 1.", "lungs", "Lung-RADS v2022 category 1", "normal"),
        ("Lung-RADS category 1: negative.", "lungs", "Lung-RADS category 1", "normal"),
        ("Lung-RADS: 3.", "lungs", "Lung-RADS 3", "abnormal"),
        ("BI-RADS 0.", "breasts", "BI-RADS 0", "uncertain"),
        ("BI-RADS category 2 on the left.", "left breast", "Left breast: BI-RADS category 2 on the left", "abnormal"),
        ("LR-4 observation in segment III.", "liver", "LR-4 observation in segment III", "abnormal"),
        ("TI-RADS 5.", "thyroid gland", "Thyroid gland: TI-RADS 5", "abnormal"),
        ("PI-RADS 3.", "prostate", "Prostate: PI-RADS 3", "abnormal"),
        ("CO-RADS 1.", "lungs", "CO-RADS 1", "normal"),
        ("C-RADS C1.", "colon", "Colon: C-RADS C1", "normal"),
        ("O-RADS 4.", "ovaries", "O-RADS 4", "abnormal"),
        ("CAD-RADS 0.", "coronary arteries", "Coronary arteries: CAD-RADS 0", "normal"),
        ("Total Agatston score: 0.", "coronary arteries", "Coronary arteries: total Agatston score 0", "normal"),
        ("Coronary calcium score is 96.", "coronary arteries", "Coronary calcium score is 96", "abnormal"),
        ("Modified CT severity index 6.", "pancreas", "Pancreas: modified CT severity index 6", "abnormal"),
        ("Lund-Mackay score 0.", "paranasal sinuses", "Paranasal sinuses: Lund-Mackay score 0", "normal"),
    ],
)
def test_a_grade_alone(text: str, organ: str, caption: str, status: Status) -> None:
    (draft,) = engine.drafts(report := verifier.read(text))
    assert (draft.organ, draft.caption) == (organ, caption)
    assert verifier.status(draft.caption, draft.organ) == status
    assert verifier.verify(report, draft.organ, draft.caption).accepted


@pytest.mark.parametrize(
    ("text", "organ", "caption"),
    [
        ("Lung-RADS 2.", "lungs", "Lung-RADS 3"),
        ("Lung-RADS 2.", "lungs", "Lung-RADS 1"),
        ("Bosniak 2 cyst in the left kidney.", "left kidney", "Bosniak 3 cyst in the left kidney"),
        ("LR-3 lesion in the liver.", "liver", "LR-5 lesion in the liver"),
        ("Coronary calcium score 12.", "coronary arteries", "Coronary calcium score 0"),
    ],
)
def test_another_grade_is_refused(text: str, organ: str, caption: str) -> None:
    assert not verifier.verify(verifier.read(text), organ, caption).accepted


def test_a_grade_of_a_finding_stays_with_it() -> None:
    drafts = engine.drafts(verifier.read("Lung-RADS 3: 7 mm nodule in the right upper lobe."))
    assert ("right upper lobe", "7 mm nodule in the right upper lobe") in [(d.organ, d.caption) for d in drafts]


def test_a_value_of_the_colon_is_no_vertebra() -> None:
    assert [draft.organ for draft in engine.all_drafts(verifier.read("C-RADS C2, E1."))] == ["colon"]


@pytest.mark.parametrize(("text", "value"), [("4A", True), ("0 (none)", True), ("C2", True), ("negative", False)])
def test_values(text: str, value: bool) -> None:
    assert is_value(text) == value
