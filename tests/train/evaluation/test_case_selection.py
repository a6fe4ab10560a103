"""Which cases are evaluated: those that training held out."""

import dataclasses
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.train.evaluation.evaluations import WHOLE, data_set
from train.evaluation.case_selection import select_cases
from train.evaluation.record import EvaluationError


def test_the_cases_are_those_that_training_held_out(tmp_path: Path) -> None:
    dataset = data_set(tmp_path / "set", {"s1": WHOLE, "s2": ("liver", "kidney_left"), "s3": WHOLE})
    record: dict[str, JsonValue] = {"data": [{"data": str(dataset.root)}], "options": {"validation": 0.4, "seed": 0}}
    assert select_cases(dataset, ()).split == "all" and len(select_cases(dataset, ()).cases) == 3
    held_out = select_cases(dataset, [record])
    assert held_out.split == "val" and 0 < len(held_out.cases) < 3
    assert not held_out.seen & {case.id for case in held_out.cases}
    assert select_cases(dataset, [record], "all").seen
    assert len(select_cases(dataset, (), limit=2).cases) == 2
    with pytest.raises(EvaluationError, match="--split all"):
        select_cases(dataset, (), "test")
    with pytest.raises(EvaluationError, match="--split best"):
        select_cases(dataset, (), "best")
    with_split = tuple(
        dataclasses.replace(case, split="test" if case.id == "s2" else "train") for case in dataset.cases
    )
    assert [case.id for case in select_cases(dataclasses.replace(dataset, cases=with_split), [record]).cases] == ["s2"]
    unlabelled = tuple(dataclasses.replace(case, labels=None) for case in dataset.cases)
    with pytest.raises(EvaluationError, match="no labelled case"):
        select_cases(dataclasses.replace(dataset, cases=unlabelled), ())
