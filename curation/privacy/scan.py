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

MOST_ROUNDS = 3
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
    return apart(identifiers) if len(identifiers) > 1 else identifiers


def _matches(text: str) -> list[Identifier]:
    return [*dates_in(text), *numbers_in(text), *names_in(text)]


def apart(identifiers: Iterable[Identifier]) -> list[Identifier]:
    """Return identifiers in their order, with those that overlap as one: of the kind of the longest, or the first."""
    kept: list[Identifier] = []
    length = 0  # of the identifier that the last one has its kind from
    for one in sorted(identifiers, key=lambda one: one.start):
        if not kept or kept[-1].end <= one.start:
            kept.append(one)
            length = one.end - one.start
            continue
        last = kept[-1]
        longer = one.end - one.start > length
        kept[-1] = Identifier(last.start, max(last.end, one.end), one.kind if longer else last.kind)
        length = max(length, one.end - one.start)
    return kept


def blanked(text: str, identifiers: Iterable[Identifier] | None = None) -> str:
    """Return the text with a mark for each character of an identifier, so that all offsets stay as they are.

    ``identifiers`` are all of the text's, in its order. By default they are looked for, and again in what is left: the
    end of one may have hidden the next.
    """
    if identifiers is not None:
        return _marked(text, identifiers)
    for _ in range(MOST_ROUNDS):
        still_there = identifiers_in(text)
        if all(one.kind == IdentifierKind.BLANKED for one in still_there):
            break
        text = _marked(text, still_there)
    return text


def _marked(text: str, identifiers: Iterable[Identifier]) -> str:
    pieces: list[str] = []
    read = 0
    for start, end, _ in identifiers:
        pieces += (text[read:start], IDENTITY_MARK * (end - start))
        read = end
    return "".join((*pieces, text[read:]))
