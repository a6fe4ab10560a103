"""Says what is wrong with the distances between slices: some are missing, they change within the series, or vary."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .slices import Slice

# Distances that differ by less are the same: positions may be rounded to 0.1 mm.
SAME_SHARE, SAME_MM = 0.05, 0.11
# A distance that comes so often in a row is that of a part of the series; less often, slices are missing.
LEAST_RUN = 3


def distance_problem(slices: Sequence[Slice], gaps: np.ndarray[Any, Any], off: np.ndarray[Any, Any]) -> str:
    """Return what is wrong with `gaps` (slices - 1,), in mm; `off` (slices,) is how far each is off an even place."""
    usual = float(np.median(gaps))
    odd = [number for number in range(len(gaps)) if not _same(gaps[number], usual)]
    parts = [start for start, stop in _runs(gaps) if stop - start >= LEAST_RUN]
    changes = [place for last, place in pairwise(parts) if not _same(gaps[last], gaps[place])]
    if changes:
        place = changes[0]
        more = f"; there are {len(changes)} such changes" if len(changes) > 1 else ""
        return (
            f"the distance between slices changes within the series, from {gaps[parts[0]]:.4g} mm to "
            f"{gaps[place]:.4g} mm at slice {place + 1} of {len(slices)} ({slices[place].name}){more}"
        )
    if odd and all(_is_multiple(gaps[number], usual) for number in odd):
        first = odd[0]
        return (
            f"slices are missing (gaps: {len(odd)}), first between {slices[first].name} and {slices[first + 1].name}, "
            f"{gaps[first]:.4g} mm apart, not {usual:.4g}"
        )
    worst = int(off.argmax())
    return (
        f"the slices do not lie at even distances ({gaps.min():.4g} to {gaps.max():.4g} mm): {slices[worst].name} is "
        f"{off[worst]:.3g} mm off its place"
    )


def _runs(gaps: np.ndarray[Any, Any]) -> list[tuple[int, int]]:
    """Return start and stop of each part in which all distances are the same as its first."""
    starts = [0]
    for number in range(1, len(gaps)):
        if not _same(gaps[number], gaps[starts[-1]]):
            starts.append(number)
    return list(pairwise([*starts, len(gaps)]))


def _same(gap: float, other: float) -> bool:
    return abs(gap - other) <= max(SAME_SHARE * min(gap, other), SAME_MM)


def _is_multiple(gap: float, usual: float) -> bool:
    return round(gap / usual) >= 2 and _same(gap, usual * round(gap / usual))
