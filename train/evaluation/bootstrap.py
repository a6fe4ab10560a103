"""Intervals by resampling patients: the percentile bootstrap (Efron and Tibshirani 1993, chapter 13).

A patient's cases stay together, and all columns (structures) see the same resamples, so that what is measured on one
scan goes in or out as a whole. Shapes: N cases, S columns, R resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval over `count` values; null where there are none, the interval with one patient."""

    value: float | None
    low: float | None
    high: float | None
    count: int


class Bootstrap:
    """The resamples of a set of cases, whose `patients` are named in order (N)."""

    def __init__(self, patients: Sequence[str], seed: int = 0, resamples: int = RESAMPLES) -> None:
        names, self._patient = np.unique(np.asarray(patients, dtype=object), return_inverse=True)
        self.patients = len(names)
        generator = np.random.default_rng(seed)
        shares = np.full(max(self.patients, 1), 1 / max(self.patients, 1))
        drawn = generator.multinomial(self.patients, shares, size=resamples)
        self.times: Values = drawn[:, : self.patients].astype(np.float64)
        """How often each resample has each patient (R, patients)."""

    def columns(self, values: Values) -> list[Estimate]:
        """The mean of each column of values (N, S) over the cases that have one (NaN: none)."""
        resampled = self._column_means(values)
        return [
            self._estimate(values[:, place], resampled[:, place], _mean(values[:, place]))
            for place in range(values.shape[1])
        ]

    def mean(self, values: Values) -> Estimate:
        """The mean of the columns' means: a rare structure counts as much as one that every case has.

        A resample without any case of a structure leaves that structure out.
        """
        means = [_mean(values[:, place]) for place in range(values.shape[1])]
        known = [mean for mean in means if mean is not None]
        resampled = _nanmean(self._column_means(values))
        return self._estimate(values, resampled, float(np.mean(known)) if known else None)

    def share(self, hits: Values, asked: Values) -> Estimate:
        """All hits (N) over all that was asked (N)."""
        total = float(asked.sum())
        resampled = _divide(self.times @ self._by_patient(hits[:, None]), self.times @ self._by_patient(asked[:, None]))
        seen = np.where(asked > 0, 1.0, np.nan)
        estimate = self._estimate(seen, resampled[:, 0], float(hits.sum()) / total if total else None)
        return Estimate(estimate.value, estimate.low, estimate.high, int(total))

    def patients_with(self, seen: NDArray[Any]) -> int:
        """How many patients have a case for which `seen` (N) is true, or a count above 0."""
        return len(np.unique(self._patient[np.asarray(seen, bool)]))

    def _column_means(self, values: Values) -> Values:
        """The mean of each column in each resample (R, S), NaN where no case has a value."""
        known = ~np.isnan(values)
        sums = self._by_patient(np.where(known, values, 0.0))
        return _divide(self.times @ sums, self.times @ self._by_patient(known.astype(np.float64)))

    def _by_patient(self, values: Values) -> Values:
        """Rows of one patient added up (patients, S)."""
        sums = np.zeros((self.patients, values.shape[1]))
        np.add.at(sums, self._patient, values)
        return sums

    def _estimate(self, values: Values, resampled: Values, value: float | None) -> Estimate:
        known = ~np.isnan(values)
        low = high = None
        if self.patients_with(known.reshape(len(known), -1).sum(axis=1)) > 1:
            tail = 50 * (1 - CONFIDENCE)
            low, high = (float(end) for end in np.nanpercentile(resampled, [tail, 100 - tail]))
        return Estimate(value, low, high, int(known.sum()))


def _mean(values: Values) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _divide(above: Values, below: Values) -> Values:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _nanmean(values: Values) -> Values:
    """The mean of each row without its NaN (numpy's own warns of rows that are nothing else)."""
    known = ~np.isnan(values)
    return _divide(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))
