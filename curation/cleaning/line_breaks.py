"""Tell line breaks that mean something from those that only keep lines short, and write the latter as spaces.

A break is one of layout where the next line would not have fitted: where its first word would have gone beyond the
width that the text keeps to. What a list, a heading or a blank line begins is never joined to what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from .edits import Edit

NARROWEST, WIDEST = 25, 160
"""Characters of a line between which a width is believed to be one that lines are broken at."""
FEWEST_FULL_LINES = 3
"""Full lines that show a width."""
SHARE_OF_FULL_LINES = 0.6
"""Of the lines that another follows at once, those that must be full for a width to be believed."""

_ITEM = re.compile(
    r"[ \t]*(?:[-–—•◦·*+>]\s|\(?\d{1,2}[.):](?!\d)\s?|\(?[a-hA-H][.)]\s|[a-zA-Z]\)\s|\[\d{1,2}\]\s|"
    r"[\[(][ xX_]?[\])]|[☐☑☒✓✔✗✘□■])"
)
_HEADING = re.compile(r"[ \t]*(?:#|\*\*)?[A-Z][A-Za-z0-9 /&,()'.-]{0,60}?[ \t]*(?:\*\*)?:(?!\d)")
_CAPITALS_LINE = re.compile(r"[^a-z\n]*[A-Z][^a-z\n]*\Z")
_SENTENCE_END = re.compile(r"[.!?:;][\"')\]]*[ \t]*\Z")
_CARRIAGE_RETURN = re.compile(r"\r{1,3}\n|\r")
_FIRST_WORD = re.compile(r"[ \t]*(\S+)")


class _Line(NamedTuple):
    """A line: ``text[start:end]``, and ``next`` where the following one begins."""

    start: int
    end: int
    next: int


def line_end_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that make every line end a line feed."""
    if "\r" in text:
        for match in _CARRIAGE_RETURN.finditer(text):
            yield Edit(match.start(), match.end(), "\n", "line end")


def wrap_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that join the lines of a sentence that was broken at a width, or that goes on in small letters.

    In a text of one case small letters tell nothing, and only the width does.
    """
    if "\n" not in text:
        return
    lines = list(_lines(text))
    upper, lower = any(map(str.isupper, text)), any(map(str.islower, text))
    width = _width(text, lines, capitals=not lower)
    for line, following in pairwise(lines):
        here, there = text[line.start : line.end].rstrip(), text[following.start : following.end]
        if not here.strip() or not there.strip() or _begins_something(there, capitals=not lower):
            continue
        full = width is not None and len(here) + 1 + _first_word_length(there) > width
        goes_on = upper and there.lstrip()[0].islower() and not _SENTENCE_END.search(here)
        if full or goes_on:
            indent = len(there) - len(there.lstrip())
            yield Edit(line.start + len(here), following.start + indent, " ", "wrapped line")


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    while True:
        end = text.find("\n", start)
        if end < 0:
            yield _Line(start, len(text), len(text))
            return
        yield _Line(start, end, end + 1)
        start = end + 1


def _width(text: str, lines: Sequence[_Line], *, capitals: bool) -> int | None:
    """Return the width that the lines of a text are broken at; None where no width explains the breaks."""
    lengths = [len(text[line.start : line.end].rstrip()) for line in lines]
    width = max(lengths, default=0)
    if not NARROWEST <= width <= WIDEST:
        return None
    followed = full = 0
    for (_, following), length in zip(pairwise(lines), lengths, strict=False):
        there = text[following.start : following.end]
        if length == 0 or not there.strip() or _begins_something(there, capitals=capitals):
            continue
        followed += 1
        full += length + 1 + _first_word_length(there) > width
    return width if full >= FEWEST_FULL_LINES and full >= SHARE_OF_FULL_LINES * followed else None


def _begins_something(line: str, *, capitals: bool) -> bool:
    """Tell whether a line begins a list item or has a heading, so that it does not go on with what stands before it."""
    if _ITEM.match(line) or _HEADING.match(line):
        return True
    return not capitals and len(line) < 60 and _CAPITALS_LINE.match(line) is not None and " " in line.strip()


def _first_word_length(line: str) -> int:
    match = _FIRST_WORD.match(line)
    return len(match[1]) if match else 0
