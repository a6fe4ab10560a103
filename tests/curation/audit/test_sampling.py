"""The sample: shares in proportion, each caption as likely as any other, and intervals that cover the true rate."""

import math
from collections import Counter
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curation.audit.frame import Frame
from curation.audit.intervals import estimate
from curation.audit.sampling import LEAST, REST, Design, Drawn, Strata, allocate, band_name, divide, draw, generator

SIZES = st.lists(st.integers(0, 5_000), min_size=1, max_size=20)
STATUSES = ["abnormal", "normal", "uncertain"]
DRAWS = 2_000


def framed(group: NDArray[np.int32], score: NDArray[np.float32], organ: NDArray[np.int32]) -> Frame:
    """A frame of one part with these statuses, scores and organs, as codes."""
    place = np.arange(len(group), dtype=np.int32)
    organs = [f"organ {number}" for number in range(int(organ.max(initial=0)) + 1)]
    return Frame("accepted", organs, STATUSES, organ, group, score, np.zeros_like(place), place)


@cache
def mixed(size: int = 2_000) -> Frame:
    """A frame as real ones are: most captions of a few organs and with full score, some of rare kinds."""
    rng = np.random.default_rng(5)
    group = rng.choice(3, size, p=[0.6, 0.34, 0.06]).astype(np.int32)
    score = rng.choice([100, 95, 85, 75, 65], size, p=[0.7, 0.12, 0.1, 0.05, 0.03]).astype(np.float32)
    organ = rng.choice(8, size, p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.07, 0.05, 0.03]).astype(np.int32)
    return framed(group, score, organ)


def of_two_kinds(first: int, second: int) -> Frame:
    """A frame with so many captions of each of two statuses, alike in all else."""
    group = np.repeat(np.array([0, 1], np.int32), [first, second])
    return framed(group, np.full(len(group), 100, np.float32), np.zeros_like(group))


def sample(frame: Frame, size: int, seed: int = 0, design: Design = "stratified") -> list[Drawn]:
    strata = divide(frame, size, design)
    return draw(strata, allocate(strata.sizes, size), generator(seed, "accepted", 0))


def grown(frame: Frame, sizes: list[int], seed: int = 0) -> list[Drawn]:
    """A sample that was made larger, once or more."""
    strata = divide(frame, sizes[0], "stratified")
    found: list[Drawn] = []
    for size in sizes:
        taken = [one.place for one in found]
        found += draw(strata, allocate(strata.sizes, size), generator(seed, "accepted", len(taken)), taken)
    return found


def places(drawn: list[Drawn]) -> list[int]:
    return [one.place for one in drawn]


@given(SIZES, st.integers(0, 3_000))
def test_shares_add_up_and_none_is_more_than_there_is(sizes: list[int], size: int) -> None:
    shares = allocate(sizes, size)
    assert sum(shares) == min(size, sum(sizes))
    assert all(0 <= share <= there for share, there in zip(shares, sizes, strict=True))


@given(SIZES, st.integers(0, 500))
def test_no_share_becomes_smaller_when_the_sample_grows(sizes: list[int], size: int) -> None:
    before, after = allocate(sizes, size), allocate(sizes, size + 1)
    assert all(more >= less for less, more in zip(before, after, strict=True))


@given(SIZES, st.integers(0, 500))
def test_no_stratum_has_a_better_claim_to_what_another_one_got(sizes: list[int], size: int) -> None:
    """What Webster's method (Sainte-Laguë's) is known by: the last one given away was nowhere more due."""
    shares = allocate(sizes, size)
    given = [2 * share - 1 for share, there in zip(shares, sizes, strict=True) if share]
    there = [there for share, there in zip(shares, sizes, strict=True) if share]
    for share, size_of in zip(shares, sizes, strict=True):
        if share < size_of:
            assert all((2 * share + 1) * other >= last * size_of for last, other in zip(given, there, strict=True))


def test_shares_are_proportional_to_less_than_one_caption() -> None:
    rng = np.random.default_rng(2)
    for _ in range(500):
        extra = rng.dirichlet(np.ones(int(rng.integers(2, 13))))
        sizes = (1e6 * (LEAST / 100 + extra * (1 - len(extra) * LEAST / 100))).astype(int).tolist()
        expected = [100 * size / sum(sizes) for size in sizes]
        assert all(abs(share - due) < 1 for share, due in zip(allocate(sizes, 100), expected, strict=True))


@pytest.mark.parametrize("size", [30, 100, 400])
def test_each_stratum_can_expect_enough_of_the_sample(size: int) -> None:
    strata = divide(mixed(), size, "stratified")
    assert all(size * there / len(mixed()) >= LEAST for there in strata.sizes)
    assert np.bincount(strata.code).tolist() == strata.sizes
    assert sum(strata.sizes) == len(mixed())


@given(st.lists(st.integers(1, 400), min_size=1, max_size=3), st.integers(1, 300))
def test_each_stratum_of_any_frame_can_expect_enough(counts: list[int], size: int) -> None:
    group = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    score = np.linspace(60, 100, len(group), dtype=np.float32)
    strata = divide(framed(group, score, np.zeros_like(group)), size, "stratified")
    least = min(LEAST, size)
    assert all(size * there >= least * len(group) for there in strata.sizes)
    assert np.bincount(strata.code).tolist() == strata.sizes
    assert len(strata.names) == len(strata.sizes)


def test_a_stratum_is_a_status_in_a_band_and_the_rare_ones_are_one_together() -> None:
    strata = divide(mixed(), 100, "stratified")
    assert strata.names == [
        "abnormal, score 80 to 90", "abnormal, score 90 to 99.9", "abnormal, score 100", "normal, score 100", REST,
    ]  # fmt: skip
    frame = mixed()
    for number, (status, low, high) in enumerate([(0, 80, 90), (0, 90, 99.9), (0, 99.9, 100), (1, 99.9, 100)]):
        inside = (frame.group == status) & (frame.score > low) & (frame.score <= high)
        assert ((strata.code == number) == inside).all()


def test_bands_are_called_by_their_edges() -> None:
    assert [band_name(band) for band in range(5)] == ["0 to 70", "70 to 80", "80 to 90", "90 to 99.9", "100"]


def test_a_small_sample_has_few_strata() -> None:
    assert [len(divide(mixed(), size, "stratified").sizes) for size in (1, 5, 20, 100)] == [1, 1, 2, 5]
    assert len(divide(mixed(), 1_000, "stratified").sizes) > 10
    assert divide(mixed(), 5, "stratified").names == [REST]


def test_without_strata_status_and_score_are_ignored() -> None:
    strata = divide(mixed(), 100, "random")
    assert (strata.names, strata.sizes, strata.keys) == (["all"], [2_000], ())
    assert len(set(places(sample(mixed(), 100, design="random")))) == 100


def test_refused_captions_are_divided_by_reason() -> None:
    group = np.repeat(np.array([0, 1, 2], np.int32), [50, 40, 3])
    nought = np.zeros_like(group)
    frame = Frame("refused", ["liver"], STATUSES, nought, group, nought.astype(np.float32), nought, nought)
    strata = divide(frame, 90, "stratified")
    assert (strata.names, strata.sizes) == (["abnormal", REST], [50, 43])


def test_of_a_frame_without_captions_nothing_is_drawn() -> None:
    empty = np.zeros(0, np.int32)
    frame = framed(empty, empty.astype(np.float32), empty)
    assert sample(frame, 100) == sample(frame, 100, design="random") == []


@pytest.mark.parametrize("design", ["stratified", "random"])
@pytest.mark.parametrize("size", [1, 7, 100, 1_999])
def test_no_caption_is_drawn_twice_and_each_stratum_has_its_share(size: int, design: Design) -> None:
    strata = divide(mixed(), size, design)
    shares = allocate(strata.sizes, size)
    drawn = draw(strata, shares, generator(3, "accepted", 0))
    assert len(set(places(drawn))) == len(drawn) == size
    assert np.bincount([one.stratum for one in drawn], minlength=len(shares)).tolist() == shares
    assert all(strata.code[one.place] == one.stratum for one in drawn)


@pytest.mark.parametrize("size", [300, 301, 10**6])
def test_the_whole_set_can_be_the_sample(size: int) -> None:
    assert sorted(places(sample(mixed(300), size))) == list(range(300))


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    assert sample(mixed(), 100, seed=4) == sample(mixed(), 100, seed=4)
    assert len({tuple(places(sample(mixed(), 100, seed))) for seed in range(20)}) == 20


def test_accepted_refused_and_what_is_added_have_random_numbers_of_their_own() -> None:
    states = [generator(1, "accepted", 0), generator(1, "refused", 0), generator(1, "accepted", 100)]
    assert len({rng.random() for rng in states}) == 3


def test_a_sample_that_grows_keeps_what_it_has() -> None:
    whole, strata = grown(mixed(), [100, 101, 250, 2_000]), divide(mixed(), 100, "stratified")
    assert whole[:100] == sample(mixed(), 100)
    assert sorted(places(whole)) == list(range(2_000))
    for size in (101, 250):
        counts = np.bincount([one.stratum for one in whole[:size]], minlength=len(strata.sizes))
        assert counts.tolist() == allocate(strata.sizes, size)


def test_a_sample_that_does_not_grow_stays_as_it_is() -> None:
    assert len(grown(mixed(), [100, 100, 50])) == 100


@pytest.mark.parametrize("sizes", [[15], [15, 25], [15, 16, 40]])
def test_each_caption_of_a_stratum_is_as_likely_as_any_other(sizes: list[int]) -> None:
    frame = of_two_kinds(40, 20)
    strata = divide(frame, sizes[0], "stratified")
    shares = allocate(strata.sizes, sizes[-1])
    drawn = Counter(place for seed in range(DRAWS) for place in places(grown(frame, sizes, seed)))
    for place, stratum in enumerate(strata.code):
        chance = shares[stratum] / strata.sizes[stratum]
        error = math.sqrt(chance * (1 - chance) / DRAWS)
        assert drawn[place] / DRAWS == pytest.approx(chance, abs=4 * error)


def test_pairs_of_captions_are_all_possible_and_none_is_preferred() -> None:
    frame = of_two_kinds(12, 0)
    pairs = Counter(frozenset(places(sample(frame, 2, seed))) for seed in range(DRAWS))
    expected = DRAWS / 66
    assert (
        sum((pairs[frozenset((one, two))] - expected) ** 2 / expected for one in range(12) for two in range(one)) < 113
    )


@pytest.mark.parametrize("seed", range(20))
def test_organs_come_in_proportion_within_a_stratum(seed: int) -> None:
    strata = divide(mixed(), 100, "stratified")
    shares = allocate(strata.sizes, 100)
    drawn = draw(strata, shares, generator(seed, "accepted", 0))
    for number, name in enumerate(strata.names):
        if name == REST:
            continue
        there = np.bincount(mixed().organ[strata.code == number], minlength=8)
        found = np.bincount([mixed().organ[one.place] for one in drawn if one.stratum == number], minlength=8)
        expected = shares[number] * there / there.sum()
        assert (np.abs(found - expected) < 1).all()


@pytest.mark.parametrize("seed", range(20))
def test_rare_kinds_come_in_proportion_within_the_rest(seed: int) -> None:
    strata = divide(mixed(), 100, "stratified")
    drawn = [one.place for one in sample(mixed(), 100, seed) if strata.names[one.stratum] == REST]
    cells = mixed().group * 5 + mixed().bands()
    there, found = (np.bincount(cells[rows], minlength=15) for rows in (strata.code == strata.names.index(REST), drawn))
    assert (np.abs(found - len(drawn) * there / there.sum()) < 1).all()


# Coverage: on a frame of 2,000 captions, 2,000 samples of 100 each, with hallucinations scattered anew for each.


def risks(frame: Frame) -> dict[str, NDArray[np.float64]]:
    """How likely a caption is hallucinated, compared with others, in four worlds."""
    return {
        "flat": np.ones(len(frame)),
        "score": 1.08 ** (100 - frame.score.astype(float)),
        "rare status": np.where(frame.group == 2, 12.0, 1.0),
        "organ": np.where(frame.organ == 3, 8.0, 1.0),
    }


RISKS = list(risks(mixed()))


@cache
def samples(design: Design, equal: bool = False) -> list[tuple[NDArray[np.int64], list[float]]]:
    """Seeded samples with their weights; ``equal``: as many of each stratum, however large it is."""
    strata: Strata = divide(mixed(), 100, design)
    number = len(strata.sizes)
    shares = [100 // number] * number if equal else allocate(strata.sizes, 100)
    weights = [there / share for there, share in zip(strata.sizes, shares, strict=True)]
    found = []
    for seed in range(DRAWS):
        drawn = draw(strata, shares, generator(seed, "accepted", 0))
        found.append((np.array(places(drawn)), [weights[one.stratum] for one in drawn]))
    return found


@cache
def audits(world: str, design: Design, equal: bool = False) -> NDArray[np.float64]:
    """For each sample the true rate (1 to 30 %, log-uniform), its estimate with low and high, and the plain mean."""
    rng = np.random.default_rng(9)
    risk = risks(mixed())[world]
    found = []
    for drawn, weights in samples(design, equal):
        rate = math.exp(rng.uniform(math.log(0.01), math.log(0.3)))
        hallucinated = rng.random(len(risk)) < risk * rate / risk.mean()
        seen = hallucinated[drawn]
        one = estimate(zip(seen.tolist(), weights, strict=True))
        assert one.rate is not None
        found.append((hallucinated.mean(), one.rate, one.low, one.high, seen.mean()))
    return np.array(found).T


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
    risk = risks(mixed())["score"]
    count = round(rate * len(risk))
    below = 0
    for drawn, weights in samples(design, equal):
        hallucinated = np.zeros(len(risk), bool)
        hallucinated[np.argpartition(rng.exponential(size=len(risk)) / risk, count)[:count]] = True
        below += rate <= estimate(zip(hallucinated[drawn].tolist(), weights, strict=True)).high
    assert below >= 0.97 * DRAWS
