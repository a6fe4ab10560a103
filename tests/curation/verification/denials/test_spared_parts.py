"""What a finding spares has none of it, and the finding is there without it."""

from __future__ import annotations

import pytest

from ..caption_cases import verifier

REFUSED = [
    ("Steatosis of the liver with sparing of the caudate lobe.", "liver", "Steatosis of the caudate lobe."),
    ("Multiple hepatic cysts sparing segment IV.", "liver", "Hepatic cysts in segment IV."),
    ("Hepatic steatosis. Focal fatty sparing in segment 4.", "liver", "Steatosis of segment 4."),
    ("Colonic wall thickening with rectal sparing.", "rectum", "Rectal wall thickening."),
    ("Emphysema of both lungs, sparing the bases.", "lungs", "Emphysema of the lung bases."),
    ("Ground-glass opacities spare the right upper lobe.", "lungs", "Ground-glass opacity in the right upper lobe."),
    ("Gallbladder: contains stones, none of which is in the neck.", "gallbladder", "Stone in the gallbladder neck."),
    ("Multiple lung nodules, none of which is in the lingula.", "lungs", "Nodule in the lingula."),
    ("Diverticula of the colon that do not involve the sigmoid.", "colon", "Sigmoid diverticula."),
    ("Pancreatic mass not extending to the tail.", "pancreas", "Mass of the pancreatic tail."),
    ("Liver metastases, the left lobe is not affected.", "liver", "Metastases in the left lobe of the liver."),
    ("Nodules in both lungs, the lingula being free.", "lungs", "Nodules in the lingula."),
    ("Infiltrates in all lobes except the lingula, which is free.", "lungs", "Infiltrate in the lingula."),
]
CARRIED = [
    (
        "Steatosis of the liver with sparing of the caudate lobe.",
        "liver",
        "Hepatic steatosis sparing the caudate lobe.",
    ),
    ("Multiple hepatic cysts sparing segment IV.", "liver", "Multiple hepatic cysts."),
    ("Gallbladder: contains stones, none of which is in the neck.", "gallbladder", "Gallstones."),
    ("Emphysema of the upper lobes, sparing the bases.", "lungs", "Emphysema of the upper lobes."),
    ("Gallstones, the common bile duct is free of stones.", "biliary tree", "No stone in the common bile duct."),
    ("Cysts in both kidneys, the ureters are not affected.", "kidneys", "Cysts in both kidneys."),
    ("There is free fluid in the pelvis.", "pelvis", "Free fluid in the pelvis."),
]


@pytest.mark.parametrize(("statement", "organ", "caption"), REFUSED)
def test_what_is_spared_has_none(statement: str, organ: str, caption: str) -> None:
    assert not verifier().verify(verifier().read(statement), organ, caption).accepted


@pytest.mark.parametrize(("statement", "organ", "caption"), CARRIED)
def test_the_finding_is_there_without_it(statement: str, organ: str, caption: str) -> None:
    verification = verifier().verify(verifier().read(statement), organ, caption)
    assert verification.accepted, verification.detail
