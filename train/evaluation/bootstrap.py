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
class BootstrapEstimate:
    """A mean of `count` values with its 95 % interval; null without values, the interval also with one patient."""

    value: float | None
    low: float | None
    high: float | None
    count: int


class Bootstrap:
    """Resamples a set of cases by patient. `patients` (N) names the patient of each case, in order."""

    def __init__(self, patients: Sequence[str], seed: int = 0, resamples: int = RESAMPLES) -> None:
        names, self._patient = np.unique(np.asarray(patients, dtype=object), return_inverse=True)
        self.patients = len(names)
        generator = np.random.default_rng(seed)
        shares = np.full(max(self.patients, 1), 1 / max(self.patients, 1))
        draws = generator.multinomial(self.patients, shares, size=resamples)
        self.times: Values = draws[:, : self.patients].astype(np.float64)
        """How often each resample has each patient (R, patients)."""

    def of_cases(self, times: Values) -> Values:
        """Return how often resamples (R, patients) have each case (R, N)."""
        return np.asarray(times[:, self._patient])

    def columns(self, values: Values) -> list[BootstrapEstimate]:
        """Estimate the mean of each column of values (N, S) over the cases that have one (NaN: none)."""
        resampled = self._column_means(values)
        return [
            self._estimate(values[:, column], resampled[:, column], _mean(values[:, column]))
            for column in range(values.shape[1])
        ]

    def mean(self, values: Values) -> BootstrapEstimate:
        """Estimate the mean of the columns' means: a rare structure counts as much as one that every case has.

        A resample without any case of a structure leaves that structure out.
        """
        means = [_mean(values[:, column]) for column in range(values.shape[1])]
        defined_means = [mean for mean in means if mean is not None]
        resampled = _nanmean(self._column_means(values))
        return self._estimate(values, resampled, float(np.mean(defined_means)) if defined_means else None)

    def share(self, hits: Values, trials: Values) -> BootstrapEstimate:
        """Estimate all hits (N) over all trials (N); `count` is the number of trials."""
        total = float(trials.sum())
        resampled = _divide(
            self.times @ self._by_patient(hits[:, None]), self.times @ self._by_patient(trials[:, None])
        )
        has_trials = np.where(trials > 0, 1.0, np.nan)
        estimate = self._estimate(has_trials, resampled[:, 0], float(hits.sum()) / total if total else None)
        return BootstrapEstimate(estimate.value, estimate.low, estimate.high, int(total))

    def patients_with(self, counts: NDArray[Any]) -> int:
        """Count the patients with a case for which `counts` (N) is above 0, or true."""
        return len(np.unique(self._patient[np.asarray(counts, bool)]))

    def _column_means(self, values: Values) -> Values:
        """Return the mean of each column in each resample (R, S), NaN where no case has a value."""
        defined = ~np.isnan(values)
        sums = self._by_patient(np.where(defined, values, 0.0))
        return _divide(self.times @ sums, self.times @ self._by_patient(defined.astype(np.float64)))

    def _by_patient(self, values: Values) -> Values:
        """Add up the rows of each patient (patients, S)."""
        sums = np.zeros((self.patients, values.shape[1]))
        np.add.at(sums, self._patient, values)
        return sums

    def _estimate(self, values: Values, resampled: Values, value: float | None) -> BootstrapEstimate:
        defined = ~np.isnan(values)
        low = high = None
        if self.patients_with(defined.reshape(len(defined), -1).sum(axis=1)) > 1:
            tail = 50 * (1 - CONFIDENCE)
            low, high = (float(end) for end in np.nanpercentile(resampled, [tail, 100 - tail]))
        return BootstrapEstimate(value, low, high, int(defined.sum()))


def _mean(values: Values) -> float | None:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None


def _divide(numerator: Values, denominator: Values) -> Values:
    """Divide, with NaN where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


def _nanmean(values: Values) -> Values:
    """Return the mean of each row without its NaN (numpy's own warns of rows that are nothing else)."""
    defined = ~np.isnan(values)
    return _divide(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64))
