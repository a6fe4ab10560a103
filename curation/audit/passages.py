"""Which words of a report a caption is shown beside."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz

from curation.language.statements import Span, split_statements

LEAST_SHARED = 1 / 3
"""Share of a caption's words that a statement must have, to be shown rather than none."""
_WORD = re.compile(r"\w+")


def likest(text: str, words: str) -> Span | None:
    """Where some words stand in a text; else the statement that shares most of them, ``None`` where none does."""
    if not (wanted := set(_WORD.findall(words.lower()))):
        return None
    if (start := text.find(words)) >= 0:
        return _whole_words(text, start, start + len(words))
    best = max((_Likeness.of(wanted, words, text, span) for span in _statements(text)), default=None)
    return best.span if best and best.shared >= LEAST_SHARED * len(wanted) else None


@lru_cache(maxsize=4)
def _statements(text: str) -> list[Span]:
    """Cut once for all captions of a report."""
    return split_statements(text)


class _Likeness(NamedTuple):
    """How like a statement is: in words, then in letters; of two that are equally like, the earlier one."""

    shared: int
    ratio: float
    before: int
    span: Span

    @classmethod
    def of(cls, wanted: set[str], words: str, text: str, span: Span) -> _Likeness:
        statement = text[span.start : span.end].lower()
        shared = len(wanted.intersection(_WORD.findall(statement)))
        return cls(shared, fuzz.ratio(words.lower(), statement), -span.start, span)


def _whole_words(text: str, start: int, end: int) -> Span:
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return Span(start, end)


def passage(text: str, start: int | None, end: int | None, nearest: str | None, caption: str) -> Span | None:
    """Where the evidence of an accepted caption stands, or what came nearest to a refused one."""
    if start is not None and end is not None:
        return Span(start, end)
    return likest(text, nearest or caption)
