"""Take out legends: what writes abbreviations out ("RUL = right upper lobe") says nothing of the patient."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

_ENTRY = re.compile(
    r"(?P<short>[A-Z][A-Za-z]{0,6}\d?)\s?[=≡]\s?(?P<long>[A-Za-z][A-Za-z '/-]{2,60}?)(?=\s?[,;.)\]\n]|\s*\Z)"
)
_LEAD = re.compile(
    r"(?:[ \t]?[(\[][ \t]?)?(?:(?:abbreviations?|legend|key|glossary)(?: used)? ?[:=]?\s*)?\Z", re.IGNORECASE
)
_BETWEEN = re.compile(r"\s?[,;.\n]\s*(?:and\s)?\Z")
_TRAIL = re.compile(r"\s?[)\]]")
_STOP = re.compile(r"\s?[.;,]")
_LONGEST_LEAD = 24


def legend_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that take out legends, in brackets or not, each of one or more entries."""
    if "=" not in text and "≡" not in text:
        return
    start = end = -1
    for entry in _ENTRY.finditer(text):
        if not _writes_out(entry["short"], entry["long"]):
            continue
        if end >= 0 and _BETWEEN.fullmatch(text, end, entry.start()):
            end = entry.end()
            continue
        if end >= 0:
            yield _removal(text, start, end)
        start, end = entry.start(), entry.end()
    if end >= 0:
        yield _removal(text, start, end)


def _writes_out(short: str, written_out: str) -> bool:
    """Tell whether the letters of an abbreviation stand, in their order, in the words behind it."""
    letters = iter(written_out.lower())
    capitals = sum(map(str.isupper, short))
    return (
        capitals > 1
        and len(written_out) > len(short) + 2
        and all(letter in letters for letter in short.lower() if letter.isalpha())
    )


def _removal(text: str, start: int, end: int) -> Edit:
    """Return the edit that takes out a legend with the brackets or the full stop that belong to it alone."""
    lead = _LEAD.search(text, max(0, start - _LONGEST_LEAD), start)
    begin = lead.start() if lead else start
    if "(" in text[begin:start] or "[" in text[begin:start]:
        trail = _TRAIL.match(text, end)
        return Edit(begin, trail.end(), "", "legend") if trail else Edit(start, end, "", "legend")
    stop = _STOP.match(text, end)
    return Edit(begin, stop.end() if stop else end, "", "legend")
