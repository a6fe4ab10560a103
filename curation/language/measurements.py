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
_TIMES = frozenset(("x", "×", "*", "by"))
_WHOLE = re.compile(r"\d+$")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+$")
_DECIMAL = re.compile(r"\d+[.,]\d+$")

# Bounds as they stand before a number, longest first. "≤" is what one lesion of several, or one diameter, reaches.
_BOUNDS = tuple(
    (tuple(phrase.split()), bound)
    for bound, phrases in {
        "<": "less than or equal to, less than, smaller than, lower than, under, below, sub, not exceeding, <, ≤",
        ">": "more than, greater than, larger than, bigger than, at least, over, above, exceeding, >, ≥",
        "≤": "up to, as large as, maximally, maximum of, maximum, maximal, max, at most",
    }.items()
    for phrase in phrases.split(", ")
)
_LAST_OF_BOUND = frozenset(words[-1] for words, _ in _BOUNDS)

# Words that make the number behind them one of an earlier examination, and those that may stand between.
_EARLIER = frozenset("previously formerly prior previous earlier initially past compared old".split())
_BETWEEN = frozenset(
    "a an the of at it its size sizes diameter measured measuring was were is as with to in on ct scan study exam "
    "examination there approximately about up on one : value measurement dated".split()
)
_LINK = frozenset("in on at the its size diameter ct".split())
_CHANGES = re.compile(
    r"(?:increas|decreas|grow|grew|shr[aiu]nk|chang|reduc|regress|progress|enlarg|declin|diminish|improv|rise|rose|fell"
    r"|went|enhanc|down|up$)"
)
_PHASES = {
    "before": "native", "pre": "native", "precontrast": "native", "unenhanced": "native", "noncontrast": "native",
    "native": "native", "after": "enhanced", "post": "enhanced", "postcontrast": "enhanced", "enhanced": "enhanced",
    "arterial": "arterial", "portal": "venous", "venous": "venous", "portovenous": "venous", "delayed": "delayed",
}  # fmt: skip


class Measure(NamedTuple):
    """Tokens ``[start, end)`` state ``values`` (one for each dimension, in the order written) of one ``kind``.

    Kinds are length (mm), volume (ml), HU, percent, angle (degrees) and ``number`` where no unit is given. ``bound`` is
    "<", ">", "≤" (up to) or empty; ``role`` is "earlier" for a value of an earlier examination, or for HU the phase of
    contrast that is given beside it. ``ordered`` marks a range, whose ends may not be exchanged.
    """

    start: int
    end: int
    kind: str
    values: tuple[float, ...]
    bound: str = ""
    role: str = ""
    ordered: bool = False

    def carries(self, wanted: Measure) -> bool:
        """Whether ``wanted``, of the same kind, says no more than this: its values, bound and time."""
        if wanted.bound != self.bound and (wanted.bound or self.bound != "≤"):
            return False
        if wanted.role != self.role and ("earlier" in (wanted.role, self.role) or (wanted.role and self.role)):
            return False
        return _is_part(wanted.values, self.values, self.ordered and wanted.ordered)


def _is_part(wanted: tuple[float, ...], offered: tuple[float, ...], ordered: bool) -> bool:
    left = list(offered)
    for value in wanted:
        near = next((at for at, other in enumerate(left) if abs(other - value) <= 1e-6 * max(1.0, abs(value))), None)
        if near is None:
            return False
        left = left[near + 1 :] if ordered else left[:near] + left[near + 1 :]
    return True


def find_measures(tokens: Sequence[Token], words: Mapping[str, int]) -> list[Measure]:
    """Numbers and measurements from left to right. ``words`` maps number words such as "three" to their value."""
    found: list[Measure] = []
    at = 0
    while at < len(tokens):
        measure = _measure_at(tokens, at, words) if _may_begin(tokens[at].word, words) else None
        if measure is None:
            at += 1
            continue
        free_from = found[-1].end if found else 0
        at = measure.end
        found.append(_placed(measure, tokens, free_from))
    return found


def _may_begin(word: str, words: Mapping[str, int]) -> bool:
    return word[0].isdigit() or word in words


def _placed(measure: Measure, tokens: Sequence[Token], free_from: int) -> Measure:
    """The measure with its bound, which it then covers, and its role."""
    start, bound = _bound(tokens, measure.start, free_from)
    role = _phase(tokens, measure) if measure.kind == "HU" else ""
    if _is_earlier(tokens, start, free_from) or _told_as_earlier(tokens, measure.end):
        role = "earlier"
    if role or bound:
        return measure._replace(start=start, bound=bound, role=role or measure.role)
    return measure


def _bound(tokens: Sequence[Token], at: int, free_from: int) -> tuple[int, str]:
    if at == free_from or tokens[at - 1].word not in _LAST_OF_BOUND:
        return at, ""
    for words, bound in _BOUNDS:
        start = at - len(words)
        if start >= free_from and all(tokens[start + i].word == word for i, word in enumerate(words)):
            return start, bound
    return at, ""


def _is_earlier(tokens: Sequence[Token], at: int, free_from: int) -> bool:
    """Whether the words before a number tie it to the past: "previously 5 cm", "compared to 5 cm", ", was 5 cm"."""
    if at and tokens[at - 1].word == "was" and free_from and at - 2 >= free_from and tokens[at - 2].word in ",(":
        return True
    for index in range(at - 1, max(free_from, at - 9) - 1, -1):
        word = tokens[index].word
        if word in _EARLIER:
            return True
        if word not in _BETWEEN:
            return False
    return False


def _told_as_earlier(tokens: Sequence[Token], at: int) -> bool:
    """Whether the words behind a number tie it to the past: "5 cm previously", "5 cm on the prior CT"."""
    for index in range(at, min(at + 5, len(tokens))):
        word = tokens[index].word
        if word in _EARLIER:
            return word != "compared" and not (index + 1 < len(tokens) and _may_begin(tokens[index + 1].word, {}))
        if word not in _LINK:
            return False
    return False


def _phase(tokens: Sequence[Token], measure: Measure) -> str:
    """Phase of contrast that stands right behind an attenuation, or else right before it."""
    behind = tokens[measure.end : measure.end + 3]
    before = tokens[max(0, measure.start - 3) : measure.start]
    for near in (behind, before[::-1]):
        for token in near:
            if token.word in _PHASES:
                return _PHASES[token.word]
            if token.word in ",;.()" or token.word == "and":
                break
    return ""


def _measure_at(tokens: Sequence[Token], at: int, words: Mapping[str, int]) -> Measure | None:
    first = _number(tokens[at], words)
    if first is None:
        return None
    if _is_change(tokens, at):
        return _former(tokens, at, words)
    raw, units = [first], [_unit(tokens, at + 1)]
    end = at + 1 if units[0] is None else units[0][1]
    ordered = False
    while True:
        joined = _next_number(tokens, end, words)
        if joined is None:
            break
        ordered |= tokens[end].word in _RANGE
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
    return Measure(at, end, kind, tuple(round(value, 4) for value in scaled), ordered=ordered)


def _is_change(tokens: Sequence[Token], at: int) -> bool:
    """Whether the number is where a change began ("has shrunk from 3.1 cm to 1.8 cm"), not the end of a range."""
    if not at or tokens[at - 1].word != "from":
        return False
    return any(_CHANGES.match(token.word) for token in tokens[max(0, at - 14) : at - 1])


def _former(tokens: Sequence[Token], at: int, words: Mapping[str, int]) -> Measure | None:
    """The value before a change, in the unit of the value after it where it has none of its own."""
    end = at + 1
    while end < len(tokens) and tokens[end].word not in ("to", ",", ";", "."):
        end += 1
    former = _measure_at(tokens[at:end], 0, words)
    if former is None:
        return None
    if former.kind == "number" and end + 1 < len(tokens) and tokens[end].word == "to":
        later = _measure_at(tokens[end + 1 :], 0, words)
        if later is not None and later.kind != "number":
            factor = _factor(tokens[end + 1 : end + 1 + later.end])
            former = former._replace(kind=later.kind, values=tuple(round(v * factor, 4) for v in former.values))
    return former._replace(start=at, end=at + former.end, role="earlier")


def _factor(tokens: Sequence[Token]) -> float:
    return next((_UNITS[token.word][1] for token in tokens if token.word in _UNITS), 1.0)


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
    if joiner not in _TIMES and not (joiner in _RANGE and _ranges_into_unit(tokens, at + 1)):
        return None
    value = _number(tokens[at + 1], words)
    return None if value is None else (value, at + 2)


def _ranges_into_unit(tokens: Sequence[Token], at: int) -> bool:
    return _unit(tokens, at + 1) is not None
