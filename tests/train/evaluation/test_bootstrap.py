"""Intervals by resampling patients, against a loop over resamples."""

import numpy as np
import pytest

from train.evaluation.bootstrap import Bootstrap, Values


def values(cases: int, columns: int, seed: int = 0, missing: float = 0.3) -> Values:
    generator = np.random.default_rng(seed)
    table = generator.beta(8, 2, size=(cases, columns))
    table[generator.random(table.shape) < missing] = np.nan
    return table


def test_the_joint_mean_is_that_of_a_loop_over_resamples() -> None:
    patients = [f"p{number // 2}" for number in range(12)]
    table = values(12, 5)
    table[:, 4] = np.nan
    table[3, 4] = 0.5
    bootstrap = Bootstrap(patients, seed=3, resamples=200)
    names = sorted(set(patients))
    means = []
    for times in bootstrap.times:
        drawn = [
            row
            for name, count in zip(names, times, strict=True)
            for _ in range(int(count))
            for row, patient in enumerate(patients)
            if patient == name
        ]
        columns = [table[drawn, column] for column in range(5)]
        defined = [column[~np.isnan(column)] for column in columns]
        means.append(np.mean([column.mean() for column in defined if len(column)]))
    estimate = bootstrap.mean(table)
    assert (estimate.low, estimate.high) == pytest.approx(np.percentile(means, [2.5, 97.5]))
    expected = np.mean([np.mean(column[~np.isnan(column)]) for column in table.T])
    assert estimate.value == pytest.approx(expected)
    assert estimate.count == int((~np.isnan(table)).sum())


def test_cases_of_a_patient_stay_together() -> None:
    table = np.repeat(values(6, 1, missing=0), 20, axis=0)
    together = Bootstrap([f"p{number // 20}" for number in range(120)]).columns(table)[0]
    apart = Bootstrap([f"p{number}" for number in range(120)]).columns(table)[0]
    six = Bootstrap([f"p{number}" for number in range(6)]).columns(table[::20])[0]
    assert width(together) == pytest.approx(width(six))
    assert width(apart) < width(together) / 2


def width(estimate: object) -> float:
    low, high = getattr(estimate, "low"), getattr(estimate, "high")  # noqa: B009
    return float(high - low)


def test_intervals_hold_the_truth_and_shrink() -> None:
    held, widths = 0, {20: 0.0, 80: 0.0}
    for seed in range(60):
        for cases in widths:
            estimate = Bootstrap([str(number) for number in range(cases)], seed, 400).mean(values(cases, 3, seed))
            assert estimate.low is not None and estimate.high is not None
            widths[cases] += estimate.high - estimate.low
            held += cases == 80 and estimate.low <= 0.8 <= estimate.high
    assert held >= 52
    assert widths[80] == pytest.approx(widths[20] / 2, rel=0.2)


def test_one_patient_has_no_interval() -> None:
    table = values(3, 2, missing=0)
    estimate = Bootstrap(["a", "a", "a"]).mean(table)
    assert estimate.value == pytest.approx(table.mean()) and estimate.low is None and estimate.high is None
    of_two = Bootstrap(["a", "a", "b"])
    table[2, 1] = np.nan
    assert [column.low is None for column in of_two.columns(table)] == [False, True]


def test_nothing_to_average() -> None:
    estimate = Bootstrap(["a", "b"]).columns(np.full((2, 1), np.nan))[0]
    assert (estimate.value, estimate.low, estimate.high, estimate.count) == (None, None, None, 0)


def test_shares_are_of_all_trials() -> None:
    estimate = Bootstrap(["a", "b", "c"], resamples=500).share(np.array([1.0, 0, 3]), np.array([2.0, 0, 10]))
    assert estimate.value == pytest.approx(4 / 12) and estimate.count == 12
    assert estimate.low == pytest.approx(0.3) and estimate.high == pytest.approx(0.5)


def test_the_same_seed_gives_the_same() -> None:
    table, patients = values(9, 4), [str(number) for number in range(9)]
    assert Bootstrap(patients, 5).mean(table) == Bootstrap(patients, 5).mean(table)
    assert Bootstrap(patients, 5).mean(table) != Bootstrap(patients, 6).mean(table)
