"""Where identifiers stand in a text, and the same text with marks in their places."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .dates import dates_in
from .identifiers import Identifier, IdentifierKind
from .names import names_in
from .numbers import numbers_in

MARK = "█"
_MARKS = re.compile(f"{MARK}+")


def identifiers_in(text: str) -> list[Identifier]:
    """Return the identifiers of a text in its order, none of them inside another; ``BLANKED`` stands for marks."""
    identifiers = [*dates_in(text), *numbers_in(text), *names_in(text)]
    if MARK in text:
        marks = [Identifier(*match.span(), IdentifierKind.BLANKED) for match in _MARKS.finditer(text)]
        identifiers = [*marks, *identifiers]
    return _apart(identifiers) if len(identifiers) > 1 else identifiers


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
        text = text[:start] + MARK * (end - start) + text[end:]
    return text
