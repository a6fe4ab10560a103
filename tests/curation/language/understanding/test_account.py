"""On which unknown words a passage rests. The words that we do not know are invented here, so that none gets listed."""

from __future__ import annotations

from functools import cache

import pytest

from curation.language.parser import StatementParser
from curation.language.understanding.account import account_of
from curation.language.understanding.passages import passages_of


@cache
def parser() -> StatementParser:
    return StatementParser()


def unknown_words(text: str) -> list[str]:
    statement = parser().parse(text)
    return [statement.text_of(term) for passage in passages_of(statement) for term in account_of(passage).unknown]


RESTS_ON = [
    ("The spleen is glimmery.", ["glimmery"]),
    ("Wibbled wandering of the left kidney.", ["Wibbled", "wandering"]),
    ("Dissolution of the thrombus in the renal vein.", ["Dissolution"]),
    ("The thrombus in the portal vein has vaporized.", ["vaporized"]),
    ("The stone was zapped.", ["zapped"]),
    ("The liver flogs cysts.", ["flogs"]),
    ("Barely normal spleen.", ["Barely"]),
    ("The adrenal gland is glimmery normal.", ["glimmery"]),
    ("Given the normal lipase.", ["lipase"]),
    ("The spleen is related to age, given the normal wibble.", ["wibble"]),
    ("Mild ropiness of the pancreas.", ["ropiness"]),
    ("Nonspecific ropiness of the pancreas.", ["ropiness"]),
    ("No clot, aorta wobbled.", ["wobbled"]),
    ("The pancreas is normal with a wibble.", ["wibble"]),
    ("A rope of 12 mm in the spleen.", ["rope"]),
]
DOES_NOT_REST_ON = [
    "A ropy cyst in the liver.",
    "No ropy cyst in the liver.",
    "The cyst in the liver is glimmery.",
    "The girth of the spleen is normal.",
    "Normal girth of the spleen.",
    "The normal girth of the spleen.",
    "The spleen is of normal girth.",
    "The girth of the spleen is increased.",
    "Stent in the left ureter, which is wibbled.",
    "Enlarged lymph nodes along the wibbled vessels.",
    "Panniculitis of the mesentery.",
    "Perivibular thickening.",
    "Vacuum change in the disc.",
    "No acute process.",
    "No destructive change of bone.",
    "High signal of the left temporal lobe.",
    "Reversal of the normal cervical lordosis.",
    "The aorta is wider than normal.",
]


@pytest.mark.parametrize(("text", "words"), RESTS_ON)
def test_a_passage_rests_on_unknown_words(text: str, words: list[str]) -> None:
    assert unknown_words(text) == words


@pytest.mark.parametrize("text", DOES_NOT_REST_ON)
def test_a_passage_does_not_rest_on_unknown_words(text: str) -> None:
    assert unknown_words(text) == []


@pytest.mark.parametrize(
    ("text", "says_something"),
    [
        ("The spleen is similar.", False),
        ("The spleen.", False),
        ("The spleen measures 11 cm.", True),
        ("The spleen is absent.", True),
        ("Several lymph nodes.", True),
        ("Enlarged spleen.", True),
        ("Unremarkable spleen.", True),
    ],
)
def test_what_says_something(text: str, says_something: bool) -> None:
    assert [account_of(passage).says_something for passage in passages_of(parser().parse(text))] == [says_something]


@pytest.mark.parametrize(
    ("text", "affirms"), [("A cyst.", True), ("Possible cyst.", True), ("No cyst.", False), ("Normal spleen.", False)]
)
def test_what_affirms_a_finding(text: str, affirms: bool) -> None:
    assert [account_of(passage).affirms_finding for passage in passages_of(parser().parse(text))] == [affirms]
