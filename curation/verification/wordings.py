"""How the statements of a report are read: as they stand, or as the plain sentences that a form line means."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from curation.language.forms.lines import side_cut
from curation.language.forms.reader import FormReader, may_be_form
from curation.language.parser import CACHED_STATEMENTS, StatementParser


class Wording(NamedTuple):
    """What ``text[first:last]`` of a clean text says; ``is_field``: it is that of a form line."""

    text: str
    first: int
    last: int
    is_field: bool


_WORD = re.compile(r"[^\W_]+")
_WORDS_OF_ANSWERS = frozenset(
    "yes no y n none nil not seen present absent positive negative pos neg ve true false detected identified x nad a d "
    "np p wnl w l ok okay normal".split()
)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


class Wordings:
    """Words statements, once for each that recurs."""

    def __init__(self, parser: StatementParser) -> None:
        self._forms = FormReader(parser)
        self._may_be_form = lru_cache(maxsize=CACHED_STATEMENTS)(may_be_form)
        self._cached_sentences = lru_cache(maxsize=CACHED_STATEMENTS)(self._forms.read)

    def of_caption(self, caption: str, report: str) -> tuple[str, ...] | None:
        """Return what a caption says that is written as a form line; None for one that is none.

        What a form line says beside what is understood is left out of its sentences. A caption may not say it either,
        unless it repeats a line of the report.
        """
        sentences = self._cached_sentences(caption, False) if self._may_be_form(caption) else None
        if sentences is None:
            return None
        words = {word for sentence in sentences for word in _words(sentence.text)}
        if words.issuperset(_words(caption) - _WORDS_OF_ANSWERS) or " ".join(caption.split()) in " ".join(
            report.split()
        ):
            return tuple(sentence.text for sentence in sentences)
        return None

    def of_statement(self, text: str, first: int, minus_is_no: bool, led_by_minus: bool = False) -> list[Wording]:
        """Return the wordings of the statement ``text`` that begins at ``first``; none for a field that says nothing.

        ``minus_is_no``: a lone dash in a field denies (``forms.signs.minus_denies``). ``led_by_minus``: a dash that
        may be a minus stands before the statement; a finding is then neither affirmed nor denied.
        """
        if led_by_minus and self._forms.asks_for_finding(text):
            return []
        sentences = self._cached_sentences(text, minus_is_no) if self._may_be_form(text) else None
        if sentences is None:
            if not (cut := side_cut(text)):
                return [Wording(text, first, first + len(text), is_field=False)]
            rest = text[cut + 1 :].lstrip()
            label = text.partition(":")[0]
            return [
                Wording(text[:cut], first, first + cut, is_field=False),
                Wording(f"{label}: {rest}", first + len(text) - len(rest), first + len(text), is_field=False),
            ]
        return [Wording(s.text, first + s.start, first + s.end, is_field=True) for s in sentences]
