"""Shares of the whole set from a sample in which captions that a second reader disputes are drawn and shown first.

The sample has two halves then: the disputed captions and the others. Within a half the order is random, so what has
been reviewed of it is a sample of the half; but a review that has only begun is all disputed captions. So a caption
counts by how many of its half were reviewed, and while one half has none at all, its share may be anything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from curation.caption_set.records.estimates import Estimate

from ..intervals import estimate


class Halves(NamedTuple):
    """How many captions of the set are disputed, and how many are not."""

    disputed: int
    others: int

    @property
    def divided(self) -> bool:
        """Whether there are captions in both halves."""
        return self.disputed > 0 and self.others > 0


class ReviewedCaption(NamedTuple):
    """Whether a reviewed caption is a hit, what it counts, and whether a second reader disputes it."""

    hit: bool
    weight: float
    disputed: bool


def half_factors(drawn: Iterable[bool], reviewed: Iterable[bool]) -> dict[bool, float]:
    """Return by what the weights in each half are multiplied: how many were drawn for each one reviewed.

    Both arguments say of captions whether they are disputed.
    """
    drawn_counts, reviewed_counts = Counter(drawn), Counter(reviewed)
    return {half: drawn_counts[half] / count for half, count in reviewed_counts.items()}


def share_of_set(observations: Iterable[ReviewedCaption], halves: Halves) -> Estimate:
    """Return the share of hits in the whole set.

    Where one half was not reviewed at all, the interval leaves its share open, and so is the rate if nothing but
    disputed captions were.
    """
    rows = list(observations)
    share = _share_of_halves(rows)
    seen = {row.disputed for row in rows}
    if not halves.divided or len(seen) != 1:
        return share
    missing = halves.others if True in seen else halves.disputed
    unknown = missing / (halves.disputed + halves.others)
    limits = {"low": share.low * (1 - unknown), "high": share.high * (1 - unknown) + unknown}
    return share.model_copy(update=limits | ({"rate": None} if True in seen else {}))


def share_of_group(observations: Iterable[ReviewedCaption], halves: Halves) -> Estimate:
    """Return the share of hits among captions of one kind; none where only disputed ones of them were reviewed.

    How many captions of the kind there are in either half is not known.
    """
    rows = list(observations)
    share = _share_of_halves(rows)
    if rows and halves.divided and all(row.disputed for row in rows):
        return share.model_copy(update={"rate": None, "low": 0.0, "high": 1.0, "effective": 0.0})
    return share


def _share_of_halves(rows: Sequence[ReviewedCaption]) -> Estimate:
    """Return the share of hits; of two halves with an interval from the limits of both (MOVER; Zou and Donner 2008).

    Their weights differ so much that an interval for the effective size of both together would be too narrow where
    the rate of the larger half is the higher one.
    """
    share = estimate((row.hit, row.weight) for row in rows)
    parts = [[row for row in rows if row.disputed is half] for half in (True, False)]
    if share.rate is None or not all(parts):
        return share
    total = math.fsum(row.weight for row in rows)
    below, above = [], []
    for part in parts:
        weight = math.fsum(row.weight for row in part) / total
        own = estimate((row.hit, row.weight) for row in part)
        rate = own.rate or 0.0
        below.append(weight * (rate - own.low))
        above.append(weight * (own.high - rate))
    limits = {"low": max(0.0, share.rate - math.hypot(*below)), "high": min(1.0, share.rate + math.hypot(*above))}
    return share.model_copy(update=limits)


def shares_by_reader(observations: Sequence[ReviewedCaption], halves: Halves) -> dict[str, Estimate]:
    """Return the share of hits among the disputed captions and among the others; nothing without a second reader."""
    if not halves.disputed:
        return {}
    names = {True: "second reader disagrees", False: "all others"}
    return {
        name: estimate((row.hit, row.weight) for row in observations if row.disputed is half)
        for half, name in names.items()
    }
