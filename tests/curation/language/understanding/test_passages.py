"""What a statement says passage by passage, and of which organs."""

from __future__ import annotations

from functools import cache

import pytest

from curation.language.parser import StatementParser
from curation.language.understanding.passages import passages_of


@cache
def parser() -> StatementParser:
    return StatementParser()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The spleen is normal with atrophy of the pancreas",
            [("The spleen is normal", ["spleen"]), ("with atrophy of the pancreas", ["pancreas"])],
        ),
        (
            "Normal size of the uterus with a thickened wall",
            [("Normal size of the uterus", ["uterus"]), ("with a thickened wall", ["uterus"])],
        ),
        ("A cyst with a thin wall in the liver", [("A cyst", ["liver"]), ("with a thin wall in the liver", ["liver"])]),
        (
            "Heart normal without pericardial effusion",
            [("Heart normal", ["heart"]), ("without pericardial effusion", ["pericardium"])],
        ),
        ("The liver with its cysts", [("The liver with its cysts", ["liver"])]),
        (
            "Findings consistent with a cyst of the spleen",
            [("Findings consistent with a cyst of the spleen", ["spleen"])],
        ),
        ("Liver: normal, spleen enlarged", [("normal", ["liver"]), ("spleen enlarged", ["spleen"])]),
        ("Liver and spleen are normal", [("Liver", ["liver"]), ("spleen are normal", ["spleen"])]),
    ],
)
def test_passages(text: str, expected: list[tuple[str, list[str]]]) -> None:
    statement = parser().parse(text)
    passages = passages_of(statement)
    assert [(statement.text_between(p.start, p.end), [term.key for term in p.sites]) for p in passages] == expected


def test_only_the_first_passage_of_a_clause_takes_what_others_say() -> None:
    statement = parser().parse("The liver, and the spleen with a cyst, are enlarged")
    liver = passages_of(statement)[0]
    assert [term.kind for term in liver.own] == ["organ"]
    assert liver.terms[: len(liver.own)] == liver.own
