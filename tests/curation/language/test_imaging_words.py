"""Phases, sequences, windows and stages are no organs; the organs that share their words are."""

from __future__ import annotations

from functools import cache

import pytest

from curation.engines.rules import RulesEngine
from curation.verification.verifier import Verifier


@cache
def engine() -> RulesEngine:
    return RulesEngine(Verifier())


def organs(text: str) -> list[str]:
    """Return the organs that the rules draft captions about, each once."""
    return sorted({draft.organ for draft in engine().drafts(engine().verifier.read(text))})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Arterially enhancing nodule in segment 5.", ["liver"]),
        ("Segment 6: 15 mm focus of arterial nonrim hyperenhancement, venous washout.", ["liver"]),
        ("The adenoma keeps its contrast on hepatobiliary images of the liver.", ["liver"]),
        ("The splenic lesion fills in on portal venous and delayed images.", ["spleen"]),
        ("Images in the arterial, portal venous and late phases show a mass of the pancreas.", ["pancreas"]),
        ("The venous-phase series shows a thrombus in the left renal vein.", ["left renal vein"]),
        ("The spleen is mottled on this pulmonary arterial phase scan.", ["spleen"]),
        ("Pancreatic phase: hypodense mass of the spleen.", ["spleen"]),
        ("The right renal mass washes out in the nephrographic phase.", ["right kidney"]),
        ("Bladder: filling defect in the excretory phase.", ["urinary bladder"]),
        ("Several T1 and T2 hyperintense foci of the spleen.", ["spleen"]),
        ("A lesion of low T1 and high T2 signal in the left femur.", ["left femur"]),
        ("Two T2/FLAIR hyperintensities in the right frontal lobe.", ["right frontal lobe"]),
        ("The cyst of the right kidney is bright on T2 and dark on T1.", ["right kidney"]),
        ("Hyperintense in T2, the mass lies in the spleen.", ["spleen"]),
        ("Loss of signal of the liver on opposed phase T1 images.", ["liver"]),
        ("Bright focus on STIR and T2 in the L4 vertebra.", ["L4 vertebra"]),
        ("Stage T2 N1 mass of the right upper lobe.", ["right upper lobe"]),
        ("Nodule of the left lower lobe, seen on lung and bone windows.", ["left lower lobe"]),
        ("Brain windows and bone windows are unremarkable.", []),
        ("In the examination made in the bilateral lung parenchyma window", []),
        ("Images with a soft tissue kernel show a mass of the spleen.", ["spleen"]),
        ("Reconstructions with a bone algorithm show a cyst of the left mandible.", ["mandible"]),
    ],
)
def test_words_of_imaging_are_no_organs(text: str, expected: list[str]) -> None:
    assert organs(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wedge fracture of T2.", ["T2 vertebra"]),
        ("Metastases of T1 and T2.", ["T1 vertebra", "T2 vertebra"]),
        ("The T1 and T2 vertebral bodies are fractured.", ["T1 vertebra", "T2 vertebra"]),
        ("Anterolisthesis of T1 on T2.", ["T1 vertebra", "T2 vertebra"]),
        ("T2 hyperintense lesion within the T2 vertebral body.", ["T2 vertebra"]),
        ("Raised T2 signal of the cord at T2.", ["T2 vertebra", "spinal cord"]),
        ("The arterial wall enhances, as in vasculitis.", ["arteries"]),
        ("The portal venous system is patent.", ["portal vein"]),
        ("No venous thrombosis, no arterial occlusion.", ["arteries", "veins"]),
        ("Small lymph nodes in the aortopulmonary window.", ["aortopulmonary lymph nodes"]),
        ("When examined in the lung window; emphysema and a 4 mm nodule.", ["lungs"]),
        ("Bone windows: no fracture.", ["skeleton"]),
    ],
)
def test_organs_that_share_the_words_stay_organs(text: str, expected: list[str]) -> None:
    assert organs(text) == expected


@pytest.mark.parametrize(
    ("text", "organ", "caption"),
    [
        ("Arterial enhancement of the splenic lesion.", "arteries", "arterial enhancement"),
        ("The spleen lesion shows venous washout.", "veins", "venous washout"),
        ("The liver lesion is dark on portal venous images.", "portal vein", "dark portal vein"),
        ("The left renal cyst is bright on T2.", "T2 vertebra", "T2 is bright"),
        (
            "Bright focus of the spleen on hepatobiliary phase images.",
            "biliary tree",
            "bright focus of the biliary tree",
        ),
        ("The lung window shows a mass of the liver.", "lungs", "mass of the lung"),
    ],
)
def test_the_verifier_takes_no_phase_for_an_organ(text: str, organ: str, caption: str) -> None:
    verifier = engine().verifier
    assert not verifier.verify(verifier.read(text), organ, caption).accepted


def test_a_phase_is_not_another_phase() -> None:
    verifier = engine().verifier
    report = verifier.read("The liver lesion shows arterial hyperenhancement.")
    assert verifier.verify(report, "liver", "arterial hyperenhancement of the liver lesion").accepted
    assert not verifier.verify(report, "liver", "venous hyperenhancement of the liver lesion").accepted
