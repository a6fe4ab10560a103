"""Headings inside findings assert nothing, and are the context of what stands below them."""

from __future__ import annotations

from functools import cache

import pytest

from curation.engines.rules import RulesEngine
from curation.readers.sections import split_sections
from curation.verification.verifier import Verifier


@cache
def engine() -> RulesEngine:
    return RulesEngine(Verifier())


def captions(text: str) -> list[tuple[str, str]]:
    drafts = engine().drafts(engine().verifier.read(text, split_sections(text)))
    return [(draft.organ, draft.caption) for draft in drafts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Brain\nNo infarct.", [("brain", "Brain: no infarct")]),
        ("Entire spine\nThe cord is thin.", [("spinal cord", "The cord is thin")]),
        ("**Lymph nodes:**\nNone enlarged.", [("lymph nodes", "Lymph nodes: none enlarged")]),
        ("Lymph nodes\nNone enlarged.", [("lymph nodes", "Lymph nodes: none enlarged")]),
        ("CHEST, AND REMAINING ABDOMEN\n\n- Splenomegaly.", [("spleen", "Spleen: splenomegaly")]),
        (
            "Lower chest (limited)\n\nClear lungs.",
            [("left lung", "Clear left lung"), ("right lung", "Clear right lung")],
        ),
        ("## Liver\nSteatosis.", [("liver", "Liver: steatosis")]),
        ("4. BLADDER\nThick wall.", [("urinary bladder", "Urinary bladder: thick wall")]),
        ("Lines and tubes:\nNone.\nHeart\nLarge.", [("heart", "Heart: large")]),
        ("Visualized parts of the neck\nThe thyroid is large.", [("thyroid gland", "The thyroid is large")]),
        ("Brain MRI without contrast\nNo infarct.", [("brain", "Brain: no infarct")]),
        ("Pancreas:\n\nNo mass.\n\nNo mass.", [("pancreas", "Pancreas: no mass")]),
    ],
)
def test_a_heading_is_the_context_of_what_stands_below_it(text: str, expected: list[tuple[str, str]]) -> None:
    assert captions(f"FINDINGS:\n{text}") == expected


def test_the_heading_s_organ_comes_before_one_that_is_no_part_of_it() -> None:
    assert ("liver", "Liver: no mass") in captions("FINDINGS:\nLIVER\nThe portal vein is patent. No mass.")
    text = "FINDINGS:\nCHEST\nA nodule lies in the right upper lobe. It is calcified."
    assert [organ for organ, _ in captions(text)] == ["right upper lobe"] * 2


def test_another_heading_ends_the_context() -> None:
    assert captions("FINDINGS:\nSpleen\nLarge.\nOther:\nNo mass.") == [("spleen", "Spleen: large")]


def test_nodes_of_a_list_are_there() -> None:
    text = "IMPRESSION:\n1. Mediastinal lymph nodes\n2. Splenic cyst"
    assert [organ for organ, _ in captions(text)] == ["mediastinal lymph nodes", "spleen"]


@pytest.mark.parametrize(
    ("organ", "caption"),
    [("spine", "Whole spine"), ("lymph nodes", "Lymph nodes"), ("abdomen", "whole abdomen"), ("brain", "Brain")],
)
def test_the_verifier_takes_no_heading_as_evidence(organ: str, caption: str) -> None:
    text = (
        "FINDINGS:\nBrain\nNo infarct.\nWhole spine\nNormal cord.\nLymph nodes\nNone large.\nWhole abdomen\nNo fluid."
    )
    verifier = engine().verifier
    report = verifier.read(text, split_sections(text))
    assert not verifier.verify(report, organ, caption).accepted
    assert not verifier.verify(report, organ, caption, near=[2]).accepted


def test_evidence_spans_the_heading_and_what_is_below() -> None:
    text = "FINDINGS:\nPancreas\n\nNo mass."
    verifier = engine().verifier
    verification = verifier.verify(verifier.read(text, split_sections(text)), "pancreas", "no pancreatic mass")
    assert verification.accepted
    assert text[verification.start : verification.end] == "Pancreas\n\nNo mass."


@pytest.mark.parametrize(
    "text", ["The whole spine is stiff.", "Left lung: whole lobe collapsed.", "Enlarged lymph nodes", "Pacemaker"]
)
def test_findings_are_no_headings(text: str) -> None:
    assert captions(f"FINDINGS:\n{text}\nThe spleen is large.")[0][0] != "spleen"


TITLES = [
    ("CT HEAD\n\nFINDINGS: No mass lesion. No abnormal enhancement.", "brain", "No abnormal enhancement.", True),
    ("CT HEAD WITHOUT CONTRAST\n\nFINDINGS:\nNo hemorrhage. No midline shift.", "brain", "No hemorrhage.", True),
    ("EXAM: CT of the abdomen\nFINDINGS: No fluid collection.", "abdomen", "No fluid collection.", True),
    ("CT HEAD\n\nFINDINGS: No hemorrhage. A mass.", "head", "A mass.", True),
    # only what is denied of a region is denied of its organ
    ("CT HEAD\n\nFINDINGS: No hemorrhage. A mass.", "brain", "A mass.", False),
    ("CT HEAD\n\nFINDINGS: A mass lesion.", "brain", "No mass lesion.", False),
    ("CT CHEST\n\nFINDINGS: No mass.", "liver", "No mass.", False),
    ("CT CHEST\n\nFINDINGS: No fluid collection.", "abdomen", "No fluid collection.", False),
    # several regions, or a heading nearer than the title
    ("CT HEAD AND NECK\n\nFINDINGS: No mass lesion.", "brain", "No mass lesion.", False),
    ("CT ABDOMEN AND PELVIS\n\nFINDINGS: No fluid collection.", "abdomen", "No fluid collection.", False),
    ("CT HEAD\nCT CERVICAL SPINE\n\nFINDINGS: No hemorrhage.", "brain", "No hemorrhage.", False),
    ("CT HEAD\n\nFINDINGS:\nOrbits:\nNo mass.", "brain", "No mass.", False),
    ("CT HEAD\n\nFINDINGS: Parotid glands: No mass.", "brain", "No mass.", False),
    ("The head was seen.\n\nFINDINGS: No hemorrhage.", "brain", "No hemorrhage.", False),
]


@pytest.mark.parametrize(("text", "organ", "caption", "accepted"), TITLES)
def test_what_names_no_organ_is_about_the_region_of_the_title(
    text: str, organ: str, caption: str, accepted: bool
) -> None:
    verification = engine().verifier.verify(engine().verifier.read(text, split_sections(text)), organ, caption)
    assert verification.accepted is accepted, verification.detail
