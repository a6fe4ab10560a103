"""What verdicts mean for people and for the rate, and which one counts where several reviewers gave one."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.audit.verdicts import HALLUCINATIONS, REASONS, consensus
from curation.caption_set.audit_results import MEANINGS, Verdict

VERDICTS = st.sampled_from(Verdict)


def test_each_verdict_has_a_key_and_a_name_of_its_own() -> None:
    assert set(MEANINGS) == set(Verdict)
    assert len({meaning.key for meaning in MEANINGS.values()}) == len(Verdict)
    assert len({meaning.name for meaning in MEANINGS.values()}) == len(Verdict)


def test_what_is_left_out_or_undecided_is_no_hallucination() -> None:
    assert set(Verdict) - HALLUCINATIONS == {Verdict.SUPPORTED, Verdict.INCOMPLETE, Verdict.UNSURE}


def test_a_hallucination_goes_out_of_a_cleaned_set_under_a_reason_of_its_own() -> None:
    assert REASONS.keys() == HALLUCINATIONS
    assert len(set(REASONS.values())) == len(REASONS)


@pytest.mark.parametrize(
    ("said", "counts"),
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
def test_most_reviewers_decide_and_at_a_tie_the_gravest(said: list[str], counts: str) -> None:
    assert consensus(map(Verdict, said)) == counts


@given(st.lists(VERDICTS), st.randoms(use_true_random=False))
def test_who_spoke_first_does_not_matter(said: list[Verdict], chance: random.Random) -> None:
    shuffled = list(said)
    chance.shuffle(shuffled)
    assert consensus(shuffled) == consensus(said)


@given(st.lists(VERDICTS, min_size=1))
def test_the_verdict_that_counts_was_given_and_none_was_given_more_often(said: Sequence[Verdict]) -> None:
    counts = consensus(said)
    decided = Counter(said)
    del decided[Verdict.UNSURE]
    assert counts in said
    assert (counts == Verdict.UNSURE) == (not decided)
    assert decided[counts] == max(decided.values(), default=0)
