"""Bounds and approximations around a number."""

from __future__ import annotations

import pytest

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.numbers.measurements import find_measures
from curation.language.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("less than 5 mm", "<"), ("<5 mm", "<"), ("\uff1c5mm", "<"), ("sub-5 mm", "<"), ("below about 5 mm", "<"),
        ("≤5 mm", "≤"), ("<= 5 mm", "≤"), ("5 mm or less", "≤"), ("not exceeding 5 mm", "≤"),
        ("no more than 5 mm", "≤"),
        ("more than 5 mm", ">"), ("> 5 mm", ">"), ("≥5 mm", "≥"), ("at least 5 mm", "≥"), ("5 mm or more", "≥"),
        ("up to 5 mm", "up to"), ("max. 5 mm", "up to"), ("the largest 5 mm", "up to"),
        ("the largest of which measures about 5 mm", "up to"),
        ("5 mm", ""), ("about 5 mm", ""), ("~5 mm", ""), ("approx. 5 mm", ""), ("the largest node and 5 mm", ""),
    ],
)  # fmt: skip
def test_bound(text: str, bound: str) -> None:
    (measure,) = find_measures(tokenize(text), load_lexicon().numbers)
    assert (measure.bound, measure.values) == (bound, (5,))


@pytest.mark.parametrize(
    ("text", "value"), [("a subcentimeter node", 10), ("sub-centimetric", 10), ("sub cm", 10), ("submillimetric", 1)]
)
def test_a_unit_with_a_bound_in_it(text: str, value: float) -> None:
    (measure,) = find_measures(tokenize(text), load_lexicon().numbers)
    assert (measure.kind, measure.bound, measure.values) == ("length", "<", (value,))


@pytest.mark.parametrize(
    ("text", "several"),
    [
        ("5 mm nodules", True), ("5 mm hypodense nodules", True), ("nodules measuring 5 mm", True),
        ("5 mm nodule", False),
        ("nodules, one of 5 mm", False), ("5 mm thick", False), ("5 mm nodule in the lungs", False),
    ],
)  # fmt: skip
def test_size_of_several(text: str, several: bool) -> None:
    measure = find_measures(tokenize(text), load_lexicon().numbers)[-1]
    assert measure.of_several == several
