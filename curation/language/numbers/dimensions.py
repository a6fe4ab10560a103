"""The dimensions of one measure, with their units and axes: "1.5 cm craniocaudal by 1.8 cm transverse", "5-10 mm"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from curation.language.tokens import Token

from .measure import Measure
from .measurement_words import (
    AXES,
    AXES_IN_TWO_WORDS,
    AXIS_NOUNS,
    BASE_OF_VOLUME,
    DIMENSION_JOINERS,
    FILLERS_BEHIND_HU,
    POWERS,
    RANGE_JOINERS,
    SECOND_UNIT_WORDS,
    UNITS,
)
from .number_forms import read_number, touches


class _Unit(NamedTuple):
    """A unit that ends before token ``end``."""

    kind: str
    factor: float
    end: int


class _Dimension(NamedTuple):
    """One number of a measure, the index behind it, its unit and axis."""

    value: float
    end: int
    unit: _Unit | None
    axis: str


class DimensionReader:
    """Reads measures from the tokens of one statement."""

    def __init__(
        self, tokens: Sequence[Token], number_words: Mapping[str, int], named: frozenset[int] = frozenset()
    ) -> None:
        """Read from ``tokens``; those at the indices ``named`` are names of organs, and no axes."""
        self.tokens, self._number_words, self._named = tokens, number_words, named

    def within(self, end: int) -> DimensionReader:
        """Return a reader that reads no further than before token ``end``."""
        return DimensionReader(self.tokens[:end], self._number_words, self._named)

    def read(self, at: int) -> Measure | None:
        """Return the measure whose first number begins at ``at``, without bound and role; None where none does."""
        first = self._dimension(at, self._axis_before(at))
        if first is None:
            return None
        dimensions, is_range = [first], False
        while True:
            following, joins_range = self._next(dimensions[-1], dimensions, at)
            if following is None:
                break
            dimensions.append(following)
            is_range |= joins_range
        return self._measure(at, dimensions, is_range)

    def _measure(self, at: int, dimensions: Sequence[_Dimension], is_range: bool) -> Measure:
        units = [dimension.unit for dimension in dimensions]
        unit = units[-1] or next((unit for unit in units if unit), None) or self._unit_before(at)
        values = [dimension.value for dimension in dimensions]
        axes = tuple(dimension.axis for dimension in dimensions)
        axes = axes if any(axes) else ()
        if unit is None:
            kind = "number" if is_range or len(values) == 1 else "dimensions"
            return Measure(at, self._end_without_unit(at, dimensions), kind, tuple(values), is_range=is_range)
        scaled = [value * (own or unit).factor for value, own in zip(values, units, strict=True)]
        if unit.kind == "HU" and at and self._word(at - 1) in ("-", "–") and not touches(self.tokens, at - 2):
            scaled[0] = -scaled[0]
        rounded = tuple(round(value, 4) for value in scaled)
        end = dimensions[-1].end
        return Measure(at, end, unit.kind, rounded, is_range=is_range, axes=axes, factor=unit.factor)

    def _end_without_unit(self, at: int, dimensions: Sequence[_Dimension]) -> int:
        """Return the index behind the last number; an axis behind a single number is none of its own."""
        if len(dimensions) > 1:
            return dimensions[-1].end
        number = read_number(self.tokens, at, self._number_words)
        return at + 1 if number is None else number.end

    def _dimension(self, at: int, axis: str = "") -> _Dimension | None:
        """Return the number at ``at`` with its unit and the axis behind it, if it has no axis before it."""
        number = read_number(self.tokens, at, self._number_words) if at < len(self.tokens) else None
        if number is None:
            return None
        unit = self._unit(number.end)
        end = number.end if unit is None else unit.end
        if not axis:
            axis, behind = self._axis(end)
            if axis and (self._goes_on(behind) or self._word(behind - 1) == ")"):
                end = behind
        return _Dimension(number.value, end, unit, axis)

    def _next(self, last: _Dimension, dimensions: Sequence[_Dimension], at: int) -> tuple[_Dimension | None, bool]:
        """Return the next dimension or end of a range behind the last, and whether it makes a range."""
        joiner, behind = self._word(last.end), last.end + 1
        if joiner in DIMENSION_JOINERS or (joiner in ("and", ",") and last.axis):
            axis, number_at = self._axis(behind)
            following = self._dimension(number_at, axis) if axis else self._dimension(behind)
            if following is not None and (joiner in DIMENSION_JOINERS or following.axis):
                return following, False
        if len(dimensions) > 1:
            return None, False
        is_between = joiner == "and" and at > 0 and self._word(at - 1) == "between"
        if joiner in RANGE_JOINERS or is_between:
            following = self._dimension(behind)
            if following is not None and self._is_range(last, following, joiner):
                return following, True
        return None, False

    def _is_range(self, first: _Dimension, second: _Dimension, joiner: str) -> bool:
        """Tell whether two joined numbers are the ends of a range: of sizes, or of counts ("3-4 nodules")."""
        if first.unit is not None:
            return second.unit is not None and second.unit.kind == first.unit.kind
        return second.unit is not None or first.value < second.value

    def _goes_on(self, at: int) -> bool:
        """Tell whether another dimension follows at ``at``."""
        if self._word(at) not in DIMENSION_JOINERS and self._word(at) not in (",", "and"):
            return False
        axis, behind = self._axis(at + 1)
        return self._dimension_begins(behind if axis else at + 1)

    def _dimension_begins(self, at: int) -> bool:
        return at < len(self.tokens) and read_number(self.tokens, at, self._number_words) is not None

    def _axis(self, at: int) -> tuple[str, int]:
        """Return the axis that is named at ``at``, and the index behind it; ("", ``at``) where none is."""
        start = at
        in_bracket = self._word(start) == "("
        if in_bracket or self._word(start) == "in":
            start += 1
        while self._word(start) in ("the", "its"):
            start += 1
        word, end = self._word(start), start + 1
        second = end + 1 if self._word(end) == "-" else end
        axis = AXES_IN_TWO_WORDS.get((word, self._word(second)), "")
        if axis:
            end = second + 1
        elif len(word) > 1 or in_bracket:
            axis = AXES.get(word, "")
        if not axis or start in self._named:
            return "", at
        while self._word(end) in AXIS_NOUNS:
            end += 1
        if in_bracket:
            return (axis, end + 1) if self._word(end) == ")" else ("", at)
        return axis, end

    def _axis_before(self, at: int) -> str:
        """Return the axis right before the first of several dimensions: "AP 1.5 x TR 1.8 cm"."""
        return AXES.get(self._word(at - 1), "") if at and len(self._word(at - 1)) > 1 else ""

    def _unit(self, at: int) -> _Unit | None:
        """Return the unit that stands at ``at`` (a hyphen may precede it)."""
        if self._word(at) in ("-", "–"):
            at += 1
        word = self._word(at)
        if word in POWERS and self._word(at + 1) in UNITS:
            kind, power = POWERS[word]
            return _Unit(kind, UNITS[self._word(at + 1)][1] ** power * (BASE_OF_VOLUME if power == 3 else 1), at + 2)
        if word not in UNITS:
            return None
        kind, factor = UNITS[word]
        end = at + 1
        if kind == "length" and self._word(end) == "^" and self._word(end + 1) in ("2", "3"):
            power = int(self._word(end + 1))
            base = BASE_OF_VOLUME if power == 3 else 1
            return _Unit("volume" if power == 3 else "area", factor**power * base, end + 2)
        if kind == "HU" and self._word(end) in SECOND_UNIT_WORDS:
            end += 1
        return _Unit(kind, factor, end)

    def _unit_before(self, at: int) -> _Unit | None:
        """Return HU where it stands before its number: "HU of 35", "HU: 35"."""
        index = at - 1
        while index >= 0 and at - index <= 4 and self._word(index) in FILLERS_BEHIND_HU:
            index -= 1
        return _Unit("HU", 1.0, at) if index >= 0 and UNITS.get(self._word(index), ("",))[0] == "HU" else None

    def _word(self, at: int) -> str:
        return self.tokens[at].word if 0 <= at < len(self.tokens) else ""
