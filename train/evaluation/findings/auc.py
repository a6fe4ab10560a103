"""The area under the ROC curve of scores by labels, with intervals from resamples of patients.

The area is the share of pairs of a positive and a negative case in which the positive one scores higher, ties counting
half (Hanley and McNeil 1982). Shapes: N cases, F findings, R resamples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..bootstrap import CONFIDENCE, Bootstrap, BootstrapEstimate

# Resamples whose weights of all cases are held at a time.
AT_ONCE = 64


class Areas(NamedTuple):
    """The area of each finding (F), and their mean; a finding without positives or without negatives has none."""

    findings: list[BootstrapEstimate]
    mean: BootstrapEstimate


def areas(scores: NDArray[np.float64], labels: NDArray[np.bool_], bootstrap: Bootstrap) -> Areas:
    """Estimate the area of each column of scores (N, F) by labels (N, F), and the mean over columns.

    `bootstrap` has the patients of the N cases; `count` of an estimate is the number of positive cases, of the mean
    that of findings. A resample without a positive or a negative case of a finding leaves that finding out.
    """
    ones = np.ones((1, len(scores)))
    columns = range(scores.shape[1])
    values = np.array([_areas(scores[:, column], labels[:, column], ones)[0] for column in columns])
    resampled = np.stack([_resampled(scores[:, column], labels[:, column], bootstrap) for column in columns], axis=1)
    findings = [
        _estimate(values[column], resampled[:, column], int(labels[:, column].sum()), bootstrap) for column in columns
    ]
    defined = ~np.isnan(values)
    if not defined.any():
        return Areas(findings, BootstrapEstimate(None, None, None, 0))
    kept = resampled[:, defined]
    counts = (~np.isnan(kept)).sum(axis=1)
    means = np.where(counts > 0, np.nansum(kept, axis=1) / np.maximum(counts, 1), np.nan)
    return Areas(findings, _estimate(float(values[defined].mean()), means, int(defined.sum()), bootstrap))


def _estimate(value: float, resampled: NDArray[np.float64], count: int, bootstrap: Bootstrap) -> BootstrapEstimate:
    if np.isnan(value):
        return BootstrapEstimate(None, None, None, count)
    if bootstrap.patients < 2 or np.isnan(resampled).all():
        return BootstrapEstimate(float(value), None, None, count)
    tail = 50 * (1 - CONFIDENCE)
    low, high = (float(end) for end in np.nanpercentile(resampled, [tail, 100 - tail]))
    return BootstrapEstimate(float(value), low, high, count)


def _resampled(scores: NDArray[np.float64], labels: NDArray[np.bool_], bootstrap: Bootstrap) -> NDArray[np.float64]:
    """Return the area in each resample (R,)."""
    times = bootstrap.times
    blocks = [
        _areas(scores, labels, bootstrap.of_cases(times[start : start + AT_ONCE]))
        for start in range(0, len(times), AT_ONCE)
    ]
    return np.concatenate(blocks)


def _areas(scores: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area (W,) of scores (N,) by labels (N,), with the cases weighted by each row of weights (W, N)."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    positive, negative = (
        np.add.reduceat(np.where(side[order], weights[:, order], 0.0), starts, axis=1) for side in (labels, ~labels)
    )
    # Of each level of scores: all negatives below it, and half of those at it.
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    won = (positive * below).sum(axis=1)
    shares: NDArray[np.float64] = np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
    return shares
