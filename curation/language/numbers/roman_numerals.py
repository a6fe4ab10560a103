"""Roman numerals of grades and types: "grade II" is grade 2, "type I endoleak" one of type 1."""

from __future__ import annotations

from ..tokens import Token

_NUMBERED = frozenset("grade grades type types stage class category zone bosniak".split())
_NUMERALS = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6"}


def with_arabic_numerals(tokens: list[Token]) -> list[Token]:
    """Return the tokens with the Roman numerals behind a word for a grade or type as numbers."""
    if _NUMBERED.isdisjoint([token.word for token in tokens]):
        return tokens
    for at, token in enumerate(tokens[1:], start=1):
        if token.word in _NUMERALS and tokens[at - 1].word in _NUMBERED:
            number = _NUMERALS[token.word]
            tokens[at] = token._replace(word=number, stem=number)
    return tokens
