"""A measure: a number of a statement with its kind, and what follows from it."""

from __future__ import annotations

from typing import NamedTuple

from .measurement_words import FOLLOWING_BOUNDS, UNITS

_KINDS_WITH_UNIT = frozenset(kind for kind, _ in UNITS.values()) | {"volume", "area"}
# Numbers of these kinds tell when, or where in the images: what is denied is denied with them and without them.
WHEN_OR_WHERE = frozenset(
    (
        "date", "time", "duration", "phone number", "reference", "image number", "series number", "slice number",
        "day number", "week number", "month number", "year number",
    )
)  # fmt: skip


class Measure(NamedTuple):
    """Tokens ``[start, end)`` state ``values`` (one for each dimension, in the order written) of one ``kind``.

    Kinds are length (mm), area, volume (ml), weight (g), duration (days), HU, percent, angle (degrees), ``number``
    where something is counted, and those of numbers that count nothing: date, time, phone number, reference, and
    ``image number`` where an image has it, and so on; ``dimensions`` are several numbers whose unit is not known.
    ``bound`` is "<", "≤", ">", "≥", "up to" or empty; ``role`` is
    "earlier" for a value of an earlier examination, or for HU the phase of contrast that is given beside it.
    ``is_range``: the values are the ends of a range. ``axes`` has the axis of each value, where one is given.
    ``of_several``: it is the size of each of several ("5 mm nodules"). ``factor``: of its unit to that of ``values``.
    """

    start: int
    end: int
    kind: str
    values: tuple[float, ...]
    bound: str = ""
    role: str = ""
    is_range: bool = False
    axes: tuple[str, ...] = ()
    of_several: bool = False
    factor: float = 1.0

    @property
    def has_unit(self) -> bool:
        """Whether it measures something, rather than to count or to number it."""
        return self.kind in _KINDS_WITH_UNIT

    @property
    def narrows_denial(self) -> bool:
        """Whether less is denied with it than without it: "no nodule above 5 mm", but not "no change since 2019"."""
        return self.kind not in WHEN_OR_WHERE

    def carries(self, claim: Measure) -> bool:
        """Tell whether ``claim``, of the same kind, follows from this: from its values, bound and time.

        "Up to 10 mm" carries "10 mm" of one lesion, not of each of several; "5-10 mm" is neither 5 nor 10 mm, but it
        is up to 10 mm.
        """
        if (
            self.kind != "date"
            and claim.role != self.role
            and ("earlier" in (claim.role, self.role) or (claim.role and self.role))
        ):
            return False
        if self.is_range or claim.is_range:
            return self._carries_range(claim)
        if claim.bound not in FOLLOWING_BOUNDS[self.bound]:
            return False
        if self.bound == "up to" and not claim.bound and claim.of_several:
            return False
        return self._has_values_of(claim)

    def _carries_range(self, claim: Measure) -> bool:
        if claim.is_range:
            return self.is_range and claim.bound == self.bound and _equal(self.values, claim.values)
        is_end = not self.bound and (claim.bound in ("up to", "≤") or claim.bound == "≥")
        end = min(self.values) if claim.bound == "≥" else max(self.values)
        return is_end and _equal((end,), claim.values)

    def _has_values_of(self, claim: Measure) -> bool:
        """Tell whether the values contain all those claimed, each once, and along the same axis where both name it."""
        if len(self.values) == len(claim.values) == 1 and not (self.axes and claim.axes):
            return _equal(self.values, claim.values)
        rest = self._values_with_axes()
        for value, axis in claim._values_with_axes():
            any_axis = not axis or not self.axes
            matches = (pair for pair in rest if _equal((pair[0],), (value,)) and (any_axis or pair[1] == axis))
            match = next(matches, None)
            if match is None:
                return False
            rest.remove(match)
        return True

    def _values_with_axes(self) -> list[tuple[float, str]]:
        axes = self.axes or ("",) * len(self.values)
        return list(zip(self.values, axes, strict=True))


def _equal(values: tuple[float, ...], claimed: tuple[float, ...]) -> bool:
    """Tell whether values are equal up to the rounding of their units."""
    return len(values) == len(claimed) and all(
        abs(value - claim) <= 1e-6 * max(1.0, abs(claim)) for value, claim in zip(values, claimed, strict=True)
    )
