"""What reviewers say together, and how far they agree: kappa as scikit-learn and statsmodels have it, AC1 as irrCAC."""

import math
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa, to_table

from curation.audit.agreement import (
    DECIDED_VERDICTS,
    HALLUCINATIONS,
    RatingPairs,
    agreement,
    cohen_kappa,
    consensus,
    gwet_ac1,
)
from curation.audit.intervals import Z
from curation.caption_set.audit_results import Verdict

FINE, INVENTED, ORGAN, LESS, UNSURE = (
    Verdict.SUPPORTED, Verdict.HALLUCINATED, Verdict.WRONG_ORGAN, Verdict.INCOMPLETE, Verdict.UNSURE,
)  # fmt: skip
VERDICTS = st.sampled_from(Verdict)


def two_readers(chance: random.Random, count: int) -> list[tuple[str, str]]:
    """Two readers of four categories, of whom the second repeats the first most of the time."""
    names = ["a", "b", "c", "d"]
    first = [chance.choices(names, [8, 2, 1, 1])[0] for _ in range(count)]
    second = [name if chance.random() < 0.7 else chance.choice(names) for name in first]
    return list(zip(first, second, strict=True))


def plain_ac1(pairs: RatingPairs, names: Sequence[str]) -> tuple[float, float]:
    """AC1 and its standard error, caption by caption (Gwet 2008, 2014).

    Each caption adds its own agreement, less what it adds to the agreement by chance; the error is their spread.
    """
    ratings = np.array([[pair.count(name) / 2 for name in names] for pair in pairs])
    prevalence = ratings.mean(axis=0)
    by_chance = float((prevalence * (1 - prevalence)).sum()) / (len(names) - 1)
    agree = np.array([left == right for left, right in pairs], float)
    ac1 = (float(agree.mean()) - by_chance) / (1 - by_chance)
    chance_of_caption = (ratings * (1 - prevalence)).sum(axis=1) / (len(names) - 1)
    shares = (agree - by_chance) / (1 - by_chance) - 2 * (1 - ac1) * (chance_of_caption - by_chance) / (1 - by_chance)
    return ac1, float(np.sqrt(((shares - ac1) ** 2).sum())) / len(pairs)


@pytest.mark.parametrize("seed", range(12))
def test_kappa_is_that_of_scikit_learn_and_of_statsmodels(seed: int) -> None:
    pairs = two_readers(random.Random(seed), 20 + 40 * seed)
    result = cohen_kappa(pairs)
    table, _ = to_table(np.array([[ord(name) - ord("a") for name in pair] for pair in pairs]))
    expected = cohens_kappa(table)
    assert result.value == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)), abs=1e-12)
    assert result == pytest.approx((expected.kappa, expected.kappa_low, expected.kappa_upp), abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_ac1_is_that_of_a_plain_rewriting(seed: int) -> None:
    pairs = two_readers(random.Random(seed), 20 + 40 * seed)
    for names in ("abcd", "abcdef"):
        value, error = plain_ac1(pairs, names)
        expected = (value, value - Z * error, min(1, value + Z * error))
        assert gwet_ac1(pairs, len(names)) == pytest.approx(expected, abs=1e-12)


def test_ac1_is_that_of_irrcac() -> None:
    """Numbers of irrCAC 0.4.4, which divides the variance by one less than the captions."""
    chance = random.Random(1)
    few, many = gwet_ac1(two_readers(chance, 30), 4), gwet_ac1(two_readers(chance, 200), 4)
    assert few.value == pytest.approx(0.7082, abs=5e-5)
    assert many.value == pytest.approx(0.70076, abs=5e-6)
    assert many.high is not None and many.low is not None
    assert (many.high - many.low) / (2 * Z) * math.sqrt(200 / 199) == pytest.approx(0.03896, abs=5e-6)


def test_swapped_readers_agree_as_much() -> None:
    pairs = two_readers(random.Random(5), 80)
    swapped = [(right, left) for left, right in pairs]
    assert cohen_kappa(swapped) == pytest.approx(cohen_kappa(pairs), abs=1e-12)
    assert gwet_ac1(swapped, 4) == pytest.approx(gwet_ac1(pairs, 4), abs=1e-12)


def test_readers_who_always_agree_have_one() -> None:
    pairs = [("a", "a"), ("b", "b"), ("a", "a")]
    assert cohen_kappa(pairs) == gwet_ac1(pairs, 2) == (1, 1, 1)


def test_readers_who_never_agree_are_below_chance() -> None:
    assert cohen_kappa([("a", "b"), ("b", "a")] * 5) == (-1, -1, -1)


def test_kappa_falls_where_nearly_all_is_supported_and_ac1_does_not() -> None:
    result = agreement("ann", "ben", [(FINE, FINE)] * 95 + [(FINE, INVENTED)] * 3 + [(INVENTED, FINE)] * 2)
    assert result.percent.rate == 0.95
    assert result.kappa is not None and result.kappa < 0
    assert result.ac1 is not None and result.ac1 > 0.94
    assert result.binary_ac1 is not None and result.binary_ac1 > 0.94


def test_kappa_is_not_defined_where_both_always_say_the_same() -> None:
    result = agreement("ann", "ben", [(FINE, FINE)] * 10)
    assert (result.kappa, result.kappa_low, result.kappa_high, result.binary_kappa) == (None,) * 4
    assert (result.ac1, result.ac1_low, result.ac1_high, result.binary_ac1) == (1, 1, 1, 1)


@pytest.mark.parametrize("pairs", [[], [(UNSURE, FINE), (INVENTED, UNSURE), (UNSURE, UNSURE)]])
def test_without_a_caption_that_both_decided_nothing_is_known(pairs: list[tuple[Verdict, Verdict]]) -> None:
    result = agreement("ann", "ben", pairs)
    assert (result.reviewed, result.percent.rate, result.binary_percent.rate) == (0, None, None)
    assert (result.kappa, result.ac1, result.binary_kappa, result.binary_ac1) == (None,) * 4


def test_captions_that_one_is_unsure_of_are_left_out() -> None:
    decided = [(FINE, FINE), (INVENTED, FINE), (INVENTED, INVENTED), (FINE, FINE), (ORGAN, ORGAN)]
    unsure = [(UNSURE, FINE), (INVENTED, UNSURE), (UNSURE, UNSURE)]
    assert agreement("ann", "ben", decided + unsure) == agreement("ann", "ben", decided)


def test_hallucinated_or_not_is_coarser_than_the_verdict() -> None:
    pairs = [(FINE, FINE), (FINE, LESS), (INVENTED, ORGAN), (INVENTED, INVENTED), (INVENTED, FINE), (FINE, FINE)]
    result = agreement("ann", "ben", pairs)
    assert (result.percent.rate, result.binary_percent.hits, result.binary_percent.reviewed) == (3 / 6, 5, 6)
    binary = [("no", "no"), ("no", "no"), ("yes", "yes"), ("yes", "yes"), ("yes", "no"), ("no", "no")]
    assert result.binary_kappa == pytest.approx(cohen_kappa_score(*zip(*binary, strict=True)), abs=1e-12)
    assert result.binary_ac1 == pytest.approx(plain_ac1(binary, ["yes", "no"])[0], abs=1e-12)


def test_ac1_is_about_all_verdicts_that_can_be_given_also_those_that_nobody_gave() -> None:
    pairs = [(FINE, FINE), (FINE, INVENTED), (INVENTED, INVENTED), (FINE, FINE)]
    result = agreement("ann", "ben", pairs)
    assert len(DECIDED_VERDICTS) == 6
    assert result.ac1 == pytest.approx(plain_ac1(pairs, DECIDED_VERDICTS)[0], abs=1e-12)


def test_what_is_left_out_or_undecided_is_no_hallucination() -> None:
    assert set(Verdict) - HALLUCINATIONS == {Verdict.SUPPORTED, Verdict.INCOMPLETE, Verdict.UNSURE}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["supported"], "supported"),
        (["supported", "supported", "hallucinated"], "supported"),
        (["supported", "hallucinated"], "hallucinated"),
        (["wrong_measurement", "wrong_organ"], "wrong_organ"),
        (["wrong_polarity_or_side", "wrong_measurement"], "wrong_polarity_or_side"),
        (["supported", "incomplete"], "incomplete"),
        (["incomplete", "wrong_measurement"], "wrong_measurement"),
        (["supported", "supported", "wrong_organ", "wrong_organ", "incomplete"], "wrong_organ"),
        (["unsure", "unsure", "supported"], "supported"),
        (["unsure", "unsure"], "unsure"),
        ([], "unsure"),
    ],
)
def test_most_reviewers_decide_and_at_a_tie_the_gravest(verdicts: list[str], expected: str) -> None:
    assert consensus(map(Verdict, verdicts)) == expected


@given(st.lists(VERDICTS), st.randoms(use_true_random=False))
def test_who_spoke_first_does_not_matter(verdicts: list[Verdict], chance: random.Random) -> None:
    shuffled = list(verdicts)
    chance.shuffle(shuffled)
    assert consensus(shuffled) == consensus(verdicts)


@given(st.lists(VERDICTS, min_size=1))
def test_the_verdict_that_counts_was_given_and_none_was_given_more_often(verdicts: Sequence[Verdict]) -> None:
    together = consensus(verdicts)
    decided = Counter(verdicts)
    del decided[Verdict.UNSURE]
    assert together in verdicts
    assert (together == Verdict.UNSURE) == (not decided)
    assert decided[together] == max(decided.values(), default=0)
