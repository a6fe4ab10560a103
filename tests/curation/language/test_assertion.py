"""Negated, affirmed or possible: how a sentence means the words marked with braces in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.language.assertion import assess


def assertion_of(marked: str) -> str:
    """How the words between braces are meant."""
    start, end = marked.index("{"), marked.index("}") - 1
    return assess(marked.replace("{", "").replace("}", ""), start, end)


BEFORE = [
    "No {pleural effusion}.",
    "There is no {pleural effusion}.",
    "There is no evidence of {metastasis}.",
    "No sign of {metastasis} is seen.",
    "The spleen is normal without {focal lesion}.",
    "Negative for {pulmonary embolism}.",
    "The lungs are free of {nodules}.",
    "Absence of {hydronephrosis}.",
    "The appendix is not {inflamed}.",
    "The liver does not show any {mass}.",
    "Neither {mass} nor cyst is seen.",
    "Neither mass nor {cyst} is seen.",
    "No definite {mass} in the liver.",
    "No CT evidence of {acute appendicitis}.",
    "The study fails to reveal {fracture}.",
    "Lack of {enhancement} in the lesion.",
    "There was no {midline shift}.",
]
AFTER = [
    "{Pleural effusion} was not observed.",
    "{Pericardial effusion-thickening} was not observed.",
    "{Pleural effusion} is not seen.",
    "{Mass} was not detected in the liver.",
    "{Hydronephrosis} is absent.",
    "{Gallstones} were not identified on this examination.",
    "{Lymph nodes} of pathological size were not found.",
    "{Fracture} cannot be seen.",
    "In both lungs {active infiltration} was not detected.",
    "{Pneumonia} has been ruled out.",
    "{A space-occupying lesion} was not distinguished.",
    "{Pulmonary embolism} was excluded.",
]
LISTS = [
    "No {mass}, nodule or consolidation.",
    "No mass, {nodule} or consolidation.",
    "No mass, nodule or {consolidation}.",
    "No mass, nodule, or {consolidation} is seen in the lungs.",
    "{Mass}, nodule or consolidation was not observed.",
    "Mass, {nodule} or consolidation was not observed.",
    "Mass, nodule or {consolidation} was not observed.",
    "{Pneumothorax} and pleural effusion were not detected.",
    "Pneumothorax and {pleural effusion} were not detected.",
    "No {pneumothorax}/pleural effusion.",
    "No pneumothorax/{pleural effusion}.",
    "Without {mass} or collection in the pelvis.",
    "Without mass or {collection} in the pelvis.",
]
AFFIRMED = [
    "There is a {pleural effusion}.",
    "{Stone} in the gallbladder.",
    "No change in the {nodule}.",
    "No significant change in the {nodule} in the right lung.",
    "No interval change of the {hepatic cyst}.",
    "The {nodule} has not changed in size.",
    "No measurable growth of the {mass}.",
    "There is no increase in the {nodule}.",
    "No progression in the {emphysema} is seen.",
    "The {mass} is not significantly different from before.",
    "The {nodule} was not observed in the previous examination.",
    "The {nodule} was not seen on the prior CT.",
    "The {thrombus} does not reach the vena cava.",
    "{Atelectasis} but no consolidation.",
    "No consolidation but {atelectasis}.",
    "There is no mass, but there is a {cyst} in the liver.",
    "No pneumothorax; {pleural effusion} on the left.",
    "No pleural effusion. {Cardiomegaly} is present.",
    "No consolidation; however, {atelectasis} is present.",
    "The gallbladder was not distended although {stones} are present.",
    "{Cysts} without solid components.",
    "The {lesion}, which was not enhanced, is stable.",
    "No mass apart from the {cyst}.",
    "No nodule except for a 4 mm {nodule} in the left lower lobe.",
    "There is not only a {cyst} but a stone as well.",
    "The {emphysema} is unchanged.",
    "Increase in the size of the {mass}.",
]
POSSIBLE = [
    "{Pneumonia} cannot be excluded.",
    "{Metastasis} could not be ruled out.",
    "Possible {pneumonia}.",
    "Probable {hemangioma} in the liver.",
    "Likely {hemangioma}.",
    "Suspicious for {metastasis}.",
    "The changes may represent {pneumonia}.",
    "Findings suggestive of {cholecystitis}.",
    "Questionable {thickening} of the wall.",
    "{Pneumonia}?",
    "Density increases ({infection}?).",
    "Small airway disease? {small vessel disease}?",
    "Differential diagnosis includes {abscess}.",
    "{Atelectasis} versus infiltrate.",
    "Atelectasis versus {infiltrate}.",
    "{Recurrence} is suspected.",
    "The density could be a {cyst}.",
    "{Infarct} is possible.",
    "Cannot rule out {fracture}.",
    "It is not possible to exclude {metastasis}.",
    "?{pneumonia}",
]
# Said through an opinion, but said.
ATTRIBUTED = ["Findings consistent with {hepatic steatosis}.", "Compatible with {emphysema}."]


def cases(expected: str, *lists: list[str]) -> list[object]:
    return [pytest.param(sentence, expected, id=sentence) for sentences in lists for sentence in sentences]


@pytest.mark.parametrize(
    ("marked", "expected"),
    cases("negated", BEFORE, AFTER, LISTS) + cases("affirmed", AFFIRMED) + cases("possible", POSSIBLE),
)
def test_assertion(marked: str, expected: str) -> None:
    assert assertion_of(marked) == expected


@pytest.mark.parametrize("marked", ATTRIBUTED)
def test_an_opinion_does_not_deny(marked: str) -> None:
    assert assertion_of(marked) != "negated"


FINDINGS = st.sampled_from(
    ["mass", "cyst", "stone", "pleural effusion", "fracture", "wall thickening", "GGO", "calcified nodule"]
)


@given(st.lists(FINDINGS, min_size=1, max_size=5, unique=True))
def test_a_denial_reaches_over_a_whole_list(findings: list[str]) -> None:
    listed = ", ".join(findings[:-1]) + (" or " if len(findings) > 1 else "") + findings[-1]
    for sentence in (f"No {listed}.", f"There is no {listed} in the abdomen.", f"{listed} was not observed."):
        for finding in findings:
            start = sentence.index(finding)
            assert assess(sentence, start, start + len(finding)) == "negated", sentence


@given(FINDINGS, FINDINGS)
def test_but_ends_what_is_denied(denied: str, present: str) -> None:
    sentence = f"There is no {denied}, but there is a {present} in the liver."
    start = sentence.rindex(present)
    assert assess(sentence, start, start + len(present)) == "affirmed"
    assert assess(sentence, 12, 12 + len(denied)) == "negated"


@given(st.text(max_size=60), st.integers(-5, 70), st.integers(-5, 70))
def test_any_sentence_can_be_asked(sentence: str, start: int, end: int) -> None:
    assert assess(sentence, start, end) in ("negated", "affirmed", "possible")
