"""Phrases of comparison, reports of an earlier day, and operations."""

from __future__ import annotations

import pytest

from curation.language.assertion import Polarity
from curation.language.parser import StatementParser

PARSER = StatementParser()


def polarity_of(sentence: str, word: str) -> Polarity:
    """How the term that ``word`` begins is meant."""
    parse = PARSER.parse(sentence)
    return next(term.polarity for term in parse.terms if parse.text_of(term).startswith(word))


@pytest.mark.parametrize(
    "sentence",
    [
        "Larger compared to the previous examination.",
        "Larger compared with the prior CT.",
        "Larger relative to the last study.",
        "Larger since the prior.",
        "Larger than on the previous exam.",
        "Larger as compared to the prior chest CT.",
    ],
)
def test_comparisons_mean_the_same(sentence: str) -> None:
    keys = {term.key for term in PARSER.parse(sentence).terms}
    assert "comparison" in keys
    assert "time:previous" not in keys


@pytest.mark.parametrize(
    ("sentence", "polarity"),
    [
        ("The prior CT showed a cyst in the spleen.", Polarity.EARLIER),
        ("The MRI of 2018 demonstrated a cyst in the spleen.", Polarity.EARLIER),
        ("A cyst was seen on the previous examination.", Polarity.EARLIER),
        ("On the CT of 3/4/2019 there was a cyst.", Polarity.EARLIER),
        ("History of a cyst.", Polarity.EARLIER),
        ("No history of a cyst.", Polarity.NEGATED),
        ("The CT shows a cyst in the spleen.", Polarity.AFFIRMED),
        ("CT showed a cyst in the spleen.", Polarity.AFFIRMED),
        ("Compared to the prior CT there is a cyst.", Polarity.AFFIRMED),
        ("A cyst was seen on the prior CT and is unchanged.", Polarity.AFFIRMED),
    ],
)
def test_what_is_told_of_an_earlier_day(sentence: str, polarity: Polarity) -> None:
    assert polarity_of(sentence, "cyst") == polarity


@pytest.mark.parametrize("words", ["Prior", "Previous", "Status post", "S/p", "History of", ""])
def test_an_operation_is_past_by_nature(words: str) -> None:
    assert [term.key for term in PARSER.parse(f"{words} pyeloplasty.".strip()).terms] == ["pyeloplasti"]


@pytest.mark.parametrize(
    ("sentence", "word", "polarity"),
    [
        ("Changes consistent with a sternotomy.", "sternotomy", Polarity.AFFIRMED),
        ("Changes compatible with prior right hemicolectomy.", "hemicolectomy", Polarity.AFFIRMED),
        ("Density in keeping with a ureteral stent.", "ureteral stent", Polarity.AFFIRMED),
        ("Changes consistent with postoperative infection.", "infection", Polarity.ATTRIBUTED),
        ("Possible prior sternotomy.", "sternotomy", Polarity.UNCERTAIN),
        ("Probable prior sternotomy.", "sternotomy", Polarity.PROBABLE),
    ],
)
def test_there_are_no_opinions_on_operations_and_devices(sentence: str, word: str, polarity: Polarity) -> None:
    assert polarity_of(sentence, word) == polarity


@pytest.mark.parametrize(
    ("sentence", "is_there_today"),
    [
        ("A nodule in the left lung, not present on the exam of 5/2024.", True),
        ("A nodule in the left lung, not visible in 2019.", True),
        ("A nodule in the left lung, not seen before.", True),
        ("A nodule in the left lung was not seen in the previous CT.", True),
        ("The nodule in the left lung is not seen on this CT.", False),
        ("The nodule of 2019 is not seen in the left lung.", False),
        ("The nodule was not seen before the biopsy.", False),
    ],
)
def test_what_was_not_there_on_an_earlier_day_is_there_today(sentence: str, is_there_today: bool) -> None:
    nodule = next(term for term in StatementParser().parse(sentence).terms if "nodul" in term.key)
    assert (nodule.polarity == Polarity.AFFIRMED) == is_there_today
