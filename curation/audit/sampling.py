"""Which captions are reviewed: a seeded random sample, stratified by status, score and organ.

Cells are the statuses (or the reasons of refusal), cut by bands of the score. A cell that is large enough is a stratum
of its own, the others are one together. Each stratum gets a share of the sample in proportion to its size; within it
captions are sorted by cell and organ, in random order where these are equal, and taken at equal steps from a random
start (systematic sampling), so that small cells and organs come in proportion too. A reviewed caption counts by the
size of its stratum for each caption drawn from it.

A sample can be made larger: shares only grow, and what is added is drawn from what was not, so each caption of a
stratum is still as likely as any other to be in.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .frame import SCORE_EDGES, Frame, Kind

Design = Literal["stratified", "random"]
BANDS = len(SCORE_EDGES) - 1
LEAST = 5
"""Captions of the sample that a stratum gets at least. With fewer, rounding makes their weights so unequal that the
sample knows less than a simple random one."""
REST = "others"


@dataclass(frozen=True, slots=True)
class Strata:
    """How the captions of a frame are divided: the stratum of each, and name and size of each stratum.

    ``keys`` are what captions of a stratum are sorted by, the last one first.
    """

    code: NDArray[np.int32]
    names: list[str]
    sizes: list[int]
    keys: tuple[NDArray[np.int32], ...]


class Drawn(NamedTuple):
    """A caption of the sample: its place in the frame, and the number of its stratum."""

    place: int
    stratum: int


def divide(frame: Frame, size: int, design: Design) -> Strata:
    """Divide a frame, for a sample that begins with ``size`` captions."""
    if design == "random":
        return Strata(np.zeros(len(frame), np.int32), ["all"], [len(frame)], ())
    cell = frame.group * BANDS + frame.bands() if frame.kind == "accepted" else frame.group
    counts = np.bincount(cell)
    kept = _large_enough(counts.tolist(), size)
    names = [_cell_name(frame, number) for number in kept]
    strata = np.full(len(counts), len(kept), np.int32)
    strata[kept] = np.arange(len(kept))
    code = strata[cell]
    sizes = np.bincount(code, minlength=len(kept)).tolist()
    return Strata(code, [*names, *[REST] * (len(sizes) - len(kept))], sizes, (frame.organ, cell))


def _large_enough(counts: Sequence[int], size: int) -> list[int]:
    """Cells that are strata of their own; all others together are large enough too, or none."""
    total = sum(counts)
    by_size = sorted((number for number, count in enumerate(counts) if count), key=lambda cell: -counts[cell])
    kept = [cell for cell in by_size if counts[cell] * size >= LEAST * total]
    rest = sum(counts) - sum(counts[cell] for cell in kept)
    while kept and 0 < rest * size < LEAST * total:
        rest += counts[kept.pop()]
    return sorted(kept)


def _cell_name(frame: Frame, cell: int) -> str:
    if frame.kind == "refused":
        return frame.groups[cell]
    return f"{frame.groups[cell // BANDS]}, score {band_name(cell % BANDS)}"


def band_name(band: int) -> str:
    """A band of the score, in words."""
    low, high = SCORE_EDGES[band : band + 2]
    return f"{high:g}" if band == BANDS - 1 else f"{low:g} to {high:g}"


def allocate(sizes: Sequence[int], size: int) -> list[int]:
    """Captions to draw from each stratum, in proportion (highest averages, Sainte-Laguë); from none more than it has.

    With a larger ``size`` no share is smaller.
    """
    shares = [0] * len(sizes)
    waiting = [(-float(count), number) for number, count in enumerate(sizes) if count]
    heapq.heapify(waiting)
    for _ in range(min(size, sum(sizes))):
        _, number = heapq.heappop(waiting)
        shares[number] += 1
        # A stratum that is used up claims less than a half, any other more.
        heapq.heappush(waiting, (-sizes[number] / (2 * shares[number] + 1), number))
    return shares


def draw(strata: Strata, shares: Sequence[int], rng: np.random.Generator, taken: Collection[int] = ()) -> list[Drawn]:
    """Draw until each stratum has its share; ``taken`` are the places of those that were drawn before."""
    free = np.ones(len(strata.code), bool)
    free[list(taken)] = False
    have = np.bincount(strata.code[~free], minlength=len(strata.sizes))
    by: Any = (rng.random(len(free)), *strata.keys, strata.code)
    order = np.lexsort(by)
    order = order[free[order]]
    ends = np.searchsorted(strata.code[order], np.arange(len(strata.sizes) + 1))
    found = []
    for number, share in enumerate(shares):
        rows = order[ends[number] : ends[number + 1]]
        found += [Drawn(int(place), number) for place in _spread(rows, share - int(have[number]), rng)]
    return found


def _spread(rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``count`` of ``rows``, at equal steps from a random start."""
    if count <= 0:
        return rows[:0]
    places = ((np.arange(count) + rng.random()) * len(rows) / count).astype(np.int64)
    return rows[np.minimum(places, len(rows) - 1)]  # a float may round up to the end


def generator(seed: int, use: Kind | Literal["order"], taken: int) -> np.random.Generator:
    """Random numbers for one use: the same seed and the same state of the sample, the same numbers."""
    uses = ("accepted", "refused", "order")
    return np.random.Generator(np.random.PCG64([seed, uses.index(use), taken]))
