"""The sample: strata, shares in proportion, each caption as likely as any other."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.audit.sampling import (
    MIN_PER_STRATUM,
    REST_STRATUM,
    Design,
    DrawnCaption,
    allocate,
    band_name,
    draw_captions,
    random_generator,
    stratify,
)
from curation.audit.sampling_frame import SamplingFrame
from tests.curation.audit.builders import STATUSES, frame_of, mixed_frame

SIZES = st.lists(st.integers(0, 5_000), min_size=1, max_size=20)
DRAWS = 2_000


def of_two_kinds(first: int, second: int) -> SamplingFrame:
    """A frame with so many captions of each of two statuses, alike in all else."""
    group = np.repeat(np.array([0, 1], np.int32), [first, second])
    return frame_of(group, np.full(len(group), 100, np.float32), np.zeros_like(group))


def sample_of(frame: SamplingFrame, size: int, seed: int = 0, design: Design = "stratified") -> list[DrawnCaption]:
    strata = stratify(frame, size, design)
    return draw_captions(strata, allocate(strata.sizes, size), random_generator(seed, "accepted", 0))


def grown(frame: SamplingFrame, sizes: list[int], seed: int = 0) -> list[DrawnCaption]:
    """A sample that was made larger, once or more."""
    strata = stratify(frame, sizes[0], "stratified")
    drawn: list[DrawnCaption] = []
    for size in sizes:
        before = [caption.frame_index for caption in drawn]
        drawn += draw_captions(
            strata, allocate(strata.sizes, size), random_generator(seed, "accepted", len(before)), before
        )
    return drawn


def indices(drawn: list[DrawnCaption]) -> list[int]:
    return [caption.frame_index for caption in drawn]


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
    last_seats = [2 * share - 1 for share, there in zip(shares, sizes, strict=True) if share]
    there = [there for share, there in zip(shares, sizes, strict=True) if share]
    for share, size_of in zip(shares, sizes, strict=True):
        if share < size_of:
            assert all(
                (2 * share + 1) * size_of_last >= last * size_of
                for last, size_of_last in zip(last_seats, there, strict=True)
            )


def test_shares_are_proportional_to_less_than_one_caption() -> None:
    rng = np.random.default_rng(2)
    for _ in range(500):
        extra = rng.dirichlet(np.ones(int(rng.integers(2, 13))))
        sizes = (1e6 * (MIN_PER_STRATUM / 100 + extra * (1 - len(extra) * MIN_PER_STRATUM / 100))).astype(int).tolist()
        expected = [100 * size / sum(sizes) for size in sizes]
        assert all(abs(share - due) < 1 for share, due in zip(allocate(sizes, 100), expected, strict=True))


@pytest.mark.parametrize("size", [30, 100, 400])
def test_each_stratum_can_expect_enough_of_the_sample(size: int) -> None:
    strata = stratify(mixed_frame(), size, "stratified")
    assert all(size * there / len(mixed_frame()) >= MIN_PER_STRATUM for there in strata.sizes)
    assert np.bincount(strata.code).tolist() == strata.sizes
    assert sum(strata.sizes) == len(mixed_frame())


@given(st.lists(st.integers(1, 400), min_size=1, max_size=3), st.integers(1, 300))
def test_each_stratum_of_any_frame_can_expect_enough(counts: list[int], size: int) -> None:
    group = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    score = np.linspace(60, 100, len(group), dtype=np.float32)
    strata = stratify(frame_of(group, score, np.zeros_like(group)), size, "stratified")
    least = min(MIN_PER_STRATUM, size)
    assert all(size * there >= least * len(group) for there in strata.sizes)
    assert np.bincount(strata.code).tolist() == strata.sizes
    assert len(strata.names) == len(strata.sizes)


def test_a_stratum_is_a_status_in_a_band_and_the_rare_ones_are_one_together() -> None:
    strata = stratify(mixed_frame(), 100, "stratified")
    assert strata.names == [
        "abnormal, score 80 to 90", "abnormal, score 90 to 99.9", "abnormal, score 100", "normal, score 100",
        REST_STRATUM,
    ]  # fmt: skip
    frame = mixed_frame()
    for number, (status, low, high) in enumerate([(0, 80, 90), (0, 90, 99.9), (0, 99.9, 100), (1, 99.9, 100)]):
        inside = (frame.group == status) & (frame.score > low) & (frame.score <= high)
        assert ((strata.code == number) == inside).all()


def test_bands_are_called_by_their_edges() -> None:
    assert [band_name(band) for band in range(5)] == ["0 to 70", "70 to 80", "80 to 90", "90 to 99.9", "100"]


def test_a_small_sample_has_few_strata() -> None:
    assert [len(stratify(mixed_frame(), size, "stratified").sizes) for size in (1, 5, 20, 100)] == [1, 1, 2, 5]
    assert len(stratify(mixed_frame(), 1_000, "stratified").sizes) > 10
    assert stratify(mixed_frame(), 5, "stratified").names == [REST_STRATUM]


def test_without_strata_status_and_score_are_ignored() -> None:
    strata = stratify(mixed_frame(), 100, "random")
    assert (strata.names, strata.sizes, strata.keys) == (["all"], [2_000], ())
    assert len(set(indices(sample_of(mixed_frame(), 100, design="random")))) == 100


def test_refused_captions_are_divided_by_reason() -> None:
    group = np.repeat(np.array([0, 1, 2], np.int32), [50, 40, 3])
    nought = np.zeros_like(group)
    frame = SamplingFrame("refused", ["liver"], STATUSES, nought, group, nought.astype(np.float32), nought, nought)
    strata = stratify(frame, 90, "stratified")
    assert (strata.names, strata.sizes) == (["abnormal", REST_STRATUM], [50, 43])


def test_of_a_frame_without_captions_nothing_is_drawn() -> None:
    empty = np.zeros(0, np.int32)
    frame = frame_of(empty, empty.astype(np.float32), empty)
    assert sample_of(frame, 100) == sample_of(frame, 100, design="random") == []


@pytest.mark.parametrize("design", ["stratified", "random"])
@pytest.mark.parametrize("size", [1, 7, 100, 1_999])
def test_no_caption_is_drawn_twice_and_each_stratum_has_its_share(size: int, design: Design) -> None:
    strata = stratify(mixed_frame(), size, design)
    shares = allocate(strata.sizes, size)
    drawn = draw_captions(strata, shares, random_generator(3, "accepted", 0))
    assert len(set(indices(drawn))) == len(drawn) == size
    assert np.bincount([caption.stratum for caption in drawn], minlength=len(shares)).tolist() == shares
    assert all(strata.code[caption.frame_index] == caption.stratum for caption in drawn)


@pytest.mark.parametrize("size", [300, 301, 10**6])
def test_the_whole_set_can_be_the_sample(size: int) -> None:
    assert sorted(indices(sample_of(mixed_frame(300), size))) == list(range(300))


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    assert sample_of(mixed_frame(), 100, seed=4) == sample_of(mixed_frame(), 100, seed=4)
    assert len({tuple(indices(sample_of(mixed_frame(), 100, seed))) for seed in range(20)}) == 20


def test_accepted_refused_and_what_is_added_have_random_numbers_of_their_own() -> None:
    states = [
        random_generator(1, "accepted", 0),
        random_generator(1, "refused", 0),
        random_generator(1, "accepted", 100),
    ]
    assert len({rng.random() for rng in states}) == 3


def test_a_sample_that_grows_keeps_what_it_has() -> None:
    whole, strata = grown(mixed_frame(), [100, 101, 250, 2_000]), stratify(mixed_frame(), 100, "stratified")
    assert whole[:100] == sample_of(mixed_frame(), 100)
    assert sorted(indices(whole)) == list(range(2_000))
    for size in (101, 250):
        counts = np.bincount([caption.stratum for caption in whole[:size]], minlength=len(strata.sizes))
        assert counts.tolist() == allocate(strata.sizes, size)


def test_a_sample_that_does_not_grow_stays_as_it_is() -> None:
    assert len(grown(mixed_frame(), [100, 100, 50])) == 100


@pytest.mark.parametrize("sizes", [[15], [15, 25], [15, 16, 40]])
def test_each_caption_of_a_stratum_is_as_likely_as_any_other(sizes: list[int]) -> None:
    frame = of_two_kinds(40, 20)
    strata = stratify(frame, sizes[0], "stratified")
    shares = allocate(strata.sizes, sizes[-1])
    drawn = Counter(place for seed in range(DRAWS) for place in indices(grown(frame, sizes, seed)))
    for place, stratum in enumerate(strata.code):
        chance = shares[stratum] / strata.sizes[stratum]
        error = math.sqrt(chance * (1 - chance) / DRAWS)
        assert drawn[place] / DRAWS == pytest.approx(chance, abs=4 * error)


def test_pairs_of_captions_are_all_possible_and_none_is_preferred() -> None:
    frame = of_two_kinds(12, 0)
    pairs = Counter(frozenset(indices(sample_of(frame, 2, seed))) for seed in range(DRAWS))
    expected = DRAWS / 66
    assert (
        sum((pairs[frozenset((left, right))] - expected) ** 2 / expected for left in range(12) for right in range(left))
        < 113
    )


@pytest.mark.parametrize("seed", range(20))
def test_organs_come_in_proportion_within_a_stratum(seed: int) -> None:
    strata = stratify(mixed_frame(), 100, "stratified")
    shares = allocate(strata.sizes, 100)
    drawn = draw_captions(strata, shares, random_generator(seed, "accepted", 0))
    for number, name in enumerate(strata.names):
        if name == REST_STRATUM:
            continue
        there = np.bincount(mixed_frame().organ[strata.code == number], minlength=8)
        counts = np.bincount(
            [mixed_frame().organ[caption.frame_index] for caption in drawn if caption.stratum == number], minlength=8
        )
        expected = shares[number] * there / there.sum()
        assert (np.abs(counts - expected) < 1).all()


@pytest.mark.parametrize("seed", range(20))
def test_rare_kinds_come_in_proportion_within_the_rest(seed: int) -> None:
    strata = stratify(mixed_frame(), 100, "stratified")
    drawn = [
        caption.frame_index
        for caption in sample_of(mixed_frame(), 100, seed)
        if strata.names[caption.stratum] == REST_STRATUM
    ]
    cells = mixed_frame().group * 5 + mixed_frame().bands()
    there, counts = (
        np.bincount(cells[rows], minlength=15) for rows in (strata.code == strata.names.index(REST_STRATUM), drawn)
    )
    assert (np.abs(counts - len(drawn) * there / there.sum()) < 1).all()
