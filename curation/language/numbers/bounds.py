"""Bounds and approximations around a number: "less than 5 mm", "5 mm or less", "about 5 mm", "the largest 5 mm"."""

from __future__ import annotations

from collections.abc import Sequence

from curation.language.tokens import Token
from curation.language.word_lists import ARTICLES, FUNCTION_WORDS, VERBS

from .measurement_words import (
    APPROXIMATIONS,
    BOUNDS,
    BOUNDS_BEHIND,
    FILLERS_BEHIND_LARGEST,
    LARGEST,
    LAST_WORDS_OF_BOUNDS,
)

_REACH_OF_LARGEST = 6
_REACH_OF_NOUN = 4
_WORDS_BEFORE_A_SIZE = frozenset("of measuring measure with sized about up to".split())


def bound_before(tokens: Sequence[Token], at: int, free_from: int) -> tuple[int, str]:
    """Return where the words for the bound of a number at ``at`` begin, and the bound; (``at``, "") without any.

    Words of approximation are passed over: they say nothing. Tokens before ``free_from`` belong to the number before.
    """
    start = _before_approximation(tokens, at, free_from)
    bound = ""
    if start > free_from and tokens[start - 1].word in LAST_WORDS_OF_BOUNDS:
        for words, name in BOUNDS:
            first = start - len(words)
            if words[-1] != tokens[start - 1].word:
                continue
            if first >= free_from and all(tokens[first + i].word == word for i, word in enumerate(words)):
                start, bound = _before_approximation(tokens, first, free_from), name
                break
    if not bound and _is_behind_largest(tokens, start, free_from):
        bound = "up to"
    return start, bound


def bound_behind(tokens: Sequence[Token], at: int) -> tuple[int, str]:
    """Return the index behind the words for a bound at ``at`` ("5 mm or less"), and the bound; (``at``, "") else."""
    words = [token.word for token in tokens[at : at + 2]]
    if len(words) == 2 and words[0] in ("or", "and") and words[1] in BOUNDS_BEHIND:
        return at + 2, BOUNDS_BEHIND[words[1]]
    return at, ""


def is_of_several(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Tell whether a size is that of several things: "5 mm nodules", "nodules of 5 mm"."""
    for token in tokens[end : end + _REACH_OF_NOUN]:
        if not token.word[0].isalpha():
            if token.word != "-":
                break
        elif token.word in FUNCTION_WORDS or token.word in VERBS:
            break
        elif _is_plural(token.word):
            return True
    at = start - 1
    while at >= 0 and tokens[at].word in _WORDS_BEFORE_A_SIZE:
        at -= 1
    return 0 <= at < start - 1 and _is_plural(tokens[at].word)


def _before_approximation(tokens: Sequence[Token], at: int, free_from: int) -> int:
    """Return where the words of approximation before ``at`` begin: "approx. 5 mm"."""
    start = at
    if start - 2 >= free_from and tokens[start - 1].word == "." and tokens[start - 2].word in APPROXIMATIONS:
        start -= 1
    while start > free_from and tokens[start - 1].word in APPROXIMATIONS:
        start -= 1
    return start


def _is_behind_largest(tokens: Sequence[Token], at: int, free_from: int) -> bool:
    """Tell whether a number is that of the largest of several: "nodules, the largest of which measures 5 mm"."""
    for index in range(at - 1, max(free_from, at - _REACH_OF_LARGEST) - 1, -1):
        word = tokens[index].word
        if word in LARGEST:
            return True
        if word not in FILLERS_BEHIND_LARGEST and word not in ARTICLES:
            return False
    return False


def _is_plural(word: str) -> bool:
    return word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is", "ous"))
