"""Measurements in a statement, in one unit for each kind of quantity, so that 5 mm and 0.5 cm are equal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .tokens import Token

# unit -> (kind, factor to that kind's base unit: mm, ml, HU, %, degree)
_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), ("length", 1.0)),
    **dict.fromkeys(("cm", "cms", "centimeter", "centimeters", "centimetre", "centimetres"), ("length", 10.0)),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), ("length", 1000.0)),
    **dict.fromkeys(("inch", "inches"), ("length", 25.4)),
    **dict.fromkeys(("ml", "cc", "milliliter", "milliliters", "millilitres", "cm3"), ("volume", 1.0)),
    **dict.fromkeys(("l", "liter", "liters", "litre", "litres"), ("volume", 1000.0)),
    **dict.fromkeys(("hu", "hounsfield"), ("HU", 1.0)),
    **dict.fromkeys(("%", "percent"), ("percent", 1.0)),
    **dict.fromkeys(("°", "degree", "degrees"), ("angle", 1.0)),
}
_RANGE = frozenset(("-", "–", "to"))
_WHOLE = re.compile(r"\d+$")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+$")
_DECIMAL = re.compile(r"\d+[.,]\d+$")


class Measure(NamedTuple):
    """Tokens ``[start, end)`` state ``values`` (one for each dimension, in the order written) of one ``kind``.

    Kinds are length (mm), volume (ml), HU, percent, angle (degrees) and ``number`` where no unit is given.
    """

    start: int
    end: int
    kind: str
    values: tuple[float, ...]


def find_measures(tokens: Sequence[Token], words: Mapping[str, int]) -> list[Measure]:
    """Numbers and measurements from left to right. ``words`` maps number words such as "three" to their value."""
    found: list[Measure] = []
    at = 0
    while at < len(tokens):
        measure = _measure_at(tokens, at, words)
        if measure is None:
            at += 1
        else:
            found.append(measure)
            at = measure.end
    return found


def _measure_at(tokens: Sequence[Token], at: int, words: Mapping[str, int]) -> Measure | None:
    first = _number(tokens[at], words)
    if first is None:
        return None
    raw, units = [first], [_unit(tokens, at + 1)]
    end = at + 1 if units[0] is None else units[0][1]
    while True:
        joined = _next_number(tokens, end, words)
        if joined is None:
            break
        raw.append(joined[0])
        units.append(_unit(tokens, joined[1]))
        last = units[-1]
        end = joined[1] if last is None else last[1]
    unit = units[-1] or units[0]
    if unit is None:
        return Measure(at, at + 1, "number", (first,))
    kind = unit[0]
    scaled = [value * (own or unit)[2] for value, own in zip(raw, units, strict=True)]
    if kind == "HU" and at and tokens[at - 1].word in "-–" and not _touches(tokens, at - 2):
        scaled[0] = -scaled[0]
    return Measure(at, end, kind, tuple(round(value, 4) for value in scaled))


def _touches(tokens: Sequence[Token], at: int) -> bool:
    return at >= 0 and tokens[at].end == tokens[at + 1].start


def _number(token: Token, words: Mapping[str, int]) -> float | None:
    word = token.word
    if _WHOLE.match(word):
        return float(word)
    if _THOUSANDS.match(word):
        return float(word.replace(",", ""))
    if _DECIMAL.match(word):
        return float(word.replace(",", "."))
    return float(words[word]) if word in words else None


def _unit(tokens: Sequence[Token], at: int) -> tuple[str, int, float] | None:
    """Kind, index behind the unit, and factor, where a unit stands at ``at`` (a hyphen may precede it)."""
    if at < len(tokens) and tokens[at].word in "-–":
        at += 1
    if at >= len(tokens) or tokens[at].word not in _UNITS:
        return None
    kind, factor = _UNITS[tokens[at].word]
    end = at + 1
    if kind == "HU" and end < len(tokens) and tokens[end].word in ("unit", "units"):
        end += 1
    return kind, end, factor


def _next_number(tokens: Sequence[Token], at: int, words: Mapping[str, int]) -> tuple[float, int] | None:
    """Value and index behind the next dimension or range end that follows a joining mark at ``at``."""
    if at + 1 >= len(tokens):
        return None
    joiner = tokens[at].word
    if joiner not in ("x", "×", "*", "by") and not (joiner in _RANGE and _ranges_into_unit(tokens, at + 1)):
        return None
    value = _number(tokens[at + 1], words)
    return None if value is None else (value, at + 2)


def _ranges_into_unit(tokens: Sequence[Token], at: int) -> bool:
    return _unit(tokens, at + 1) is not None
