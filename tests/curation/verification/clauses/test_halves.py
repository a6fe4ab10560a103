"""Clauses of a caption of which two segments of the evidence carry one half each."""

from __future__ import annotations

from functools import cache

import pytest

from curation.verification.verifier import Verifier


@cache
def verifier() -> Verifier:
    return Verifier()


def accepted(report: str, organ: str, caption: str) -> bool:
    return verifier().verify(verifier().read(report), organ, caption).accepted


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        ("A pleural effusion of 25 mm on the left and 12 mm on the right.", "pleura", "Bilateral pleural effusions."),
        ("Small right and large left pleural effusion.", "pleura", "Bilateral pleural effusions."),
        (
            "A pleural effusion measuring 25 mm on the left and 12 mm on the right.",
            "pleura",
            "Bilateral pleural effusions, 25 mm on the left and 12 mm on the right.",
        ),
        (
            "Moderate left and small right pleural effusions.",
            "pleura",
            "Bilateral pleural effusions, moderate on the left and small on the right.",
        ),
        (
            "Renal cysts measuring 3 cm on the right and 2 cm on the left.",
            "kidneys",
            "Bilateral renal cysts, 3 cm on the right and 2 cm on the left.",
        ),
        ("Stone in the left kidney and stone in the right kidney.", "kidneys", "Bilateral renal stones."),
        ("No stone in the left kidney, no stone in the right kidney.", "kidneys", "No stone in both kidneys."),
        ("Mass in the liver, calcification in the spleen.", "liver", "Mass in the liver with splenic calcification."),
    ],
)
def test_both_halves_are_carried(report: str, organ: str, caption: str) -> None:
    assert accepted(report, organ, caption)


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        (
            "A pleural effusion measuring 25 mm on the left and 12 mm on the right.",
            "pleura",
            "Bilateral pleural effusions, 12 mm on the left and 25 mm on the right.",
        ),
        (
            "Moderate left and small right pleural effusions.",
            "pleura",
            "Bilateral pleural effusions, small on the left and moderate on the right.",
        ),
        ("Moderate left and small right pleural effusions.", "pleura", "Moderate bilateral pleural effusions."),
        (
            "A pleural effusion measuring 25 mm on the left.",
            "pleura",
            "Bilateral pleural effusions, 25 mm on the left.",
        ),
        (
            "A cyst of 3 cm on the right and a stone of 2 cm on the left.",
            "kidneys",
            "Bilateral renal cysts, 3 cm on the right and 2 cm on the left.",
        ),
        (
            "A pleural effusion on the left, atelectasis on the right.",
            "pleura",
            "Bilateral pleural effusions.",
        ),
        ("Small right and large left pleural effusion.", "pleura", "Large bilateral pleural effusions."),
        ("Stone in the left kidney and cyst in the right kidney.", "kidneys", "Bilateral renal stones."),
        ("No stone in the left kidney, but a stone in the right kidney.", "kidneys", "Bilateral renal stones."),
        ("No stone in the left kidney, but a stone in the right kidney.", "kidneys", "No stone in both kidneys."),
    ],
)
def test_one_half_is_not_carried(report: str, organ: str, caption: str) -> None:
    assert not accepted(report, organ, caption)
