"""A verdict reacts to what turns a caption around; one that does not is a refusal."""

from __future__ import annotations

import pytest

from curation.caption import Reason
from curation.verification.answers import Verification
from curation.verification.reactions import Reactions, with_denial_turned, with_sides_exchanged
from curation.verification.verifier import Verifier
from prompts.vocabulary import load_vocabulary

from .caption_cases import verify


@pytest.mark.parametrize(
    ("text", "exchanged"),
    [
        ("Left renal stone", "Right renal stone"),
        ("RIGHT: stone in the left kidney", "LEFT: stone in the right kidney"),
        ("Cyst in the liver", "Cyst in the liver"),
        ("A bright lesion was left out", "A bright lesion was right out"),  # the letters alone count
    ],
)
def test_sides_are_exchanged(text: str, exchanged: str) -> None:
    assert with_sides_exchanged(text) == exchanged


@pytest.mark.parametrize(
    ("caption", "opposite"),
    [
        ("No stone in the left kidney", "stone in the left kidney"),
        ("Spleen: no evidence of laceration", "Spleen: laceration"),
        ("The spleen is not enlarged", "The spleen is enlarged"),
        ("The spleen is enlarged", "The spleen is not enlarged"),
        ("Spleen: large cyst", "Spleen: No large cyst"),
        ("Stone in the kidney without hydronephrosis", None),  # which of both is turned is not sure
        ("A nodule that was not seen in the previous examination", None),
        ("Unremarkable spleen", None),
    ],
)
def test_denials_are_turned(caption: str, opposite: str | None) -> None:
    assert with_denial_turned(caption) == opposite


def reaction(report: str, organ: str, caption: str, carried: set[str]) -> Verification:
    """The verdict on a caption whose evidence is the whole report, which is said to carry the captions ``carried``."""
    verifier = Verifier()
    read = verifier.read(report)
    statement = read.statements[0]
    acceptance = verify("Liver cyst.", "liver", "Liver cyst.")._replace(
        organ=organ, start=statement.start, end=statement.end, spans=((statement.start, statement.end),)
    )
    reactions = Reactions(lambda statement, context, organ, caption: caption in carried, load_vocabulary().organs)
    return reactions.tried(read, caption, acceptance)


def test_an_organ_without_another_side_is_held_against_none() -> None:
    report = "Nodule in middle and lower lobe, left lung upper lobe."
    assert verify(report, "right middle lobe", "Nodule in middle lobe").accepted


def test_a_verdict_that_does_not_react_to_the_side_is_a_refusal() -> None:
    report, caption = "Stone in the upper pole of the right kidney.", "Stone in the left kidney"
    verdict = reaction(report, "left kidney", caption, {caption, "Stone in the right kidney"})
    assert (verdict.accepted, verdict.reason) == (False, Reason.LATERALITY)
    assert verdict.detail and "right kidney" in verdict.detail
    assert reaction(report, "left kidney", caption, {caption}).accepted
    same_side = "Stone in the right kidney"
    assert reaction(report, "right kidney", same_side, {caption, same_side}).accepted
    assert reaction("Both kidneys have stones, the right more.", "left kidney", caption, {"Stone in the right kidney"})


def test_a_verdict_that_does_not_react_to_a_denial_is_a_refusal() -> None:
    report, caption = "No cyst or stone in the liver.", "Stone in the liver"
    verdict = reaction(report, "liver", caption, {caption, "No stone in the liver"})
    assert (verdict.accepted, verdict.reason) == (False, Reason.NEGATION)
    assert reaction(report, "liver", caption, {caption}).accepted
    assert reaction("Stone in the liver.", "liver", caption, {caption, "No stone in the liver"}).accepted


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        ("No free fluid, free air, or lymphadenopathy is detected.", "lymph nodes", "Lymphadenopathy is detected."),
        ("No ascites, or adenopathy is seen.", "lymph nodes", "Adenopathy is seen."),
    ],
)
def test_a_denied_finding_that_names_its_organ_is_not_there(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
