"""Shares with their 95 % intervals, from samples that may be weighted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import NormalDist

from curation.caption_set.records.estimates import Estimate

Z = NormalDist().inv_cdf(0.975)
UNDEFINED = "–"


def wilson(rate: float, size: float) -> tuple[float, float]:
    """Return Wilson's score interval (1927) at 95 % for a share seen in a simple random sample of ``size``.

    With no hit among 100 it ends at 3.7 %. ``size`` need not be a whole number.
    """
    if size <= 0:
        return 0.0, 1.0
    square = Z * Z / size
    middle = (rate + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(rate * (1 - rate) / size + square / (4 * size))
    # Where rate is 0 or 1 the end is exact, which rounding must not spoil.
    low = 0.0 if rate <= 0 else max(0.0, middle - half)
    high = 1.0 if rate >= 1 else min(1.0, middle + half)
    return low, high


def effective_size(weights: Iterable[float]) -> float:
    """Return the size of the simple random sample that knows as much as a weighted one (Kish 1965).

    It leaves out what strata gain, so intervals made with it are rather too wide than too narrow.
    """
    total = squares = 0.0
    for weight in weights:
        total += weight
        squares += weight * weight
    return total * total / squares if squares else 0.0


def estimate(observations: Iterable[tuple[bool, float]]) -> Estimate:
    """Return the share of hits among captions, with Wilson's interval for the effective size.

    An observation is whether the caption is a hit, and its weight.
    """
    rows = list(observations)
    total = math.fsum(weight for _, weight in rows)
    if not total:
        return Estimate(rate=None, low=0.0, high=1.0, hits=0, reviewed=len(rows), effective=0.0)
    hits = sum(hit for hit, _ in rows)
    rate = math.fsum(weight for hit, weight in rows if hit) / total if hits < len(rows) else 1.0
    size = effective_size(weight for _, weight in rows)
    low, high = wilson(rate, size)
    return Estimate(rate=rate, low=low, high=high, hits=hits, reviewed=len(rows), effective=size)


def complement(share: Estimate) -> Estimate:
    """Return the share of all captions that are no hits."""
    rate = None if share.rate is None else 1 - share.rate
    changes = {"rate": rate, "low": 1 - share.high, "high": 1 - share.low, "hits": share.reviewed - share.hits}
    return share.model_copy(update=changes)


def share_of_two(first: Estimate, first_size: int, second: Estimate, second_size: int) -> Estimate:
    """Return which share of the hits in two parts of a set lies in the first part.

    The parts have ``first_size`` and ``second_size`` captions. The interval is that of the ratio of the two shares,
    recovered from their own limits (MOVER; Donner and Zou 2012, the form of Fagerland and Newcombe 2013).
    """
    hits, reviewed = first.hits, first.hits + second.hits
    unknown = Estimate(rate=None, low=0.0, high=1.0, hits=hits, reviewed=reviewed, effective=0.0)
    if not first_size or not second_size:
        certain = 1.0 if first_size else 0.0
        is_known = bool(first_size or second_size) and reviewed > 0
        return unknown.model_copy(update={"rate": certain, "low": certain, "high": certain}) if is_known else unknown
    if first.rate is None or second.rate is None or not (first.rate or second.rate):
        return unknown
    scale = second_size / first_size
    low, high = (_share(ratio * scale) for ratio in reversed(_ratio_limits(second, first)))
    rate = first.rate * first_size / (first.rate * first_size + second.rate * second_size)
    effective = min(first.effective, second.effective)
    return Estimate(rate=rate, low=low, high=high, hits=hits, reviewed=reviewed, effective=effective)


def _share(ratio: float) -> float:
    return 1 / (1 + ratio)


def _ratio_limits(above: Estimate, below: Estimate) -> tuple[float, float]:
    """Return the limits of the ratio of two independent shares, ``above`` divided by ``below``."""
    numerator, denominator = above.rate or 0.0, below.rate or 0.0
    product = numerator * denominator
    if (bottom := below.high * (2 * denominator - below.high)) > 0:
        inside = product**2 - above.low * (2 * numerator - above.low) * bottom
        low = max(0.0, (product - math.sqrt(max(0.0, inside))) / bottom)
    else:
        low = above.low / below.high
    if (bottom := below.low * (2 * denominator - below.low)) > 0:
        inside = product**2 - above.high * (2 * numerator - above.high) * bottom
        high = (product + math.sqrt(max(0.0, inside))) / bottom
    else:
        high = math.inf
    return low, high


def percent(share: float | None) -> str:
    """Return a share in percent."""
    return UNDEFINED if share is None else f"{100 * share:.1f} %"


def interval(estimate: Estimate) -> str:
    """Return the interval of a share in percent."""
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f} %"


def coefficient(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a coefficient of agreement with its interval."""
    if value is None:
        return UNDEFINED
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"
