"""Measurements in a statement, in one unit for each kind of quantity, so that 5 mm and 0.5 cm are equal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .measurement_words import (
    BOUNDS,
    CHANGE,
    DIMENSION_JOINERS,
    ENDS_OF_FORMER_VALUE,
    FILLERS_BEFORE_A_NUMBER,
    FILLERS_BEHIND_A_NUMBER,
    LAST_WORDS_OF_BOUNDS,
    PHASES,
    RANGE_JOINERS,
    SECOND_UNIT_WORDS,
    UNITS,
)
from .tokens import Token
from .word_lists import EARLIER_BY_A_NUMBER

_WHOLE = re.compile(r"\d+$")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+$")
_DECIMAL = re.compile(r"\d+[.,]\d+$")


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

    def carries(self, claim: Measure) -> bool:
        """Tell whether ``claim``, of the same kind, states no more than this: its values, bound and time."""
        if claim.bound != self.bound and (claim.bound or self.bound != "≤"):
            return False
        if claim.role != self.role and ("earlier" in (claim.role, self.role) or (claim.role and self.role)):
            return False
        return _has_values(self.values, claim.values, self.ordered and claim.ordered)


def _has_values(values: tuple[float, ...], claimed: tuple[float, ...], ordered: bool) -> bool:
    """Tell whether ``values`` contain all ``claimed`` values, each once, and in order if ``ordered``."""
    rest = list(values)
    for claim in claimed:
        near = next((at for at, value in enumerate(rest) if abs(value - claim) <= 1e-6 * max(1.0, abs(claim))), None)
        if near is None:
            return False
        rest = rest[near + 1 :] if ordered else rest[:near] + rest[near + 1 :]
    return True


def find_measures(tokens: Sequence[Token], number_words: Mapping[str, int]) -> list[Measure]:
    """Return numbers and measurements from left to right. ``number_words`` maps "three" to 3, and so on."""
    measures: list[Measure] = []
    at = 0
    while at < len(tokens):
        measure = _measure_at(tokens, at, number_words) if _may_begin(tokens[at].word, number_words) else None
        if measure is None:
            at += 1
            continue
        free_from = measures[-1].end if measures else 0
        at = measure.end
        measures.append(_with_bound_and_role(measure, tokens, free_from))
    return measures


def _may_begin(word: str, number_words: Mapping[str, int]) -> bool:
    return word[0].isdigit() or word in number_words


def _with_bound_and_role(measure: Measure, tokens: Sequence[Token], free_from: int) -> Measure:
    """Return the measure with its bound, whose words it then covers, and its role.

    Words before index ``free_from`` belong to the measure before.
    """
    start, bound = _bound(tokens, measure.start, free_from)
    role = _phase(tokens, measure) if measure.kind == "HU" else ""
    if _is_earlier_by_words_before(tokens, start, free_from) or _is_earlier_by_words_behind(tokens, measure.end):
        role = "earlier"
    if role or bound:
        return measure._replace(start=start, bound=bound, role=role or measure.role)
    return measure


def _bound(tokens: Sequence[Token], at: int, free_from: int) -> tuple[int, str]:
    """Return where the bound of a number at ``at`` begins, and the bound; (``at``, "") where it has none."""
    if at == free_from or tokens[at - 1].word not in LAST_WORDS_OF_BOUNDS:
        return at, ""
    for words, bound in BOUNDS:
        start = at - len(words)
        if start >= free_from and all(tokens[start + i].word == word for i, word in enumerate(words)):
            return start, bound
    return at, ""


def _is_earlier_by_words_before(tokens: Sequence[Token], at: int, free_from: int) -> bool:
    """Tell whether words before a number tie it to the past: "previously 5 cm", "compared to 5 cm", ", was 5 cm"."""
    if at and tokens[at - 1].word == "was" and free_from and at - 2 >= free_from and tokens[at - 2].word in ",(":
        return True
    for index in range(at - 1, max(free_from, at - 9) - 1, -1):
        word = tokens[index].word
        if word in EARLIER_BY_A_NUMBER:
            return True
        if word not in FILLERS_BEFORE_A_NUMBER:
            return False
    return False


def _is_earlier_by_words_behind(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether words behind a number tie it to the past: "5 cm previously", "5 cm on the prior CT"."""
    for index in range(at, min(at + 5, len(tokens))):
        word = tokens[index].word
        if word in EARLIER_BY_A_NUMBER:
            return word != "compared" and not (index + 1 < len(tokens) and _may_begin(tokens[index + 1].word, {}))
        if word not in FILLERS_BEHIND_A_NUMBER:
            return False
    return False


def _phase(tokens: Sequence[Token], measure: Measure) -> str:
    """Return the phase of contrast that stands right behind an attenuation, or else right before it, or ""."""
    behind = tokens[measure.end : measure.end + 3]
    before = tokens[max(0, measure.start - 3) : measure.start]
    for near in (behind, before[::-1]):
        for token in near:
            if token.word in PHASES:
                return PHASES[token.word]
            if token.word in ",;.()" or token.word == "and":
                break
    return ""


def _measure_at(tokens: Sequence[Token], at: int, number_words: Mapping[str, int]) -> Measure | None:
    """Return the measure that begins at ``at``, without bound and role; None where no number stands there."""
    first = _number(tokens[at], number_words)
    if first is None:
        return None
    if _begins_a_change(tokens, at):
        return _former_value(tokens, at, number_words)
    numbers, units = [first], [_unit(tokens, at + 1)]
    end = at + 1 if units[0] is None else units[0][1]
    ordered = False
    while True:
        joined = _next_number(tokens, end, number_words)
        if joined is None:
            break
        ordered |= tokens[end].word in RANGE_JOINERS
        numbers.append(joined[0])
        units.append(_unit(tokens, joined[1]))
        last = units[-1]
        end = joined[1] if last is None else last[1]
    shared_unit = units[-1] or units[0]
    if shared_unit is None:
        return Measure(at, at + 1, "number", (first,))
    kind = shared_unit[0]
    scaled = [number * (unit or shared_unit)[2] for number, unit in zip(numbers, units, strict=True)]
    if kind == "HU" and at and tokens[at - 1].word in "-–" and not _touches(tokens, at - 2):
        scaled[0] = -scaled[0]
    return Measure(at, end, kind, tuple(round(value, 4) for value in scaled), ordered=ordered)


def _begins_a_change(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether the number is where a change began ("has shrunk from 3.1 cm to 1.8 cm"), not the end of a range."""
    if not at or tokens[at - 1].word != "from":
        return False
    return any(CHANGE.match(token.word) for token in tokens[max(0, at - 14) : at - 1])


def _former_value(tokens: Sequence[Token], at: int, number_words: Mapping[str, int]) -> Measure | None:
    """Return the value before a change; a number without a unit takes that of the value after the change."""
    end = at + 1
    while end < len(tokens) and tokens[end].word not in ENDS_OF_FORMER_VALUE:
        end += 1
    former = _measure_at(tokens[at:end], 0, number_words)
    if former is None:
        return None
    if former.kind == "number" and end + 1 < len(tokens) and tokens[end].word == "to":
        later = _measure_at(tokens[end + 1 :], 0, number_words)
        if later is not None and later.kind != "number":
            factor = _factor(tokens[end + 1 : end + 1 + later.end])
            former = former._replace(kind=later.kind, values=tuple(round(v * factor, 4) for v in former.values))
    return former._replace(start=at, end=at + former.end, role="earlier")


def _factor(tokens: Sequence[Token]) -> float:
    return next((UNITS[token.word][1] for token in tokens if token.word in UNITS), 1.0)


def _touches(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether no white space stands between the tokens at ``at`` and behind it."""
    return at >= 0 and tokens[at].end == tokens[at + 1].start


def _number(token: Token, number_words: Mapping[str, int]) -> float | None:
    word = token.word
    if _WHOLE.match(word):
        return float(word)
    if _THOUSANDS.match(word):
        return float(word.replace(",", ""))
    if _DECIMAL.match(word):
        return float(word.replace(",", "."))
    return float(number_words[word]) if word in number_words else None


def _unit(tokens: Sequence[Token], at: int) -> tuple[str, int, float] | None:
    """Return kind, index behind the unit, and factor, where a unit stands at ``at`` (a hyphen may precede it)."""
    if at < len(tokens) and tokens[at].word in "-–":
        at += 1
    if at >= len(tokens) or tokens[at].word not in UNITS:
        return None
    kind, factor = UNITS[tokens[at].word]
    end = at + 1
    if kind == "HU" and end < len(tokens) and tokens[end].word in SECOND_UNIT_WORDS:
        end += 1
    return kind, end, factor


def _next_number(tokens: Sequence[Token], at: int, number_words: Mapping[str, int]) -> tuple[float, int] | None:
    """Return value and index behind the next dimension or range end that follows a joining mark at ``at``."""
    if at + 1 >= len(tokens):
        return None
    joiner = tokens[at].word
    if joiner not in DIMENSION_JOINERS and not (joiner in RANGE_JOINERS and _unit(tokens, at + 2) is not None):
        return None
    value = _number(tokens[at + 1], number_words)
    return None if value is None else (value, at + 2)
