"""Words that only say that an operation was done are implied by it, in whatever order."""

from __future__ import annotations

import pytest

from curation.language.parser import StatementParser

PARSER = StatementParser()


def required_words(text: str) -> list[str]:
    """Return the findings and qualities of a text that say more than that an operation was done."""
    terms = PARSER.parse(text).terms
    return [PARSER.parse(text).text_of(term) for term in terms if term.kind != "organ" and not term.implied]


@pytest.mark.parametrize(
    "text",
    [
        "Status post splenectomy",
        "Prior splenectomy",
        "Postsurgical changes of splenectomy",
        "Postoperative changes related to a prior splenectomy",
        "Post-splenectomy state",
        "Postsplenectomy status",
        "Splenectomy changes",
    ],
)
def test_states_of_an_operation_say_no_more(text: str) -> None:
    assert [word.lower() for word in required_words(text)] == ["splenectomy"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Prior cancer surgery", ["Prior", "cancer", "surgery"]),
        ("Changes of the liver after splenectomy", ["Changes", "splenectomy"]),
        ("Splenectomy with changes", ["Splenectomy", "changes"]),
        ("Prior pterional craniotomy", ["pterional", "craniotomy"]),
    ],
)
def test_other_words_say_more(text: str, words: list[str]) -> None:
    assert required_words(text) == words
