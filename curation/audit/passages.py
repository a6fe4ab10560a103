"""Which words of a report a caption is shown beside."""

from __future__ import annotations

from typing import NamedTuple

from rapidfuzz import fuzz

LEAST_LIKE = 60.0
"""Percent of likeness under which no passage is shown rather than any."""


class Span(NamedTuple):
    """Characters of a report's text."""

    start: int
    end: int


def likest(text: str, words: str) -> Span | None:
    """The stretch of a text that is most like some words, letter by letter; ``None`` where nothing is."""
    if not words.strip():
        return None
    if (start := text.find(words)) >= 0:
        return _whole_words(text, start, start + len(words))
    folded = text.lower()
    if len(folded) != len(text):  # a few letters have more than one small letter
        folded = text
    found = fuzz.partial_ratio_alignment(words.lower(), folded, score_cutoff=LEAST_LIKE)
    if found is None or found.dest_end <= found.dest_start:
        return None
    return _whole_words(text, found.dest_start, found.dest_end)


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
