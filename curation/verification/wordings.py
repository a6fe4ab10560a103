"""How the statements of a report are read: as they stand, or as the plain sentences that a form line means."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from curation.language.forms.reader import FormReader, PlainSentence
from curation.language.parser import CACHED_STATEMENTS, StatementParser


class Wording(NamedTuple):
    """What ``text[first:last]`` of a clean text says; ``is_field``: it is that of a form line."""

    text: str
    first: int
    last: int
    is_field: bool


class Wordings:
    """Words statements, once for each that recurs."""

    def __init__(self, parser: StatementParser) -> None:
        self._cached_sentences = lru_cache(maxsize=CACHED_STATEMENTS)(FormReader(parser).read)

    def plain_sentences(self, text: str) -> tuple[PlainSentence, ...] | None:
        """Return what a caption says that is written as a form line; None for one that is not."""
        return self._cached_sentences(text, False)

    def of_statement(self, text: str, first: int, minus_is_no: bool) -> list[Wording]:
        """Return the wordings of the statement ``text`` that begins at ``first``; none for a field that says nothing.

        ``minus_is_no``: a lone dash in a field denies (``forms.reader.minus_denies``).
        """
        sentences = self._cached_sentences(text, minus_is_no)
        if sentences is None:
            return [Wording(text, first, first + len(text), is_field=False)]
        return [Wording(s.text, first + s.start, first + s.end, is_field=True) for s in sentences]
