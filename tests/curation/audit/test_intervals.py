"""Shares and their intervals: Wilson's against statsmodels, weights against numpy, the verifier's by simulation."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from curation.audit.intervals import Z, complement, effective_size, estimate, share_of_two, wilson
from curation.caption_set.audit_results import Estimate

WEIGHT = st.floats(0.01, 1e6)
SEEN = st.lists(st.tuples(st.booleans(), WEIGHT), min_size=1, max_size=60)
ESTIMATE = st.lists(st.tuples(st.booleans(), WEIGHT), max_size=30).map(estimate)
SIZE = st.sampled_from((0, 1, 40, 10**7))
DRAWS = 2_000


def seen(hits: int, reviewed: int) -> Estimate:
    """What an unweighted sample says."""
    return estimate((number < hits, 1.0) for number in range(reviewed))


def in_order(one: Estimate) -> bool:
    return 0 <= one.low <= (one.low if one.rate is None else one.rate) <= one.high <= 1


@pytest.mark.parametrize("size", [1, 2, 3, 10, 17, 100, 999])
def test_wilson_is_that_of_statsmodels(size: int) -> None:
    for hits in range(size + 1):
        assert wilson(hits / size, size) == pytest.approx(proportion_confint(hits, size, method="wilson"), abs=1e-12)


@given(st.integers(1, 10**7), st.floats(0, 1))
def test_wilson_is_that_of_statsmodels_for_large_samples(size: int, share: float) -> None:
    hits = round(share * size)
    assert wilson(hits / size, size) == pytest.approx(proportion_confint(hits, size, method="wilson"), abs=1e-12)


def test_nothing_seen_among_100_leaves_up_to_3_7_percent() -> None:
    found = seen(0, 100)
    assert (found.rate, found.low) == (0, 0)
    assert round(100 * found.high, 1) == 3.7
    assert found.high == pytest.approx(Z**2 / (100 + Z**2), abs=1e-12)


def test_where_nothing_was_seen_nothing_is_known() -> None:
    nothing = estimate([])
    assert (nothing.rate, nothing.low, nothing.high, nothing.effective) == (None, 0, 1, 0)
    assert wilson(0.5, 0) == (0, 1)


@given(st.integers(0, 100), WEIGHT)
def test_equal_weights_change_nothing(hits: int, weight: float) -> None:
    plain, weighted = seen(hits, 100), estimate((number < hits, weight) for number in range(100))
    assert weighted.rate == pytest.approx(plain.rate, abs=1e-12)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), abs=1e-12)
    assert weighted.effective == pytest.approx(100)
    assert estimate((number < hits, 1.0) for number in range(100)) == plain


@given(SEEN)
def test_the_weighted_rate_is_the_average_of_numpy(rows: list[tuple[bool, float]]) -> None:
    hits, weights = zip(*rows, strict=True)
    found = estimate(rows)
    assert found.rate == pytest.approx(np.average(hits, weights=weights), abs=1e-12)
    assert (found.hits, found.reviewed) == (sum(hits), len(rows))


@given(SEEN)
def test_the_interval_is_wilsons_for_the_effective_size_of_kish(rows: list[tuple[bool, float]]) -> None:
    weights = np.array([weight for _, weight in rows])
    size = float(weights.sum() ** 2 / (weights**2).sum())
    found = estimate(rows)
    assert found.rate is not None
    assert found.effective == effective_size(weights) == pytest.approx(size)
    assert (found.low, found.high) == pytest.approx(wilson(found.rate, size), abs=1e-9)
    assert 1 - 1e-9 <= found.effective <= len(rows) + 1e-9


@given(SEEN)
def test_a_rate_lies_within_its_interval(rows: list[tuple[bool, float]]) -> None:
    assert in_order(estimate(rows))


@given(SEEN)
def test_the_complement_is_the_share_of_all_others(rows: list[tuple[bool, float]]) -> None:
    others, found = complement(estimate(rows)), estimate((not hit, weight) for hit, weight in rows)
    assert (others.hits, others.reviewed) == (found.hits, found.reviewed)
    assert others.rate == pytest.approx(found.rate, abs=1e-12)
    assert (others.low, others.high) == pytest.approx((found.low, found.high), abs=1e-12)
    assert in_order(others)


def test_the_complement_of_what_is_not_known_is_not_known_either() -> None:
    assert complement(estimate([])) == estimate([])


def test_a_share_of_two_parts_counts_each_by_its_size() -> None:
    found = share_of_two(seen(9, 10), 4_000, seen(1, 4), 1_000)
    assert found.rate == pytest.approx(3_600 / (3_600 + 250), abs=1e-12)
    assert (found.hits, found.reviewed) == (9, 10)
    assert found.effective == pytest.approx(4)


@given(ESTIMATE, SIZE, ESTIMATE, SIZE)
def test_a_share_of_two_parts_is_one_whatever_was_seen(
    first: Estimate, first_size: int, second: Estimate, second_size: int
) -> None:
    assert in_order(share_of_two(first, first_size, second, second_size))


@pytest.mark.parametrize(
    ("first", "first_size", "second", "second_size", "expected"),
    [
        ((90, 100), 900, (0, 0), 0, (1, 1, 1)),  # nothing was refused
        ((0, 0), 0, (5, 100), 900, (0, 0, 0)),
        ((90, 100), 900, (0, 0), 100, (None, 0, 1)),  # no refused caption was reviewed
        ((0, 0), 900, (0, 0), 100, (None, 0, 1)),
        ((0, 0), 0, (0, 0), 0, (None, 0, 1)),
        ((0, 100), 900, (0, 100), 100, (None, 0, 1)),  # there is none of it in either
    ],
)
def test_shares_of_parts_that_are_missing(
    first: tuple[int, int],
    first_size: int,
    second: tuple[int, int],
    second_size: int,
    expected: tuple[float | None, float, float],
) -> None:
    found = share_of_two(seen(*first), first_size, seen(*second), second_size)
    assert (found.rate, found.low, found.high) == expected


@pytest.mark.parametrize(("first", "second", "rate"), [(0, 10, 0), (10, 0, 1)])
def test_with_none_seen_in_one_part_some_may_be_there_still(first: int, second: int, rate: float) -> None:
    found = share_of_two(seen(first, 50), 700, seen(second, 50), 300)
    assert found.rate == rate
    assert 0.05 < found.high - found.low < 1
    assert in_order(found)


def test_limits_of_a_share_of_two_parts_are_those_of_the_ratio() -> None:
    """At a limit R the difference of one share and R times the other is just not told from nothing (MOVER)."""
    for first, second in [((40, 60), (7, 50)), ((90, 100), (30, 40)), ((12, 80), (40, 80))]:
        below, above = seen(*first), seen(*second)
        assert below.rate is not None and above.rate is not None
        found = share_of_two(below, 800, above, 200)
        low, high = ((1 / share - 1) * 800 / 200 for share in (found.high, found.low))
        for ratio, one, other in ((low, above.low, below.high), (high, above.high, below.low)):
            apart = math.hypot(above.rate - one, ratio * (below.rate - other))
            assert abs(above.rate - ratio * below.rate) == pytest.approx(apart, abs=1e-12)


def verifiers(refused: int, low: float, high: float) -> Iterator[tuple[float, Estimate, float, Estimate]]:
    """True recall and share of hallucinations caught, each with what 100 accepted and 100 refused captions say of it.

    Of 9,000 accepted captions 1 to 30 % (log-uniform) are hallucinated, of the refused ones ``low`` to ``high`` not.
    """
    rng = np.random.default_rng(1)
    for _ in range(DRAWS):
        hallucinated, wrong = math.exp(rng.uniform(math.log(0.01), math.log(0.3))), rng.uniform(low, high)
        kept, missed = 9_000 * (1 - hallucinated), 9_000 * hallucinated
        lost, caught = refused * wrong, refused * (1 - wrong)
        bad, good = seen(rng.binomial(100, hallucinated), 100), seen(rng.binomial(100, wrong), 100)
        yield (
            kept / (kept + lost),
            share_of_two(complement(bad), 9_000, good, refused),
            caught / (caught + missed),
            share_of_two(complement(good), refused, bad, 9_000),
        )


@pytest.mark.parametrize(("low", "high"), [(0.05, 0.6), (0.6, 0.9), (0.9, 1.0)])
@pytest.mark.parametrize("refused", [1_000, 9_000])
def test_intervals_of_recall_and_of_hallucinations_caught_cover_the_truth(
    refused: int, low: float, high: float
) -> None:
    recalls = catches = 0
    for recall, seen_recall, caught, seen_caught in verifiers(refused, low, high):
        recalls += seen_recall.low <= recall <= seen_recall.high
        catches += seen_caught.low <= caught <= seen_caught.high
    assert min(recalls, catches) >= 0.94 * DRAWS
