"""Measurements in a statement, in one unit for each kind of quantity, so that 5 mm and 0.5 cm are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curation.language.tokens import Token

from .bounds import bound_before, bound_behind, is_of_several
from .dates import MONTHS, date_at
from .dimensions import DimensionReader
from .earlier_values import arrow_behind, begins_a_change, with_days
from .measure import Measure
from .measurement_words import ENDS_OF_FORMER_VALUE, PHASES, UNITS, UNITS_BEHIND_SUB, UNITS_WITH_BOUND, VULGAR_FRACTIONS
from .number_forms import is_ratio
from .numbered_items import label_start, numbered_kind

__all__ = ["Measure", "find_measures"]

# What may begin a measure, apart from digits and number words.
_OTHER_BEGINNINGS = MONTHS.keys() | VULGAR_FRACTIONS.keys() | UNITS_WITH_BOUND.keys() | {"sub"}
_NO_MARKS = ",;.()"


def find_measures(
    tokens: Sequence[Token], number_words: Mapping[str, int], named: frozenset[int] = frozenset()
) -> list[Measure]:
    """Return numbers and measurements from left to right.

    ``number_words`` maps "three" to 3, and so on; ``named`` are the indices of tokens that are names of organs.
    """
    words = [token.word for token in tokens]
    beginnings = [
        at for at, word in enumerate(words) if word[0].isdigit() or word in number_words or word in _OTHER_BEGINNINGS
    ]
    if not beginnings:
        return []
    measures: list[Measure] = []
    free_from, reader = 0, DimensionReader(tokens, number_words, named)
    for at in beginnings:
        if at >= free_from:
            is_sub = words[at].startswith("sub")
            measure = _unit_with_bound(tokens, at) if is_sub else _measure_at(reader, at, measures)
            if measure is not None:
                free_from = measure.end
                measures.append(measure)
    return with_days(_with_shared_units(measures, tokens), tokens) if measures else measures


def _measure_at(reader: DimensionReader, at: int, measures: Sequence[Measure]) -> Measure | None:
    """Return the measure whose number begins at ``at``, with its bound and phase; None where none does."""
    tokens = reader.tokens
    date = date_at(tokens, at)
    if date is not None and tokens[at].word not in UNITS:
        return Measure(at, date.end, date.kind, date.values)
    before = measures[-1] if measures else None
    free_from = before.end if before is not None else 0
    measure = reader.read(at)
    if measure is None:
        return None
    measure = _former_value(reader, measure) or measure
    if measure.kind == "number":
        kind = numbered_kind(tokens, measure.start, measure.end, before)
        if kind:
            return measure._replace(kind=kind, start=label_start(tokens, measure.start, kind))
        if is_ratio(tokens, measure.end - 1):
            return measure._replace(
                kind="ratio", end=measure.end + 2, values=(*measure.values, float(tokens[at + 2].word))
            )
    start, bound = bound_before(tokens, at, free_from)
    end = measure.end
    if not bound:
        end, bound = bound_behind(tokens, measure.end)
    role = measure.role or (_phase(tokens, measure) if measure.kind == "HU" else "")
    several = is_of_several(tokens, start, end) if measure.has_unit else False
    return measure._replace(start=start, end=end, bound=bound, role=role, of_several=several)


def _unit_with_bound(tokens: Sequence[Token], at: int) -> Measure | None:
    """Return the measure that "subcentimeter" or "sub-cm" is."""
    word, end = tokens[at].word, at + 1
    if word in UNITS_WITH_BOUND:
        return Measure(at, end, "length", (UNITS_WITH_BOUND[word],), "<")
    if word != "sub":
        return None
    if end < len(tokens) and tokens[end].word == "-":
        end += 1
    unit = tokens[end].word if end < len(tokens) else ""
    return Measure(at, end + 1, "length", (UNITS_BEHIND_SUB[unit],), "<") if unit in UNITS_BEHIND_SUB else None


def _former_value(reader: DimensionReader, measure: Measure) -> Measure | None:
    """Return the value before a change ("from 9 to 14 mm", "9 -> 14 mm"); None where the measure is none.

    A number without a unit takes that of the value behind the change.
    """
    tokens, at = reader.tokens, measure.start
    later_at = arrow_behind(tokens, measure.end)
    former: Measure | None = measure._replace(end=later_at)
    if begins_a_change(tokens, at):
        end = at + 1
        while end < len(tokens) and tokens[end].word not in ENDS_OF_FORMER_VALUE:
            end += 1
        former = reader.within(end).read(at)
        later_at = end + 1 if end < len(tokens) and tokens[end].word == "to" else 0
    elif not later_at:
        return None
    if former is None:
        return None
    if former.kind in ("number", "dimensions") and 0 < later_at < len(tokens):
        later = reader.read(later_at)
        if (
            later is not None
            and later.has_unit
            and (former.kind == "number" or len(later.values) == len(former.values))
        ):
            values = tuple(round(value * later.factor, 4) for value in former.values)
            former = former._replace(kind=later.kind, values=values, factor=later.factor)
    return former._replace(role="earlier")


def _with_shared_units(measures: Sequence[Measure], tokens: Sequence[Token]) -> list[Measure]:
    """Return the measures; a number joined by "and" to one with a unit has that unit: "nodules of 5 and 7 mm"."""
    shared = list(measures)
    for index in range(len(shared) - 2, -1, -1):
        measure, following = shared[index], shared[index + 1]
        if measure.kind != "number" or not following.has_unit or following.kind == "duration":
            continue
        way = [token.word for token in tokens[measure.end : following.start]]
        is_list = way == ["and"] or way == [",", "and"] or (way == [","] and _is_listed(shared, index + 1, tokens))
        if is_list and tokens[measure.start].word[0].isdigit():
            values = tuple(round(value * following.factor, 4) for value in measure.values)
            shared[index] = measure._replace(kind=following.kind, values=values, factor=following.factor)
    return shared


def _is_listed(measures: Sequence[Measure], index: int, tokens: Sequence[Token]) -> bool:
    """Tell whether a measure stands before "and" and another: the second of "5, 7 and 9 mm"."""
    if index + 1 >= len(measures):
        return False
    return [token.word for token in tokens[measures[index].end : measures[index + 1].start]][-1:] == ["and"]


def _phase(tokens: Sequence[Token], measure: Measure) -> str:
    """Return the phase of contrast that stands right behind an attenuation, or else right before it, or ""."""
    behind = tokens[measure.end : measure.end + 3]
    before = tokens[max(0, measure.start - 3) : measure.start]
    for near in (behind, before[::-1]):
        for token in near:
            if token.word in PHASES:
                return PHASES[token.word]
            if token.word in _NO_MARKS or token.word == "and":
                break
    return ""
