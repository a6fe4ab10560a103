"""Which captions are reviewed: a seeded random sample, stratified by status, score and organ.

Cells are the statuses (or the reasons of refusal), cut by bands of the score. A cell that is large enough is a stratum
of its own, the others are one together. Each stratum gets a share of the sample in proportion to its size; within it
captions are sorted by cell and organ, in random order where these are equal, and taken at equal steps from a random
start (systematic sampling), so that small cells and organs come in proportion too. A reviewed caption counts by the
size of its stratum for each caption drawn from it.

Captions of which a second reader reads something else than the set (``second_reader``) are a stratum of their own, and
are drawn first: they get half of the sample, or more where they are more than half of the set, as long as the others
keep enough to be estimated. The others are divided as above.

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

from .sampling_frame import SCORE_EDGES, ItemKind, SamplingFrame

Design = Literal["stratified", "random"]
BAND_COUNT = len(SCORE_EDGES) - 1
MIN_PER_STRATUM = 5
"""Captions of the sample that a stratum gets at least. With fewer, rounding makes their weights so unequal that the
sample knows less than a simple random one."""
REST_STRATUM = "others"
DISPUTED_STRATUM = "second reader disagrees"


@dataclass(frozen=True, slots=True)
class Strata:
    """Stores how the captions of a frame are divided: the stratum of each, and name and size of each stratum.

    ``keys`` are what captions of a stratum are sorted by, the last one first. ``disputed``: the last stratum are the
    captions that a second reader disputes.
    """

    code: NDArray[np.int32]
    names: list[str]
    sizes: list[int]
    keys: tuple[NDArray[np.int32], ...]
    disputed: bool = False


class DrawnCaption(NamedTuple):
    """A caption of the sample: its index in the frame, and the number of its stratum."""

    frame_index: int
    stratum: int


def stratify(frame: SamplingFrame, size: int, design: Design, disputed: NDArray[np.bool_] | None = None) -> Strata:
    """Divide a frame into strata, for a sample that begins with ``size`` captions.

    ``disputed`` marks the captions that a second reader disputes.
    """
    if disputed is not None and disputed.any():
        return _with_disputed(frame, size, design, disputed)
    if design == "random":
        return Strata(np.zeros(len(frame), np.int32), ["all"], [len(frame)], ())
    cell = _cells(frame)
    counts = np.bincount(cell)
    own_strata = _large_enough(counts.tolist(), size)
    names = [_cell_name(frame, number) for number in own_strata]
    stratum_of_cell = np.full(len(counts), len(own_strata), np.int32)
    stratum_of_cell[own_strata] = np.arange(len(own_strata))
    code = stratum_of_cell[cell]
    sizes = np.bincount(code, minlength=len(own_strata)).tolist()
    return Strata(code, [*names, *[REST_STRATUM] * (len(sizes) - len(own_strata))], sizes, (frame.organ, cell))


def _cells(frame: SamplingFrame) -> NDArray[np.int32]:
    return frame.group * BAND_COUNT + frame.bands() if frame.kind == "accepted" else frame.group


def _with_disputed(frame: SamplingFrame, size: int, design: Design, disputed: NDArray[np.bool_]) -> Strata:
    """Divide the captions that are not disputed, and add the others as the last stratum."""
    count = int(disputed.sum())
    _, share_of_others = split_sample(count, len(frame) - count, size)
    others = stratify(frame.only(~disputed), share_of_others, design)
    code = np.full(len(frame), len(others.sizes), np.int32)
    code[~disputed] = others.code
    keys = () if design == "random" else (frame.organ, _cells(frame))
    return Strata(code, [*others.names, DISPUTED_STRATUM], [*others.sizes, count], keys, disputed=True)


def split_sample(disputed: int, others: int, size: int) -> tuple[int, int]:
    """Return how much of a sample of ``size`` is drawn from the disputed captions, and how much from the others.

    With a larger ``size`` neither is smaller.
    """
    size = min(size, disputed + others)
    in_proportion = -(-size * disputed // (disputed + others))
    least = min(others, MIN_PER_STRATUM, size // 2)  # without any of them there is no rate of the set
    share = min(disputed, max(-(-size // 2), in_proportion), size - least)
    share = max(share, size - others)
    return share, size - share


def shares_of_strata(strata: Strata, size: int) -> list[int]:
    """Return how many captions to draw from each stratum for a sample of ``size``."""
    if not strata.disputed:
        return allocate(strata.sizes, size)
    *others, disputed = strata.sizes
    share, share_of_others = split_sample(disputed, sum(others), size)
    return [*allocate(others, share_of_others), share]


def _large_enough(counts: Sequence[int], size: int) -> list[int]:
    """Return the cells that are strata of their own; all others together are large enough too, or none."""
    total = sum(counts)
    by_size = sorted((number for number, count in enumerate(counts) if count), key=lambda cell: -counts[cell])
    cells = [cell for cell in by_size if counts[cell] * size >= MIN_PER_STRATUM * total]
    rest = sum(counts) - sum(counts[cell] for cell in cells)
    while cells and 0 < rest * size < MIN_PER_STRATUM * total:
        rest += counts[cells.pop()]
    return sorted(cells)


def _cell_name(frame: SamplingFrame, cell: int) -> str:
    if frame.kind == "refused":
        return frame.groups[cell]
    return f"{frame.groups[cell // BAND_COUNT]}, score {band_name(cell % BAND_COUNT)}"


def band_name(band: int) -> str:
    """Return the name of a band of the score."""
    low, high = SCORE_EDGES[band : band + 2]
    return f"{high:g}" if band == BAND_COUNT - 1 else f"{low:g} to {high:g}"


def allocate(sizes: Sequence[int], size: int) -> list[int]:
    """Return how many captions to draw from each stratum: in proportion, from none more than it has.

    Seats are given by highest averages (Webster, Sainte-Laguë). With a larger ``size`` no share is smaller.
    """
    shares = [0] * len(sizes)
    queue = [(-float(count), number) for number, count in enumerate(sizes) if count]
    heapq.heapify(queue)
    for _ in range(min(size, sum(sizes))):
        _, number = heapq.heappop(queue)
        shares[number] += 1
        # A stratum that is used up claims less than a half, any other more.
        heapq.heappush(queue, (-sizes[number] / (2 * shares[number] + 1), number))
    return shares


def draw_captions(
    strata: Strata, shares: Sequence[int], rng: np.random.Generator, drawn_before: Collection[int] = ()
) -> list[DrawnCaption]:
    """Draw until each stratum has its share; ``drawn_before`` are the indices that are in the sample already."""
    free = np.ones(len(strata.code), bool)
    free[list(drawn_before)] = False
    counts_before = np.bincount(strata.code[~free], minlength=len(strata.sizes))
    keys: Any = (rng.random(len(free)), *strata.keys, strata.code)
    order = np.lexsort(keys)
    order = order[free[order]]
    ends = np.searchsorted(strata.code[order], np.arange(len(strata.sizes) + 1))
    drawn = []
    for number, share in enumerate(shares):
        rows = order[ends[number] : ends[number + 1]]
        drawn += [DrawnCaption(int(row), number) for row in _systematic(rows, share - int(counts_before[number]), rng)]
    return drawn


def _systematic(rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return ``count`` of ``rows``, taken at equal steps from a random start."""
    if count <= 0:
        return rows[:0]
    steps = ((np.arange(count) + rng.random()) * len(rows) / count).astype(np.int64)
    return rows[np.minimum(steps, len(rows) - 1)]  # a float may round up to the end


def random_generator(
    seed: int, purpose: ItemKind | Literal["order", "reports"], drawn_before: int
) -> np.random.Generator:
    """Return random numbers for one purpose: the same for the same seed and as many captions drawn before."""
    purposes = ("accepted", "refused", "order", "uncovered", "reports")
    return np.random.Generator(np.random.PCG64([seed, purposes.index(purpose), drawn_before]))
