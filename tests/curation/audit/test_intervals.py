"""Shares and their intervals: Wilson's against statsmodels, weights against numpy, coverage by simulation."""

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from curation.audit.intervals import Z, complement, effective_size, estimate, share_of_two, wilson
from curation.audit.sampling import Design, allocate, draw_captions, random_generator, stratify
from curation.audit.sampling_frame import SamplingFrame
from curation.caption_set.records.estimates import Estimate
from tests.curation.audit.builders import mixed_frame

WEIGHT = st.floats(0.01, 1e6)
OBSERVATIONS = st.lists(st.tuples(st.booleans(), WEIGHT), min_size=1, max_size=60)
ESTIMATE = st.lists(st.tuples(st.booleans(), WEIGHT), max_size=30).map(estimate)
SIZE = st.sampled_from((0, 1, 40, 10**7))
DRAWS = 2_000


def sample_share(hits: int, reviewed: int) -> Estimate:
    """Return the share of hits in an unweighted sample."""
    return estimate((number < hits, 1.0) for number in range(reviewed))


def in_order(share: Estimate) -> bool:
    return 0 <= share.low <= (share.low if share.rate is None else share.rate) <= share.high <= 1


@pytest.mark.parametrize("size", [1, 2, 3, 10, 17, 100, 999])
def test_wilson_is_that_of_statsmodels(size: int) -> None:
    for hits in range(size + 1):
        assert wilson(hits / size, size) == pytest.approx(proportion_confint(hits, size, method="wilson"), abs=1e-12)


@given(st.integers(1, 10**7), st.floats(0, 1))
def test_wilson_is_that_of_statsmodels_for_large_samples(size: int, share: float) -> None:
    hits = round(share * size)
    assert wilson(hits / size, size) == pytest.approx(proportion_confint(hits, size, method="wilson"), abs=1e-12)


def test_nothing_seen_among_100_leaves_up_to_3_7_percent() -> None:
    share = sample_share(0, 100)
    assert (share.rate, share.low) == (0, 0)
    assert round(100 * share.high, 1) == 3.7
    assert share.high == pytest.approx(Z**2 / (100 + Z**2), abs=1e-12)


def test_where_nothing_was_seen_nothing_is_known() -> None:
    nothing = estimate([])
    assert (nothing.rate, nothing.low, nothing.high, nothing.effective) == (None, 0, 1, 0)
    assert wilson(0.5, 0) == (0, 1)


@given(st.integers(0, 100), WEIGHT)
def test_equal_weights_change_nothing(hits: int, weight: float) -> None:
    plain, weighted = sample_share(hits, 100), estimate((number < hits, weight) for number in range(100))
    assert weighted.rate == pytest.approx(plain.rate, abs=1e-12)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), abs=1e-12)
    assert weighted.effective == pytest.approx(100)
    assert estimate((number < hits, 1.0) for number in range(100)) == plain


@given(OBSERVATIONS)
def test_the_weighted_rate_is_the_average_of_numpy(rows: list[tuple[bool, float]]) -> None:
    hits, weights = zip(*rows, strict=True)
    share = estimate(rows)
    assert share.rate == pytest.approx(np.average(hits, weights=weights), abs=1e-12)
    assert (share.hits, share.reviewed) == (sum(hits), len(rows))


@given(OBSERVATIONS)
def test_the_interval_is_wilsons_for_the_effective_size_of_kish(rows: list[tuple[bool, float]]) -> None:
    weights = np.array([weight for _, weight in rows])
    size = float(weights.sum() ** 2 / (weights**2).sum())
    share = estimate(rows)
    assert share.rate is not None
    assert share.effective == effective_size(weights) == pytest.approx(size)
    assert (share.low, share.high) == pytest.approx(wilson(share.rate, size), abs=1e-9)
    assert 1 - 1e-9 <= share.effective <= len(rows) + 1e-9


@given(OBSERVATIONS)
def test_a_rate_lies_within_its_interval(rows: list[tuple[bool, float]]) -> None:
    assert in_order(estimate(rows))


@given(OBSERVATIONS)
def test_the_complement_is_the_share_of_all_others(rows: list[tuple[bool, float]]) -> None:
    others, expected = complement(estimate(rows)), estimate((not hit, weight) for hit, weight in rows)
    assert (others.hits, others.reviewed) == (expected.hits, expected.reviewed)
    assert others.rate == pytest.approx(expected.rate, abs=1e-12)
    assert (others.low, others.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert in_order(others)


def test_the_complement_of_what_is_not_known_is_not_known_either() -> None:
    assert complement(estimate([])) == estimate([])


def test_a_share_of_two_parts_counts_each_by_its_size() -> None:
    share = share_of_two(sample_share(9, 10), 4_000, sample_share(1, 4), 1_000)
    assert share.rate == pytest.approx(3_600 / (3_600 + 250), abs=1e-12)
    assert (share.hits, share.reviewed) == (9, 10)
    assert share.effective == pytest.approx(4)


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
    share = share_of_two(sample_share(*first), first_size, sample_share(*second), second_size)
    assert (share.rate, share.low, share.high) == expected


@pytest.mark.parametrize(("first", "second", "rate"), [(0, 10, 0), (10, 0, 1)])
def test_with_none_seen_in_one_part_some_may_be_there_still(first: int, second: int, rate: float) -> None:
    share = share_of_two(sample_share(first, 50), 700, sample_share(second, 50), 300)
    assert share.rate == rate
    assert 0.05 < share.high - share.low < 1
    assert in_order(share)


def test_limits_of_a_share_of_two_parts_are_those_of_the_ratio() -> None:
    """At a limit R the difference of one share and R times the other is just not told from nothing (MOVER)."""
    for first, second in [((40, 60), (7, 50)), ((90, 100), (30, 40)), ((12, 80), (40, 80))]:
        below, above = sample_share(*first), sample_share(*second)
        assert below.rate is not None and above.rate is not None
        share = share_of_two(below, 800, above, 200)
        low, high = ((1 / bound - 1) * 800 / 200 for bound in (share.high, share.low))
        for ratio, above_limit, below_limit in ((low, above.low, below.high), (high, above.high, below.low)):
            apart = math.hypot(above.rate - above_limit, ratio * (below.rate - below_limit))
            assert abs(above.rate - ratio * below.rate) == pytest.approx(apart, abs=1e-12)


def verifiers(refused: int, low: float, high: float) -> Iterator[tuple[float, Estimate, float, Estimate]]:
    """True recall and share of hallucinations caught, each with what 100 accepted and 100 refused captions say of it.

    Of 9,000 accepted captions 1 to 30 % (log-uniform) are hallucinated, of the refused ones ``low`` to ``high`` not.
    """
    rng = np.random.default_rng(1)
    for _ in range(DRAWS):
        hallucinated, wrong = math.exp(rng.uniform(math.log(0.01), math.log(0.3))), rng.uniform(low, high)
        carried, missed = 9_000 * (1 - hallucinated), 9_000 * hallucinated
        lost, caught = refused * wrong, refused * (1 - wrong)
        bad, good = sample_share(rng.binomial(100, hallucinated), 100), sample_share(rng.binomial(100, wrong), 100)
        yield (
            carried / (carried + lost),
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


# Coverage: on a frame of 2,000 captions, 2,000 samples of 100 each, with hallucinations scattered anew for each.


def risks(frame: SamplingFrame) -> dict[str, NDArray[np.float64]]:
    """How likely a caption is hallucinated, compared with others, in four worlds."""
    return {
        "flat": np.ones(len(frame)),
        "score": 1.08 ** (100 - frame.score.astype(float)),
        "rare status": np.where(frame.group == 2, 12.0, 1.0),
        "organ": np.where(frame.organ == 3, 8.0, 1.0),
    }


RISKS = list(risks(mixed_frame()))


@cache
def samples(design: Design, equal: bool = False) -> list[tuple[NDArray[np.int64], list[float]]]:
    """Seeded samples with their weights; ``equal``: as many of each stratum, however large it is."""
    strata = stratify(mixed_frame(), 100, design)
    number = len(strata.sizes)
    shares = [100 // number] * number if equal else allocate(strata.sizes, 100)
    weights = [there / share for there, share in zip(strata.sizes, shares, strict=True)]
    drawn_samples = []
    for seed in range(DRAWS):
        drawn = draw_captions(strata, shares, random_generator(seed, "accepted", 0))
        indices = np.array([caption.frame_index for caption in drawn])
        drawn_samples.append((indices, [weights[caption.stratum] for caption in drawn]))
    return drawn_samples


@cache
def audits(world: str, design: Design, equal: bool = False) -> NDArray[np.float64]:
    """For each sample the true rate (1 to 30 %, log-uniform), its estimate with low and high, and the plain mean."""
    rng = np.random.default_rng(9)
    risk = risks(mixed_frame())[world]
    rates = []
    for drawn, weights in samples(design, equal):
        rate = math.exp(rng.uniform(math.log(0.01), math.log(0.3)))
        hallucinated = rng.random(len(risk)) < risk * rate / risk.mean()
        hits = hallucinated[drawn]
        share = estimate(zip(hits.tolist(), weights, strict=True))
        assert share.rate is not None
        rates.append((hallucinated.mean(), share.rate, share.low, share.high, hits.mean()))
    return np.array(rates).T


@pytest.mark.parametrize("world", RISKS)
@pytest.mark.parametrize(("design", "equal"), [("random", False), ("stratified", False), ("stratified", True)])
def test_the_interval_covers_the_true_rate_and_the_estimate_is_unbiased(
    world: str, design: Design, equal: bool
) -> None:
    true, rate, low, high, _ = audits(world, design, equal)
    error = rate - true
    assert np.mean((low <= true) & (true <= high)) >= 0.94
    assert abs(error.mean()) < 3 * error.std() / math.sqrt(DRAWS)


def test_a_disproportionate_sample_needs_its_weights() -> None:
    true, rate, _, _, unweighted = audits("score", "stratified", equal=True)
    assert rate.mean() == pytest.approx(true.mean(), rel=0.02)
    assert unweighted.mean() > 1.15 * true.mean()


def test_strata_make_the_estimate_more_exact_where_the_risk_depends_on_them() -> None:
    true, stratified, *_ = audits("score", "stratified")
    same, simple, *_ = audits("score", "random")
    assert (stratified - true).std() < 0.95 * (simple - same).std()


@pytest.mark.parametrize("rate", [0.005, 0.01, 0.02, 0.03])
@pytest.mark.parametrize(("design", "equal"), [("random", False), ("stratified", False), ("stratified", True)])
def test_a_low_rate_is_seldom_above_the_upper_limit(rate: float, design: Design, equal: bool) -> None:
    rng = np.random.default_rng(3)
    risk = risks(mixed_frame())["score"]
    count = round(rate * len(risk))
    below = 0
    for drawn, weights in samples(design, equal):
        hallucinated = np.zeros(len(risk), bool)
        hallucinated[np.argpartition(rng.exponential(size=len(risk)) / risk, count)[:count]] = True
        below += rate <= estimate(zip(hallucinated[drawn].tolist(), weights, strict=True)).high
    assert below >= 0.97 * DRAWS
