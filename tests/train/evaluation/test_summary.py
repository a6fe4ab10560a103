"""Means, bands and false masks by hand."""

import numpy as np
import pytest

from tests.train.evaluation.scored_cases import (
    CASES,
    KIDNEYS,
    QUESTIONS,
    case,
    header_of_questions,
    mean,
    result,
    row,
    subject,
)
from train.evaluation.bootstrap import Bootstrap, BootstrapEstimate
from train.evaluation.questions import EvaluationQuestion
from train.evaluation.summary import summarise


def test_means_are_of_structures_and_then_of_all() -> None:
    summary = summarise(header_of_questions(), CASES, "test")
    names = mean(summary, "names")
    assert names.structures == 2
    assert names.score.dice.value == pytest.approx((np.mean([0.9, 0.7, 0.8]) + 0.6) / 2)
    assert subject(summary, "name", "liver").score.dice.value == pytest.approx(0.8)
    assert (names.score.dice.low or 1) < 0.7 < (names.score.dice.high or 0)
    # Of the spleen there is one patient.
    assert subject(summary, "name", "spleen").score.dice.low is None


def test_synonyms_are_averaged_and_held_against_the_name() -> None:
    summary = summarise(header_of_questions(), CASES, "test")
    synonyms = subject(summary, "synonym", "liver")
    assert synonyms.prompts == ("hepatic organ", "hepar") and synonyms.trained is False
    assert synonyms.score.dice.value == pytest.approx(np.mean([0.6, 0.5, 0.6]))
    assert mean(summary, "lost").score.dice.value == pytest.approx(np.mean([0.3, 0.2, 0.2]))
    # The loss is the same in nearly all cases, so its interval is narrower than either score's.
    assert width(mean(summary, "lost").score.dice) < width(mean(summary, "names_of_synonyms").score.dice)
    assert mean(summary, "names_of_synonyms").score.dice.value == pytest.approx(0.8)
    prompts = {prompt.prompts[0]: prompt for prompt in summary.prompts}
    assert prompts["hepar"].score.dice.value == pytest.approx(np.mean([0.7, 0.6, 0.7]))
    assert prompts["renal organ"].score.dice.value == pytest.approx(0.6)
    assert mean(summary, "groups").score.dice.value == pytest.approx(0.7)
    assert subject(summary, "group", "kidneys").members == KIDNEYS


def width(estimate: BootstrapEstimate) -> float:
    assert estimate.low is not None and estimate.high is not None
    return estimate.high - estimate.low


def test_bands_are_by_the_share_of_cases() -> None:
    cases = [case(f"c{number}", 0.9, 0.5 if number == 0 else None) for number in range(120)]
    bands = {band.key: band for band in summarise(header_of_questions(), cases, "test").bands}
    assert list(bands) == ["below 1 %", "50 % and more"]
    assert bands["below 1 %"].score.dice.value == 0.5
    assert bands["50 % and more"].score.dice.value == pytest.approx(0.9)


def test_false_masks_are_counted_where_the_structure_is_absent() -> None:
    false = row("name", "spleen", "spleen", None, predicted_ml=3.0)
    missed = row("name", "liver", "liver", 0.0, predicted_ml=0.0)
    cases = [*CASES, result("e", [missed, false])]
    summary = summarise(header_of_questions(), cases, "test")
    names = summary.presence[0]
    # The liver is absent in c, the spleen in b, c, d and e; the liver is there in a, b, d and e, the spleen in a.
    assert (names.kind, names.false_masks.count, names.missed.count) == ("name", 5, 5)
    assert names.false_masks.value == pytest.approx(1 / 5) and names.missed.value == pytest.approx(1 / 5)
    assert names.median_ml == 3.0
    spleen = subject(summary, "name", "spleen")
    assert (spleen.present, spleen.absent, spleen.false_masks, spleen.missed) == (1, 4, 1, 0)
    assert [failure.case for failure in summary.false_masks] == ["e"]
    assert [(failure.case, failure.structure) for failure in summary.worst] == [
        ("e", "liver"), ("a", "spleen"), ("b", "liver"), ("d", "liver"),
    ]  # fmt: skip


def test_no_false_mask_at_all_is_not_certainty() -> None:
    estimate = summarise(header_of_questions(), CASES, "test").presence[0].false_masks
    assert estimate.value == 0 and estimate.low == 0 and 0.3 < (estimate.high or 0) < 1


def test_a_structure_that_training_did_not_know_has_a_row_of_its_own() -> None:
    questions = (QUESTIONS[0], QUESTIONS[1]._replace(trained=False), *QUESTIONS[2:])
    summary = summarise(header_of_questions(questions=questions), CASES, "test")
    assert mean(summary, "names_trained").score.dice.value == pytest.approx(0.8)
    assert mean(summary, "names_untrained").score.dice.value == pytest.approx(0.6)


def test_groups_and_synonyms_that_training_used_stand_apart() -> None:
    summary = summarise(header_of_questions(), CASES, "test")
    assert mean(summary, "groups_held_out") == mean(summary, "groups").model_copy(
        update={"key": "groups_held_out", "title": "– held out"}
    )
    assert not [each for each in summary.means if each.key == "groups_trained"]
    used = tuple(question._replace(trained=question.prompt != "hepar") for question in QUESTIONS)
    summary = summarise(header_of_questions(questions=used), CASES, "test")
    assert mean(summary, "synonyms").score.dice.value == pytest.approx(np.mean([0.7, 0.6, 0.7]))
    assert mean(summary, "synonyms").title == "Held-out synonyms"
    assert mean(summary, "groups_trained").score.dice.value == pytest.approx(0.7)
    used = tuple(question._replace(trained=True) for question in QUESTIONS)
    summary = summarise(header_of_questions(questions=used), CASES, "test")
    assert mean(summary, "synonyms").title == "Synonyms that training used"
    assert mean(summary, "synonyms").score.dice.value == pytest.approx(np.mean([0.6, 0.5, 0.6]))


def test_two_structures_may_share_a_prompt() -> None:
    questions = (
        EvaluationQuestion("name", "left", "kidney", ("left",), True),
        EvaluationQuestion("name", "right", "kidney", ("right",), True),
    )
    cases = [result("a", [row("name", "left", "kidney", 0.9), row("name", "right", "kidney", 0.1)])]
    summary = summarise(header_of_questions(questions=questions), cases, "test")
    assert [prompt.score.dice.value for prompt in summary.prompts] == [0.9, 0.1]


def test_intervals_are_those_of_patients() -> None:
    cases = [result(f"c{number}", [row("name", "liver", "liver", 0.5 + number / 20)], "p1") for number in range(4)]
    cases.append(result("d", [row("name", "liver", "liver", 0.9)], "p2"))
    summary = summarise(header_of_questions(), cases, "test")
    estimate = mean(summary, "names").score.dice
    values = np.array([[case.rows[0].dice] for case in cases], np.float64)
    expected = Bootstrap(["p1"] * 4 + ["p2"]).mean(values)
    assert summary.patients == 2 and estimate == expected
