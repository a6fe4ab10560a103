"""Statements that are not findings of this examination get no caption."""

from functools import cache

import pytest

from curation.engines.rules import RulesEngine
from curation.verification.verifier import Verifier


@cache
def engine() -> RulesEngine:
    return RulesEngine(Verifier())


NON_FINDINGS = [
    "Examination was performed without contrast material.",
    "Images were obtained with 1 mm slices.",
    "Axial images of the abdomen were obtained after contrast.",
    "The examination is limited by motion artifact.",
    "The liver could not be evaluated because of motion artifact.",
    "Evaluation of the pancreas is limited without contrast.",
    "Mediastinal structures cannot be evaluated optimally since the examination is without contrast.",
    "Mediastinal vessels could not be evaluated optimally because no contrast was given.",
    "Bowel loops cannot be evaluated optimally due to lack of oral contrast.",
    "Beam hardening artifact over the temporal lobes.",
    "Movement artifact in the lung bases.",
    "Follow-up CT of the chest in 6 months is recommended.",
    "Colonoscopy is recommended for the colonic wall thickening.",
    "Clinical correlation is recommended.",
    "No comparison is available.",
    "Compared to the previous study, there is no significant change.",
    "",
    " \n \x00 ",
]


@pytest.mark.parametrize("text", NON_FINDINGS)
def test_what_is_no_finding_gets_no_caption(text: str) -> None:
    assert engine().drafts(engine().verifier.read(text)) == []
