"""Two evaluations side by side: paired differences, and what cannot be compared."""

from pathlib import Path

import numpy as np
import pytest

from tests.train.evaluation.scored_cases import CASES, changed, evaluation_of, header_of_questions, result, row
from train.evaluation.bootstrap import Bootstrap
from train.evaluation.compare import compare, read_evaluation
from train.evaluation.record import EvaluationError, EvaluationSettings


def test_a_model_against_itself() -> None:
    comparison = compare(evaluation_of("one", CASES), evaluation_of("two", CASES))
    for difference in (*comparison.means, *comparison.subjects):
        assert difference.difference.dice.value == 0 and difference.better is None
    assert comparison.false_masks.value == 0 and (comparison.cases, comparison.patients) == (4, 4)


def test_a_model_that_is_better_by_as_much_in_each_case() -> None:
    comparison = compare(evaluation_of("one", CASES), evaluation_of("two", changed(CASES, 0.05)))
    names = comparison.means[0]
    assert names.kind == "name" and names.better == "second"
    assert [names.difference.dice.low, names.difference.dice.high] == pytest.approx([0.05, 0.05])
    back = compare(evaluation_of("two", changed(CASES, 0.05)), evaluation_of("one", CASES))
    assert back.means[0].better == "first" and back.means[0].difference.dice.value == pytest.approx(-0.05)
    # Of the spleen there is one patient: no interval, no verdict.
    spleen = next(subject for subject in comparison.subjects if subject.name == "spleen")
    assert spleen.difference.dice.low is None and spleen.better is None


def test_intervals_are_paired() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.beta(5, 2, 30), np.zeros(30)
    second[:] = first + generator.normal(0.01, 0.02, 30)
    before, after = (
        evaluation_of(
            name, [result(f"c{place:02}", [row("name", "liver", "liver", dice)]) for place, dice in enumerate(values)]
        )
        for name, values in (("one", first), ("two", second))
    )
    comparison = compare(before, after).means[0]
    expected = Bootstrap([f"c{number:02}" for number in range(30)]).mean((second - first)[:, None])
    assert comparison.difference.dice.low == pytest.approx(expected.low)
    assert (comparison.difference.dice.high or 0) - (comparison.difference.dice.low or 0) < 0.05
    assert (comparison.first.dice.high or 0) - (comparison.first.dice.low or 0) > 0.08


def test_only_common_cases_and_structures_count() -> None:
    extra = result("x", [row("name", "liver", "liver", 0.0)])
    alone = result("a", [row("name", "liver", "liver", 0.9), row("name", "aorta", "aorta", 0.1)])
    comparison = compare(evaluation_of("one", [*CASES, extra]), evaluation_of("two", [alone, CASES[1]]))
    assert (comparison.cases, comparison.only_first, comparison.only_second) == (2, 3, 0)
    assert {subject.name for subject in comparison.subjects if subject.kind == "name"} == {"liver", "spleen"}
    liver = next(subject for subject in comparison.subjects if subject.name == "liver")
    assert liver.first.dice.value == pytest.approx(0.8)


def test_false_masks_are_compared() -> None:
    absent = [row("name", "spleen", "spleen", None), row("name", "liver", "liver", 0.5)]
    false = [absent[0].model_copy(update={"predicted_ml": 2.0}), absent[1]]
    first = [result(name, absent) for name in "abcd"]
    second = [result("a", false), result("b", false), *first[2:]]
    comparison = compare(evaluation_of("one", first), evaluation_of("two", second))
    assert comparison.false_masks.value == pytest.approx(0.5) and comparison.false_masks.count == 4


def test_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(EvaluationError, match="no case in common"):
        compare(evaluation_of("one", CASES[:1]), evaluation_of("two", CASES[1:]))
    with pytest.raises(EvaluationError, match="--nsd-tolerance"):
        compare(
            evaluation_of("one", CASES), evaluation_of("two", CASES, settings=EvaluationSettings(nsd_tolerance_mm=1))
        )
    larger = [result("a", [row("name", "liver", "liver", 0.9, reference_ml=11.0)])]
    with pytest.raises(EvaluationError, match="not evaluated on the same data"):
        compare(evaluation_of("one", CASES), evaluation_of("two", larger))


def test_a_folder_that_is_no_finished_evaluation(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="neither a checkpoint nor an evaluation"):
        read_evaluation(tmp_path)
    (tmp_path / "evaluation.json").write_text(header_of_questions().model_dump_json())
    (tmp_path / "cases.jsonl").write_text(CASES[0].model_dump_json() + "\n")
    with pytest.raises(EvaluationError, match="not finished"):
        read_evaluation(tmp_path)
    (tmp_path / "summary.json").write_text("{}")
    assert read_evaluation(tmp_path).cases == {"a": CASES[0]}
    (tmp_path / "evaluation.json").write_text("{}")
    with pytest.raises(EvaluationError, match="this version"):
        read_evaluation(tmp_path)
