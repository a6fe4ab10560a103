"""Typing errors in long words: which are corrected, and which words are others."""

from __future__ import annotations

import pytest

from curation.language.lexicon.spelling import Speller
from curation.language.parser import StatementParser

PARSER = StatementParser()


def stem_of(word: str) -> str:
    return PARSER.parse(word).stems[0]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("atalectasis", "atelectasis"),
        ("ateletasis", "atelectasis"),
        ("consoldiation", "consolidation"),
        ("hydronephorsis", "hydronephrosis"),
        ("diverticulosos", "diverticulosis"),
        ("pneummothorax", "pneumothorax"),
        ("pleuraparanchymal", "pleuroparenchymal"),
        ("intervertberal", "intervertebral"),
    ],
)
def test_a_long_word_with_a_typing_error_is_the_word_that_is_known(typed: str, meant: str) -> None:
    assert stem_of(typed) == stem_of(meant)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("extramural", "extradural"),  # another consonant
        ("intralobular", "interlobular"),
        ("hypovascular", "hypervascular"),
        ("thoracotomy", "thoracostomy"),
        ("subscapular", "subcapsular"),
        ("osteochondrosis", "osteochondroma"),
        ("retrocisternal", "retrosternal"),
        ("cysts", "cyst"),  # short, and told by its stem
        ("ileum", "ilium"),
        ("arteritis", "arthritis"),
    ],
)
def test_another_word_is_left_as_it_is(word: str, other: str) -> None:
    assert stem_of(word) == PARSER.lexicon.base(PARSER.parse(word).tokens[0])
    assert word == "cysts" or stem_of(word) != stem_of(other)


def test_a_word_near_to_two_known_ones_or_known_elsewhere_is_left() -> None:
    speller = Speller(["anterobasal", "anterabasal", "posterobasal"], lambda: ["posterbasal"])
    assert speller.correct("anteribasal") == "anteribasal"
    assert speller.correct("posterbasal") == "posterbasal"
    assert speller.correct("postorobasal") == "posterobasal"
