"""Where identifiers stand in a text, and the same text with marks in their places."""

from __future__ import annotations

import re
from collections.abc import Iterable

from curation.cleaning.clean_text import clean_text
from curation.cleaning.redaction_marks import IDENTITY_MARK

from .dates import dates_in
from .identifiers import Identifier, IdentifierKind
from .names import names_in
from .numbers import numbers_in

_MARKS = re.compile(f"{IDENTITY_MARK}+")
# "Dr.&nbsp;Smith", "Dr. <b>Smith</b>", "Dr.\\.br\\Smith": looked through as they are shown, too.
_DRESSED = re.compile(r"[<&\\*~\u00a0\u00ad\u2000-\u200f\u2028-\u202f\u2060\ufeff\uff01-\uff5e]|_x00")


def identifiers_in(text: str) -> list[Identifier]:
    """Return the identifiers of a text in its order, none of them inside another; ``BLANKED`` stands for marks."""
    identifiers = _matches(text)
    if _DRESSED.search(text):
        clean = clean_text(text)
        identifiers += [Identifier(*clean.source_span(start, end), kind) for start, end, kind in _matches(clean.text)]
    if IDENTITY_MARK in text:
        marks = [Identifier(*match.span(), IdentifierKind.BLANKED) for match in _MARKS.finditer(text)]
        identifiers = [*marks, *identifiers]
    return _apart(identifiers) if len(identifiers) > 1 else identifiers


def _matches(text: str) -> list[Identifier]:
    return [*dates_in(text), *numbers_in(text), *names_in(text)]


def _apart(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Return the longest of identifiers that overlap, and of two of the same length the first."""
    kept: list[Identifier] = []
    for one in sorted(identifiers, key=lambda one: one.start - one.end):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept)


def blanked(text: str, identifiers: Iterable[Identifier] | None = None) -> str:
    """Return the text with a mark for each character of an identifier, so that all offsets stay as they are."""
    for start, end, _ in identifiers_in(text) if identifiers is None else identifiers:
        text = text[:start] + IDENTITY_MARK * (end - start) + text[end:]
    return text
