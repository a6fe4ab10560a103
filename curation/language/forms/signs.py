"""What a dash means in a report: a minus where others of its fields or lines have a plus, else a bullet or nothing."""

from __future__ import annotations

import re

_PLUS_IN_REPORT = re.compile(r"[:|=\t]\s*\(?\+{1,4}\)?\s*(?:$|[\n,;|])|\(\+\)|\+ve\b", re.MULTILINE)
_LED = {
    "+": re.compile(r"^(?P<indent>[ \t]*)\+ ?[A-Za-z]", re.MULTILINE),
    "-": re.compile(r"^(?P<indent>[ \t]*)[-–] ?[A-Za-z]", re.MULTILINE),
}


def has_leading_signs(report: str) -> bool:
    """Tell whether lines of a report that begin at one indentation are led by a plus, others by a dash.

    A dash is then no bullet: it may be a minus.
    """
    if "\n+" not in report and " +" not in report and report[:1] != "+":
        return False
    indents = {sign: {match["indent"] for match in pattern.finditer(report)} for sign, pattern in _LED.items()}
    return not indents["+"].isdisjoint(indents["-"])


def minus_denies(report: str) -> bool:
    """Tell whether a lone dash is a minus in a report: others of its fields have a plus."""
    return "+" in report and _PLUS_IN_REPORT.search(report) is not None
