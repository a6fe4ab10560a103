"""What follows from a measure."""

from __future__ import annotations

import pytest

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.numbers.measurements import Measure, find_measures
from curation.language.tokens import tokenize


def measure_of(text: str) -> Measure:
    return find_measures(tokenize(text), load_lexicon().numbers)[-1]


@pytest.mark.parametrize(
    ("evidence", "claim", "follows"),
    [
        ("12 mm", "1.2 cm", True), ("12 mm", "12.4 mm", False), ("about 5 cm", "5 cm", True),
        ("5 cm", "roughly 5 cm", True),
        ("12 x 9 mm", "9 x 12 mm", True), ("12 x 9 mm", "12 mm", True), ("12 x 12 mm", "12 x 9 mm", False),
        ("5-10 mm", "10 mm", False), ("5-10 mm", "5 mm", False), ("5-10 mm", "5 to 10 mm", True),
        ("5-10 mm", "up to 10 mm", True), ("5-10 mm", "up to 5 mm", False), ("5-10 mm", "at least 5 mm", True),
        ("5 x 10 mm", "5-10 mm", False),
        ("<5 mm", "5 mm", False), ("<5 mm", "up to 5 mm", False), ("<5 mm", "5 mm or less", True),
        ("5 mm or less", "<5 mm", False), ("at least 5 mm", "more than 5 mm", False), (">5 mm", "at least 5 mm", True),
        ("<1 cm", "subcentimeter", True), ("subcentimeter", "1 cm", False), ("5 mm", "subcentimeter", False),
        ("up to 5 mm", "a 5 mm nodule", True), ("up to 5 mm", "5 mm nodules", False), ("5 mm", "up to 5 mm", False),
        ("largest 5 mm", "up to 5 mm", True),
        ("previously 5 mm", "5 mm", False), ("5 mm", "previously 5 mm", False), ("5 mm previously", "prior 5 mm", True),
        ("1.5 cm AP x 1.8 cm TR", "1.5 x 1.8 cm", True), ("1.5 cm AP x 1.8 cm TR", "1.8 cm transverse", True),
        ("1.5 cm AP x 1.8 cm TR", "1.5 cm transverse", False),
    ],
)  # fmt: skip
def test_follows(evidence: str, claim: str, follows: bool) -> None:
    assert measure_of(evidence).carries(measure_of(claim)) == follows


@pytest.mark.parametrize(
    ("text", "narrows"), [("5 mm", True), ("grade 2", True), ("since 2019", False), ("image 4", False)]
)
def test_what_narrows_a_denial(text: str, narrows: bool) -> None:
    assert measure_of(text).narrows_denial == narrows
