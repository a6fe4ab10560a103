"""Qualities of one finding that a caption gives to another."""

from __future__ import annotations

from functools import cache

import pytest

from curation.caption import Reason
from curation.verification.answers import Verification
from curation.verification.verifier import Verifier


@cache
def verifier() -> Verifier:
    return Verifier()


def verify(sentence: str, organ: str, caption: str) -> Verification:
    return verifier().verify(verifier().read(sentence), organ, caption)


@pytest.mark.parametrize(
    ("sentence", "organ", "caption", "reason"),
    [
        (
            "Kidneys: calculus, large on the right and small on the left.",
            "left kidney",
            "Large left renal calculus.",
            Reason.MODIFIER,
        ),
        (
            "Small nodule with a large cavity in the right lung.",
            "lungs",
            "Large nodule in the right lung.",
            Reason.MODIFIER,
        ),
        ("Small nodule with a large cavity in the right lung.", "lungs", "Large nodule in the lung.", Reason.MODIFIER),
        (
            "6 mm stone with a 3 cm cyst in the left kidney.",
            "left kidney",
            "3 cm stone in the left kidney.",
            Reason.MEASUREMENT,
        ),
        (
            "Old infarct with acute hemorrhage in the cerebellum.",
            "cerebellum",
            "Acute infarct in the cerebellum.",
            Reason.MODIFIER,
        ),
        (
            "Two cysts with multiple calcifications in the spleen.",
            "spleen",
            "Multiple cysts in the spleen.",
            Reason.MODIFIER,
        ),
        (
            "Hypodense lesion with a hyperdense rim in the spleen.",
            "spleen",
            "Hyperdense lesion in the spleen.",
            Reason.MODIFIER,
        ),
        ("The left kidney contains a small cyst.", "left kidney", "Small left kidney.", Reason.MODIFIER),
        (
            "Nodule in the left lung with effusion in the right pleura.",
            "lungs",
            "Effusion in the left lung.",
            Reason.WRONG_ORGAN,
        ),
        ("Cyst in the liver with a stone in the gallbladder.", "liver", "Stone in the liver.", Reason.WRONG_ORGAN),
        ("Right pneumothorax with left pleural effusion.", "pleura", "Left pneumothorax.", Reason.LATERALITY),
        (
            "Cyst in the upper pole with a stone in the lower pole of the left kidney.",
            "left kidney",
            "Stone in the upper pole of the left kidney.",
            Reason.MODIFIER,
        ),
    ],
)
def test_exchanged(sentence: str, organ: str, caption: str, reason: Reason) -> None:
    verification = verify(sentence, organ, caption)
    assert not verification.accepted
    assert verification.reason == reason


@pytest.mark.parametrize(
    ("sentence", "organ", "caption"),
    [
        ("Small nodule with a large cavity in the right lung.", "lungs", "Large cavity in the right lung."),
        ("Small nodule with a large cavity in the right lung.", "lungs", "Small nodule with cavity in the right lung."),
        ("6 mm stone with a 3 cm cyst in the left kidney.", "left kidney", "3 cm cyst in the left kidney."),
        ("Cyst with septation measuring 3 cm in the left kidney.", "left kidney", "3 cm cyst in the left kidney."),
        ("Renal cyst with calcification on the left.", "left kidney", "Calcification in the left kidney."),
        ("The small bowel loops are mildly dilated.", "small bowel", "Mildly dilated small bowel loops."),
        ("A small amount of fluid in the pelvis.", "pelvis", "Small pelvic fluid."),
        ("The left kidney contains a small cyst.", "left kidney", "Small cyst in the left kidney."),
        ("Nodule in the left lung with effusion in the right pleura.", "lungs", "Nodule in the left lung."),
        ("Mild ectasia of the bronchi in both lungs.", "right lung", "Mild ectasia of the bronchi in the right lung."),
    ],
)
def test_faithful(sentence: str, organ: str, caption: str) -> None:
    assert verify(sentence, organ, caption).accepted
