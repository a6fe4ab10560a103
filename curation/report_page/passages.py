"""The passages of a report that a caption is shown beside: its evidence, or what is most like a refused caption."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz

from curation.language.statements import Span, split_statements

MIN_SHARED_WORDS = 1 / 3
"""Share of a caption's words that a statement must have, to be shown rather than none."""
_WORD = re.compile(r"\w+")


def utf16_offsets(text: str) -> Callable[[int], int]:
    """Return a function from offsets in characters of a text to offsets in UTF-16 units, in which browsers count."""
    wide = [offset for offset, char in enumerate(text) if ord(char) > 0xFFFF] if text and max(text) > "\uffff" else []
    return lambda offset: offset + sum(position < offset for position in wide)


def utf16_span(span: tuple[int, int], to_utf16: Callable[[int], int]) -> list[int]:
    """Return start and end of a span in UTF-16 units."""
    return [to_utf16(span[0]), to_utf16(span[1])]


def evidence_or_nearest(
    text: str, start: int | None, end: int | None, nearest: str | None, caption: str
) -> Span | None:
    """Return where the evidence of an accepted caption stands, or what is most like a refused one."""
    if start is not None and end is not None:
        return Span(start, end)
    return most_similar_passage(text, nearest or caption)


def most_similar_passage(text: str, words: str) -> Span | None:
    """Return where some words stand in a text, else the statement that shares most of them, ``None`` without any."""
    if not (word_set := set(_WORD.findall(words.lower()))):
        return None
    if (start := text.find(words)) >= 0:
        return _whole_words(text, start, start + len(words))
    best = max((_Similarity.of(word_set, words, text, span) for span in _statements(text)), default=None)
    return best.span if best and best.shared_words >= MIN_SHARED_WORDS * len(word_set) else None


@lru_cache(maxsize=4)
def _statements(text: str) -> list[Span]:
    """Split a report once for all of its captions."""
    return split_statements(text)


class _Similarity(NamedTuple):
    """The similarity of a statement: in words, then in letters; of two equally similar ones the earlier is greater."""

    shared_words: int
    letter_ratio: float
    negative_start: int
    span: Span

    @classmethod
    def of(cls, word_set: set[str], words: str, text: str, span: Span) -> _Similarity:
        statement = text[span.start : span.end].lower()
        shared_words = len(word_set.intersection(_WORD.findall(statement)))
        return cls(shared_words, fuzz.ratio(words.lower(), statement), -span.start, span)


def _whole_words(text: str, start: int, end: int) -> Span:
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return Span(start, end)
