"""A number as reports write it: digits, decimals, thousands, fractions ("1 1/2"), words ("twenty-one")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from curation.language.tokens import Token

from .measurement_words import UNITS, VULGAR_FRACTIONS

_WHOLE = re.compile(r"\d+$")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+$")
_DECIMAL = re.compile(r"\d+[.,]\d+$")
_DENOMINATORS = frozenset(("2", "3", "4", "5", "8", "16"))
_HALVES = frozenset(("half", "½"))


class WrittenNumber(NamedTuple):
    """A value, and the index behind its last token."""

    value: float
    end: int


def read_number(tokens: Sequence[Token], at: int, number_words: Mapping[str, int]) -> WrittenNumber | None:
    """Return the number that begins at ``at``, None where none does: "1 1/2" is 1.5, "twenty one" is 21."""
    word = tokens[at].word
    if word in number_words:
        return _of_words(tokens, at, number_words)
    if word in VULGAR_FRACTIONS:
        return WrittenNumber(VULGAR_FRACTIONS[word], at + 1)
    if _WHOLE.match(word):
        return _with_fraction(tokens, at, float(word)) or _fraction(tokens, at) or WrittenNumber(float(word), at + 1)
    if _THOUSANDS.match(word):
        return WrittenNumber(float(word.replace(",", "")), at + 1)
    if _DECIMAL.match(word):
        return WrittenNumber(float(word.replace(",", ".")), at + 1)
    return None


def touches(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether no white space stands between the tokens at ``at`` and behind it."""
    return at >= 0 and at + 1 < len(tokens) and tokens[at].end == tokens[at + 1].start


def is_ratio(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether the number at ``at`` is the first of a ratio: "2/3 of the lung"."""
    is_slashed = at + 2 < len(tokens) and tokens[at + 1].word == "/" and bool(_WHOLE.match(tokens[at + 2].word))
    return is_slashed and touches(tokens, at) and touches(tokens, at + 1)


def is_unit(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a unit stands at ``at``; a hyphen may precede it."""
    if at < len(tokens) and tokens[at].word == "-":
        at += 1
    return at < len(tokens) and tokens[at].word in UNITS


def _with_fraction(tokens: Sequence[Token], at: int, whole: float) -> WrittenNumber | None:
    """Return a whole number with the fraction behind it: "1½", "1 1/2", "1-1/2 cm", "1 and 1/2 cm"."""
    following = at + 1
    if following >= len(tokens):
        return None
    word = tokens[following].word
    if word in VULGAR_FRACTIONS:
        return WrittenNumber(whole + VULGAR_FRACTIONS[word], following + 1)
    fraction = _fraction(tokens, following, alone=False)
    if fraction is None and word in ("-", "and"):
        fraction = _fraction(tokens, following + 1)
    return None if fraction is None else WrittenNumber(whole + fraction.value, fraction.end)


def _fraction(tokens: Sequence[Token], at: int, *, alone: bool = True) -> WrittenNumber | None:
    """Return a fraction such as "1/2"; ``alone`` it is one only before a unit, since "grade 1/2" is none."""
    if at + 2 >= len(tokens) or tokens[at + 1].word != "/" or tokens[at + 2].word not in _DENOMINATORS:
        return None
    numerator, denominator = tokens[at].word, tokens[at + 2].word
    if not _WHOLE.match(numerator) or not 0 < int(numerator) < int(denominator):
        return None
    is_longer = at + 3 < len(tokens) and tokens[at + 3].word == "/"  # a date
    if is_longer or not touches(tokens, at) or not touches(tokens, at + 1) or (alone and not is_unit(tokens, at + 3)):
        return None
    return WrittenNumber(int(numerator) / int(denominator), at + 3)


def _of_words(tokens: Sequence[Token], at: int, number_words: Mapping[str, int]) -> WrittenNumber:
    """Return a number in words: "twenty", "twenty-one", "one hundred and five", "one and a half"."""
    value, end = float(number_words[tokens[at].word]), at + 1
    if value < 10 and _word(tokens, end) == "hundred":
        value, end = value * 100, end + 1
    if value >= 100:
        smaller = end + 1 if _word(tokens, end) == "and" else end
        if 0 < number_words.get(_word(tokens, smaller), 0) < 100:
            rest = _of_words(tokens, smaller, number_words)
            return WrittenNumber(value + rest.value, rest.end)
    elif value >= 20 and value % 10 == 0:
        digit = end + 1 if _word(tokens, end) == "-" else end
        if 0 < number_words.get(_word(tokens, digit), 0) < 10:
            return WrittenNumber(value + number_words[_word(tokens, digit)], digit + 1)
    if [_word(tokens, end), _word(tokens, end + 1)] == ["and", "a"] and _word(tokens, end + 2) in _HALVES:
        return WrittenNumber(value + 0.5, end + 3)
    return WrittenNumber(value, end)


def _word(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].word if at < len(tokens) else ""
