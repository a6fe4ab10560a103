"""Rates of the set where captions that a second reader disputes are drawn first: coverage by simulation, and ends."""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from curation.audit.intervals import estimate
from curation.audit.sampling import (
    DISPUTED_STRATUM,
    Design,
    draw_captions,
    random_generator,
    shares_of_strata,
    split_sample,
    stratify,
)
from curation.audit.second_reader.set_shares import (
    Halves,
    ReviewedCaption,
    half_factors,
    share_of_group,
    share_of_set,
    shares_by_reader,
)
from tests.curation.audit.builders import mixed_frame

DRAWS = 1_000
SIZE = 100
HALVES = Halves(100, 900)


@cache
def disputed_captions(share: float) -> NDArray[np.bool_]:
    """Which captions of the frame are disputed: those of low score more often."""
    rng = np.random.default_rng(11)
    liking = rng.exponential(size=len(mixed_frame())) * np.where(mixed_frame().score < 90, 0.3, 1.0)
    disputed = np.zeros(len(mixed_frame()), bool)
    disputed[np.argsort(liking)[: round(share * len(disputed))]] = True
    return disputed


@cache
def samples(share: float, design: Design) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Seeded samples in the order in which they are shown, disputed captions first, each with its weights."""
    disputed = disputed_captions(share)
    strata = stratify(mixed_frame(), SIZE, design, disputed)
    shares = shares_of_strata(strata, SIZE)
    weights = [there / drawn if drawn else 0.0 for there, drawn in zip(strata.sizes, shares, strict=True)]
    result = []
    for seed in range(DRAWS):
        rng = random_generator(seed, "accepted", 0)
        drawn = draw_captions(strata, shares, rng)
        shown = sorted((drawn[number] for number in rng.permutation(len(drawn))), key=lambda row: not disputed[row[0]])
        indices, numbers = (np.array(column) for column in zip(*shown, strict=True))
        result.append((indices, np.array(weights)[numbers]))
    return result


def seen_rates(world: str, share: float, design: Design, reviewed: int) -> NDArray[np.float64]:
    """For each sample the true rate (1 to 30 %, log-uniform), and what ``reviewed`` captions say: rate, low, high."""
    disputed = disputed_captions(share)
    halves = Halves(int(disputed.sum()), int((~disputed).sum()))
    risk = {
        "flat": np.ones(len(disputed)),
        "the reader is right": np.where(disputed, 8.0, 1.0),
        "the reader is wrong": np.where(disputed, 0.2, 1.0),
        "score": 1.08 ** (100 - mixed_frame().score.astype(float)),
    }[world]
    rng = np.random.default_rng(9)
    rates = []
    for indices, weights in samples(share, design):
        rate = math.exp(rng.uniform(math.log(0.01), math.log(0.3)))
        hallucinated = rng.random(len(risk)) < np.minimum(1, risk * rate / risk.mean())
        seen = indices[:reviewed]
        factors = half_factors(disputed[indices].tolist(), disputed[seen].tolist())
        rows = zip(hallucinated[seen].tolist(), weights[:reviewed].tolist(), disputed[seen].tolist(), strict=True)
        result = share_of_set(
            (ReviewedCaption(hit, weight * factors[half], half) for hit, weight, half in rows), halves
        )
        rates.append((hallucinated.mean(), math.nan if result.rate is None else result.rate, result.low, result.high))
    return np.array(rates).T


@pytest.mark.parametrize("world", ["flat", "the reader is right", "the reader is wrong", "score"])
@pytest.mark.parametrize(
    ("share", "design", "reviewed"),
    [(0.15, "stratified", SIZE), (0.15, "random", SIZE), (0.6, "stratified", SIZE), (0.005, "stratified", SIZE),
     (0.15, "stratified", 75)],
)  # fmt: skip
def test_the_interval_covers_the_true_rate(world: str, share: float, design: Design, reviewed: int) -> None:
    true, rate, low, high = seen_rates(world, share, design, reviewed)
    error = rate - true
    assert np.mean((low <= true) & (true <= high)) >= 0.94
    assert abs(error.mean()) < 3.5 * error.std() / math.sqrt(DRAWS)


def test_without_weights_the_rate_would_be_that_of_the_disputed_captions() -> None:
    true, rate, *_ = seen_rates("the reader is right", 0.15, "stratified", SIZE)
    assert rate.mean() == pytest.approx(true.mean(), rel=0.03)
    unweighted = 0.5 * (8 + 1) / (0.15 * 8 + 0.85)  # half of the sample is disputed, at eight times the risk
    assert unweighted > 2


def test_a_review_that_has_only_seen_disputed_captions_knows_next_to_nothing() -> None:
    true, rate, low, high = seen_rates("the reader is right", 0.15, "stratified", 30)
    assert np.isnan(rate).all() and (high > 0.8).all()
    assert np.mean((low <= true) & (true <= high)) >= 0.99


@pytest.mark.parametrize(("disputed", "others"), [(1, 40), (7, 40), (40, 40), (40, 7), (40, 1), (40, 0)])
def test_a_larger_sample_takes_no_fewer_of_either_half(disputed: int, others: int) -> None:
    splits = [split_sample(disputed, others, size) for size in range(1, disputed + others + 5)]
    for size, ((first, second), (next_first, next_second)) in enumerate(pairwise(splits), 1):
        assert next_first >= first and next_second >= second
        assert first + second == min(size, disputed + others) and first <= disputed and second <= others
        assert first >= min(disputed, -(-size // 2)) or second <= min(5, size // 2)
        if size >= 2 and others:
            assert second >= 1
    assert splits[-1] == (disputed, others)


def test_disputed_captions_are_a_stratum_of_their_own() -> None:
    disputed = disputed_captions(0.15)
    strata = stratify(mixed_frame(), SIZE, "stratified", disputed)
    assert strata.names[-1] == DISPUTED_STRATUM and strata.sizes[-1] == disputed.sum() == 300
    assert ((strata.code == len(strata.sizes) - 1) == disputed).all()
    assert np.bincount(strata.code).tolist() == strata.sizes and len(strata.names) == len(strata.sizes)
    assert shares_of_strata(strata, SIZE)[-1] == 50 and sum(shares_of_strata(strata, SIZE)) == SIZE
    everything = stratify(mixed_frame(), SIZE, "stratified", np.ones(len(disputed), bool))
    assert (everything.names, everything.sizes) == ([DISPUTED_STRATUM], [2_000])
    nothing = stratify(mixed_frame(), SIZE, "stratified", np.zeros(len(disputed), bool))
    assert nothing.names == stratify(mixed_frame(), SIZE, "stratified").names and not nothing.disputed


def observed(disputed: int, others: int, hits: int = 1) -> list[ReviewedCaption]:
    rows = [ReviewedCaption(number < hits, 2.0, True) for number in range(disputed)]
    return [*rows, *(ReviewedCaption(number < hits, 30.0, False) for number in range(others))]


def test_a_half_that_nobody_has_reviewed_leaves_the_interval_open() -> None:
    alone = estimate((row.hit, row.weight) for row in observed(0, 30))
    without = share_of_set(observed(0, 30), HALVES)
    assert without.rate == alone.rate
    assert without.low == pytest.approx(alone.low * 0.9) and without.high == pytest.approx(alone.high * 0.9 + 0.1)
    disputed = share_of_set(observed(20, 0), HALVES)
    assert disputed.rate is None and disputed.high > 0.9 and disputed.hits == 1
    assert share_of_set(observed(20, 0), Halves(100, 0)).rate == pytest.approx(1 / 20)
    assert share_of_set([], HALVES).rate is None


def test_of_a_kind_with_disputed_captions_alone_there_is_no_rate() -> None:
    share = share_of_group(observed(3, 0, hits=3), HALVES)
    assert (share.rate, share.low, share.high, share.hits, share.reviewed) == (None, 0.0, 1.0, 3, 3)
    assert share_of_group(observed(3, 1), HALVES).rate == pytest.approx((2 + 30) / (3 * 2 + 30))
    assert share_of_group(observed(0, 4), HALVES).rate == pytest.approx(0.25)
    assert share_of_group([], HALVES).rate is None


def test_disputed_captions_and_the_others_have_rates_of_their_own() -> None:
    shares = shares_by_reader(observed(4, 5), HALVES)
    assert {name: share.rate for name, share in shares.items()} == {
        DISPUTED_STRATUM: pytest.approx(0.25), "all others": pytest.approx(0.2),
    }  # fmt: skip
    assert shares_by_reader(observed(0, 5), Halves(0, 5)) == {}
