"""Ranges of numbered parts in a prompt, written out: "L1-L3 vertebrae" as "L1, L2, L3 vertebrae", "ribs 3 to 5"."""

from __future__ import annotations

import re

LEVELS = [*(f"C{number}" for number in range(1, 8)), *(f"T{number}" for number in range(1, 13))]
LEVELS += [*(f"L{number}" for number in range(1, 6)), "S1"]
_UP_TO = r"\s*(?:-|–|\bto\b|\bthrough\b|\bthru\b)\s*"
_OF_LEVELS = re.compile(rf"\b([CTLS])(\d{{1,2}}){_UP_TO}([CTLS]?)(\d{{1,2}})\b", re.IGNORECASE)
_OF_NUMBERS = re.compile(rf"\b(\d{{1,2}})(st|nd|rd|th)?{_UP_TO}(\d{{1,2}})(st|nd|rd|th)?\b", re.IGNORECASE)
MOST_NUMBERS = 24


def written_out(text: str) -> str:
    """Return a text with each range of levels or numbers as a list; one that goes down or on for long stays."""
    return _OF_NUMBERS.sub(_numbers, _OF_LEVELS.sub(_levels, text))


def _levels(match: re.Match[str]) -> str:
    first = f"{match[1].upper()}{int(match[2])}"
    last = f"{(match[3] or match[1]).upper()}{int(match[4])}"
    if first not in LEVELS or last not in LEVELS or LEVELS.index(first) >= LEVELS.index(last):
        return match[0]
    return ", ".join(LEVELS[LEVELS.index(first) : LEVELS.index(last) + 1])


def _numbers(match: re.Match[str]) -> str:
    first, last = int(match[1]), int(match[3])
    if not first < last <= MOST_NUMBERS:
        return match[0]
    endings = {1: "st", 2: "nd", 3: "rd"} if match[2] or match[4] else {}
    usual = "th" if endings else ""
    return ", ".join(f"{number}{endings.get(number, usual)}" for number in range(first, last + 1))
