import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.train.evaluation.evaluations import result, row
from tests.train.evaluation.test_summary import CASES, header
from train.evaluation.bootstrap import Bootstrap
from train.evaluation.compare import Comparison, Side, compare, publish_comparison, read_side, show_comparison
from train.evaluation.record import CaseResult, EvaluationError, Settings


def side(name: str, cases: list[CaseResult], **changes: object) -> Side:
    return Side(name, header(**changes), {case.case: case for case in cases})


def changed(cases: list[CaseResult], by: float) -> list[CaseResult]:
    return [
        case.model_copy(
            update={
                "rows": tuple(
                    one if one.dice is None else one.model_copy(update={"dice": one.dice + by}) for one in case.rows
                )
            }
        )
        for case in cases
    ]


def test_a_model_against_itself() -> None:
    found = compare(side("one", CASES), side("two", CASES))
    for one in (*found.means, *found.subjects):
        assert one.difference.dice.value == 0 and one.better is None
    assert found.false_masks.value == 0 and (found.cases, found.patients) == (4, 4)


def test_a_model_that_is_better_by_as_much_in_each_case() -> None:
    found = compare(side("one", CASES), side("two", changed(CASES, 0.05)))
    names = found.means[0]
    assert names.kind == "name" and names.better == "second"
    assert [names.difference.dice.low, names.difference.dice.high] == pytest.approx([0.05, 0.05])
    back = compare(side("two", changed(CASES, 0.05)), side("one", CASES))
    assert back.means[0].better == "first" and back.means[0].difference.dice.value == pytest.approx(-0.05)
    # Of the spleen there is one patient: no interval, no verdict.
    spleen = next(one for one in found.subjects if one.name == "spleen")
    assert spleen.difference.dice.low is None and spleen.better is None


def test_intervals_are_paired() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.beta(5, 2, 30), np.zeros(30)
    second[:] = first + generator.normal(0.01, 0.02, 30)
    one, two = (
        side(name, [result(f"c{place:02}", [row("name", "liver", "liver", dice)]) for place, dice in enumerate(values)])
        for name, values in (("one", first), ("two", second))
    )
    found = compare(one, two).means[0]
    expected = Bootstrap([f"c{number:02}" for number in range(30)]).mean((second - first)[:, None])
    assert found.difference.dice.low == pytest.approx(expected.low)
    assert (found.difference.dice.high or 0) - (found.difference.dice.low or 0) < 0.05
    assert (found.first.dice.high or 0) - (found.first.dice.low or 0) > 0.08


def test_only_common_cases_and_structures_count() -> None:
    extra = result("x", [row("name", "liver", "liver", 0.0)])
    alone = result("a", [row("name", "liver", "liver", 0.9), row("name", "aorta", "aorta", 0.1)])
    found = compare(side("one", [*CASES, extra]), side("two", [alone, CASES[1]]))
    assert (found.cases, found.only_first, found.only_second) == (2, 3, 0)
    assert {one.name for one in found.subjects if one.kind == "name"} == {"liver", "spleen"}
    assert next(one for one in found.subjects if one.name == "liver").first.dice.value == pytest.approx(0.8)


def test_false_masks_are_compared() -> None:
    absent = [row("name", "spleen", "spleen", None), row("name", "liver", "liver", 0.5)]
    false = [absent[0].model_copy(update={"predicted_ml": 2.0}), absent[1]]
    first = [result(name, absent) for name in "abcd"]
    second = [result("a", false), result("b", false), *first[2:]]
    found = compare(side("one", first), side("two", second))
    assert found.false_masks.value == pytest.approx(0.5) and found.false_masks.count == 4


def test_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(EvaluationError, match="no case in common"):
        compare(side("one", CASES[:1]), side("two", CASES[1:]))
    with pytest.raises(EvaluationError, match="--nsd-tolerance"):
        compare(side("one", CASES), side("two", CASES, settings=Settings(nsd_tolerance_mm=1)))
    other = [result("a", [row("name", "liver", "liver", 0.9, reference_ml=11.0)])]
    with pytest.raises(EvaluationError, match="not evaluated on the same data"):
        compare(side("one", CASES), side("two", other))


def test_a_folder_that_is_no_finished_evaluation(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="neither a checkpoint nor an evaluation"):
        read_side(tmp_path)
    (tmp_path / "evaluation.json").write_text(header().model_dump_json())
    (tmp_path / "cases.jsonl").write_text(CASES[0].model_dump_json() + "\n")
    with pytest.raises(EvaluationError, match="not finished"):
        read_side(tmp_path)
    (tmp_path / "summary.json").write_text("{}")
    assert read_side(tmp_path).cases == {"a": CASES[0]}
    (tmp_path / "evaluation.json").write_text("{}")
    with pytest.raises(EvaluationError, match="this version"):
        read_side(tmp_path)


def test_files_say_the_same(tmp_path: Path) -> None:
    found = compare(side("one", CASES), side("two", changed(CASES, 0.05)))
    publish_comparison(tmp_path / "out", found)
    assert Comparison.model_validate_json((tmp_path / "out" / "comparison.json").read_bytes()) == found
    html = (tmp_path / "out" / "comparison.html").read_text()
    assert "+0.050 (+0.050 to +0.050)" in html and not re.search(r"(?:src|href)\s*=", html) and "http" not in html
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "comparison.csv").read_text())))
    assert len(rows) == len(found.means) + len(found.subjects)
    assert float(rows[0]["dice_difference"]) == found.means[0].difference.dice.value and rows[0]["better"] == "second"
    console = Console(record=True, width=160, file=io.StringIO())
    show_comparison(found, console)
    assert "+0.050 (+0.050 to +0.050)" in console.export_text()
