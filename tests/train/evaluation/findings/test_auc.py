"""Areas under ROC curves against a loop over pairs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from train.evaluation.bootstrap import Bootstrap
from train.evaluation.findings.auc import areas


def naive(scores: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64] | None = None) -> float:
    weights = np.ones(len(scores)) if weights is None else weights
    won = total = 0.0
    for i in np.flatnonzero(labels):
        for j in np.flatnonzero(~labels):
            pair = weights[i] * weights[j]
            total += pair
            won += pair * (1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0)
    return won / total if total else float("nan")


@pytest.mark.parametrize("seed", range(3))
def test_the_area_is_the_share_of_pairs_in_order(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores, labels = draw.integers(0, 6, (20, 3)).astype(float), draw.random((20, 3)) < 0.3
    labels[:2] = [[True] * 3, [False] * 3]
    bootstrap = Bootstrap([f"p{number // 2}" for number in range(20)], resamples=50)
    measured = areas(scores, labels, bootstrap)
    for column, finding in enumerate(measured.findings):
        assert finding.value == pytest.approx(naive(scores[:, column], labels[:, column]))
        assert finding.count == labels[:, column].sum()
        weights = bootstrap.of_cases(bootstrap.times)
        resampled = [naive(scores[:, column], labels[:, column], row) for row in weights]
        assert (finding.low, finding.high) == pytest.approx(tuple(np.nanpercentile(resampled, [2.5, 97.5])))
    values = [finding.value for finding in measured.findings]
    assert measured.mean.value == pytest.approx(np.mean([value for value in values if value is not None]))
    assert measured.mean.count == 3 and measured.mean.low is not None


def test_perfect_reversed_and_level_scores() -> None:
    labels = np.array([[True] * 3, [True] * 3, [False] * 3])
    scores = np.array([[2.0, 0.0, 1.0], [3.0, 0.0, 1.0], [1.0, 5.0, 1.0]])
    assert [finding.value for finding in areas(scores, labels, Bootstrap(list("abc"))).findings] == [1.0, 0.0, 0.5]


def test_a_finding_that_all_or_none_have_has_no_area_and_is_no_part_of_the_mean() -> None:
    labels = np.array([[True, False, True], [True, False, False], [True, False, False]])
    measured = areas(np.array([[1.0, 1.0, 3.0], [2.0, 2.0, 1.0], [3.0, 3.0, 2.0]]), labels, Bootstrap(list("abc")))
    assert [finding.value for finding in measured.findings] == [None, None, 1.0]
    assert [finding.count for finding in measured.findings] == [3, 0, 1]
    assert (measured.mean.value, measured.mean.count) == (1.0, 1)
    assert areas(np.zeros((3, 1)), np.zeros((3, 1), bool), Bootstrap(list("abc"))).mean.value is None


def test_one_patient_gives_no_interval() -> None:
    measured = areas(np.array([[1.0], [2.0]]), np.array([[False], [True]]), Bootstrap(["a", "a"]))
    assert (measured.findings[0].value, measured.findings[0].low) == (1.0, None)
