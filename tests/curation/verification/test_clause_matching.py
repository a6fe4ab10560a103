"""Clauses kept apart: a caption that mixes what two clauses or statements say is refused."""

from __future__ import annotations

import pytest

from curation.caption import Reason

from .caption_cases import (
    CROSSED,
    FOREIGN,
    UNSAID,
    PairTable,
    accepted_of_pairs,
    assert_accepted,
    assert_names_one_case_each,
    assert_refused,
    cases,
    refused_of_pairs,
)

MERGED = [
    (
        "There is a cyst in the liver. The spleen is enlarged.",
        "liver",
        "Cyst in the liver.",
        "The liver is enlarged.",
    ),
    (
        "A 5 mm stone in the left kidney. A 12 mm cyst in the left kidney.",
        "left kidney",
        "5 mm stone in the left kidney",
        "A 12 mm stone in the left kidney.",
    ),
    (
        "There is a mass in the colon. There is a 9 mm cyst in the liver.",
        "colon",
        "Mass in the colon.",
        "A 9 mm mass in the colon.",
    ),
    (
        "A calcified nodule in the left lung. Emphysema in the right lung.",
        "left lung",
        "Calcified nodule in the left lung.",
        "Calcified emphysema in the left lung.",
    ),
]

SWAPPED = [
    (
        "A 5 mm nodule in the right upper lobe and a 3 mm nodule in the left lower lobe.",
        "right upper lobe",
        "5 mm nodule in the right upper lobe.",
        "3 mm nodule in the right upper lobe.",
    ),
    (
        "There is a stone in the right kidney and a cyst in the left kidney.",
        "left kidney",
        "Cyst in the left kidney.",
        "Stone in the left kidney.",
    ),
    (
        "Mild emphysema in the right lung and severe bronchiectasis in the left lung.",
        "right lung",
        "Mild emphysema in the right lung.",
        "Severe emphysema in the right lung.",
    ),
    (
        "A calcified nodule in the right lung and a cavitary mass in the left lung.",
        "left lung",
        "Cavitary mass in the left lung.",
        "Calcified mass in the left lung.",
    ),
    (
        "No stone in the right kidney but a 5 mm stone in the left kidney.",
        "right kidney",
        "No stone in the right kidney.",
        "5 mm stone in the right kidney.",
    ),
]

UNFAITHFUL = [
    # too many
    ("Cyst in the liver.", "liver", "Cyst in the liver and spleen.", FOREIGN),
    (
        "Cyst in the left kidney. Stone in the right kidney.",
        "left kidney",
        "Cyst and stone in the left kidney.",
        UNSAID,
    ),
    ("Stone in the left kidney.", "left kidney", "Stones in both kidneys.", (Reason.LATERALITY,)),
]

PAIRS: list[PairTable] = [
    ("merged", (Reason.MEASUREMENT, *UNSAID, Reason.WRONG_ORGAN), MERGED),
    ("swapped", (*CROSSED, Reason.NEGATION), SWAPPED),
]
KNOWN_FAILURES: dict[str, str] = {
    "unfaithful: Stones in both kidneys.": "refused as not_grounded, not as laterality",
}
"""Cases that the code gets wrong, with the reason."""

ACCEPTED = accepted_of_pairs(PAIRS, KNOWN_FAILURES)
REFUSED = refused_of_pairs(PAIRS, KNOWN_FAILURES) + cases("unfaithful", UNFAITHFUL, KNOWN_FAILURES)


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_what_the_report_says_is_accepted(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption", "reasons"), REFUSED)
def test_what_it_does_not_say_is_refused(report: str, organ: str, caption: str, reasons: tuple[Reason, ...]) -> None:
    assert_refused(report, organ, caption, reasons)


def test_each_known_failure_names_one_case() -> None:
    assert_names_one_case_each(KNOWN_FAILURES, ACCEPTED + REFUSED)
