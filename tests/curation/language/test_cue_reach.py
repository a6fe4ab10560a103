"""How far cues of denial and doubt reach; the words between braces are asked for."""

from __future__ import annotations

import pytest

from .test_assertion import assertion_of

DENIED = [
    "No mass, {cyst} or stone.",
    "No mass, {cyst}, stone.",
    "No mild, {moderate} or severe stenosis.",
    "No stenosis, significant {plaque}.",
    "No nodule, mass larger than 5 mm or {cyst}.",
    "No stone in segments 2, 3 or 4, {dilatation} or gas.",
    "{Hematoma}, laceration was not seen.",
]
STATED = [
    "No mass, 5 mm {cyst} in the liver.",
    "No mass, small {cyst}.",
    "No mass, mild {steatosis}.",
    "No mass or stone, trace {ascites}.",
    "No infarct, chronic {ischemia}.",
    "No mass, large {hematoma} on the left.",
    "No mass and 3 mm {stone}.",
    "No ascites, {hepatomegaly} is noted.",
    "No ascites, the {spleen} normal.",
    "Mild {edema}, hematoma was not seen.",
]
DOUBTED = [
    "Suspicious for infarct and {abscess}.",
    "May represent infarct, abscess or {lymphoma}.",
    "{Infarct} versus abscess.",
    "Hematoma, {infarct} cannot be excluded.",
    "{Infarct}, abscess or lymphoma cannot be excluded.",
    "{Infarct} is likely in this setting.",
    "{Infarct}, possible.",
    "It is unclear whether there is {infarct}.",
    "Differential: {infarct}.",
]
NOT_DOUBTED = [
    "Suspicious for infarct, and a {cyst}.",
    "Suspicious for infarct and 3 mm {stone}.",
    "Possible infarct and {cyst}.",
    "{Hematoma} in the spleen of 3 cm, infarct cannot be excluded.",
    "{Opacity} from atelectasis versus pneumonia.",
    "Likely infarct given the {hematoma}.",
]


@pytest.mark.parametrize("marked", DENIED)
def test_a_denial_reaches_over_its_list(marked: str) -> None:
    assert assertion_of(marked) == "negated"


@pytest.mark.parametrize("marked", STATED)
def test_a_denial_ends_before_a_finding_with_a_mark_of_its_own(marked: str) -> None:
    assert assertion_of(marked) == "affirmed"


@pytest.mark.parametrize("marked", DOUBTED)
def test_a_hedge_reaches_over_what_it_governs(marked: str) -> None:
    assert assertion_of(marked) == "possible"


@pytest.mark.parametrize("marked", NOT_DOUBTED)
def test_a_hedge_leaves_what_stands_for_itself(marked: str) -> None:
    assert assertion_of(marked) == "affirmed"
