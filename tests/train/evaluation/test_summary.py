import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.train.evaluation.evaluations import result, row
from train.evaluation.bootstrap import Bootstrap, Estimate
from train.evaluation.previews import Failure, false_masks, worst
from train.evaluation.questions import Question
from train.evaluation.record import PREVIEWS, CaseResult, Header, Settings
from train.evaluation.report import publish, report
from train.evaluation.results import LeftOut, Mean, Subject, Summary
from train.evaluation.summary import summarise
from train.evaluation.tables import score, share, show

LIVER, SPLEEN, KIDNEYS = ("liver",), ("spleen",), ("kidney_left", "kidney_right")
ASKED = (
    Question("name", "liver", "liver", LIVER, True),
    Question("name", "spleen", "spleen", SPLEEN, True),
    Question("synonym", "liver", "hepatic organ", LIVER, False),
    Question("synonym", "liver", "hepar", LIVER, False),
    Question("group", "kidneys", "kidneys", KIDNEYS, False),
    Question("group", "kidneys", "renal organ", KIDNEYS, False),
)


def header(**changes: object) -> Header:
    made = Header(
        dataset="/data/set", layout="msd", checkpoint="/models/one", weights="weights-1", text=None,
        settings=Settings(), known=True, questions=ASKED,
    )  # fmt: skip
    return made.model_copy(update=changes)


def case(name: str, liver: float | None, spleen: float | None, words: Sequence[float] = (0.5, 0.7)) -> CaseResult:
    def heard(dice: float) -> float | None:
        return None if liver is None else dice

    return result(name, [
        row("name", "liver", "liver", liver),
        row("name", "spleen", "spleen", spleen),
        row("synonym", "liver", "hepatic organ", heard(words[0])),
        row("synonym", "liver", "hepar", heard(words[1])),
        row("group", "kidneys", "kidneys", 0.8),
        row("group", "kidneys", "renal organ", 0.6),
    ])  # fmt: skip


CASES = [case("a", 0.9, 0.6), case("b", 0.7, None, (0.4, 0.6)), case("c", None, None), case("d", 0.8, None)]


def mean(summary: Summary, key: str) -> Mean:
    return next(one for one in summary.means if one.key == key)


def subject(summary: Summary, kind: str, name: str) -> Subject:
    return next(one for one in summary.subjects if (one.kind, one.name) == (kind, name))


def test_means_are_of_structures_and_then_of_all() -> None:
    summary = summarise(header(), CASES, "test")
    names = mean(summary, "names")
    assert names.structures == 2
    assert names.score.dice.value == pytest.approx((np.mean([0.9, 0.7, 0.8]) + 0.6) / 2)
    assert subject(summary, "name", "liver").score.dice.value == pytest.approx(0.8)
    assert (names.score.dice.low or 1) < 0.7 < (names.score.dice.high or 0)
    # Of the spleen there is one patient.
    assert subject(summary, "name", "spleen").score.dice.low is None


def test_synonyms_are_averaged_and_held_against_the_name() -> None:
    summary = summarise(header(), CASES, "test")
    synonyms = subject(summary, "synonym", "liver")
    assert synonyms.prompts == ("hepatic organ", "hepar") and synonyms.trained is False
    assert synonyms.score.dice.value == pytest.approx(np.mean([0.6, 0.5, 0.6]))
    assert mean(summary, "lost").score.dice.value == pytest.approx(np.mean([0.3, 0.2, 0.2]))
    # The loss is the same in nearly all cases, so its interval is narrower than either score's.
    assert width(mean(summary, "lost").score.dice) < width(mean(summary, "names_of_synonyms").score.dice)
    assert mean(summary, "names_of_synonyms").score.dice.value == pytest.approx(0.8)
    prompts = {one.prompts[0]: one for one in summary.prompts}
    assert prompts["hepar"].score.dice.value == pytest.approx(np.mean([0.7, 0.6, 0.7]))
    assert prompts["renal organ"].score.dice.value == pytest.approx(0.6)
    assert mean(summary, "groups").score.dice.value == pytest.approx(0.7)
    assert subject(summary, "group", "kidneys").members == KIDNEYS


def width(estimate: Estimate) -> float:
    assert estimate.low is not None and estimate.high is not None
    return estimate.high - estimate.low


def test_bands_are_by_the_share_of_cases() -> None:
    cases = [case(f"c{number}", 0.9, 0.5 if number == 0 else None) for number in range(120)]
    bands = {band.key: band for band in summarise(header(), cases, "test").bands}
    assert list(bands) == ["below 1 %", "50 % and more"]
    assert bands["below 1 %"].score.dice.value == 0.5
    assert bands["50 % and more"].score.dice.value == pytest.approx(0.9)


def test_false_masks_are_counted_where_the_structure_is_absent() -> None:
    false = row("name", "spleen", "spleen", None, predicted_ml=3.0)
    missed = row("name", "liver", "liver", 0.0, predicted_ml=0.0)
    cases = [*CASES, result("e", [missed, false])]
    summary = summarise(header(), cases, "test")
    names = summary.presence[0]
    # The liver is absent in c, the spleen in b, c, d and e; the liver is there in a, b, d and e, the spleen in a.
    assert (names.kind, names.false_masks.count, names.missed.count) == ("name", 5, 5)
    assert names.false_masks.value == pytest.approx(1 / 5) and names.missed.value == pytest.approx(1 / 5)
    assert names.median_ml == 3.0
    spleen = subject(summary, "name", "spleen")
    assert (spleen.present, spleen.absent, spleen.false_masks, spleen.missed) == (1, 4, 1, 0)
    assert [one.case for one in summary.false_masks] == ["e"]
    assert [(one.case, one.structure) for one in summary.worst] == [
        ("e", "liver"), ("a", "spleen"), ("b", "liver"), ("d", "liver"),
    ]  # fmt: skip


def test_no_false_mask_at_all_is_not_certainty() -> None:
    found = summarise(header(), CASES, "test").presence[0].false_masks
    assert found.value == 0 and found.low == 0 and 0.3 < (found.high or 0) < 1


def test_the_worst_are_not_all_of_one_structure() -> None:
    rows = [Failure(f"c{number}", row("name", "liver", "liver", number / 100)) for number in range(50)]
    rows += [Failure("c0", row("name", "spleen", "spleen", 0.9)), Failure("c0", row("name", "aorta", "aorta", 1.0))]
    assert [(one.case, one.row.subject) for one in worst(rows)] == [
        ("c0", "liver"), ("c1", "liver"), ("c2", "liver"), ("c0", "spleen"),
    ]  # fmt: skip
    false = [Failure(f"c{ml}", row("name", f"s{ml}", "s", None, predicted_ml=float(ml))) for ml in range(20)]
    assert [one.case for one in false_masks(false)] == [f"c{ml}" for ml in range(19, 11, -1)]


def test_a_structure_that_training_did_not_know_has_a_row_of_its_own() -> None:
    asked = (ASKED[0], ASKED[1]._replace(trained=False), *ASKED[2:])
    summary = summarise(header(questions=asked), CASES, "test")
    assert mean(summary, "names_trained").score.dice.value == pytest.approx(0.8)
    assert mean(summary, "names_untrained").score.dice.value == pytest.approx(0.6)


def test_two_structures_may_share_a_prompt() -> None:
    asked = (Question("name", "left", "kidney", ("left",), True), Question("name", "right", "kidney", ("right",), True))
    cases = [result("a", [row("name", "left", "kidney", 0.9), row("name", "right", "kidney", 0.1)])]
    summary = summarise(header(questions=asked), cases, "test")
    assert [one.score.dice.value for one in summary.prompts] == [0.9, 0.1]


def test_files_say_the_same(tmp_path: Path) -> None:
    cases = [*CASES, result("e", [row("name", "spleen", "spleen", None, predicted_ml=3.0)])]
    summary = summarise(header(), cases, "test", {"a"}, [LeftOut(case="f", what="f/ct.nii.gz: cut short")])
    publish(tmp_path, summary, cases)
    again = Summary.model_validate_json((tmp_path / "summary.json").read_bytes())
    assert again == summary and again.seen == 1
    html = (tmp_path / "report.html").read_text()
    scores = [one.score for one in (*summary.means, *summary.bands)] + [one.score for one in summary.subjects]
    assert all(score(one.dice) in html and score(one.nsd) in html for one in scores)
    assert share(summary.presence[0].false_masks) in html
    assert "f/ct.nii.gz: cut short" in html and "trained on 1 of these cases" in html
    rows = list(csv.DictReader(io.StringIO((tmp_path / "summary.csv").read_text())))
    liver = next(one for one in rows if (one["table"], one["name"]) == ("synonym", "liver"))
    assert float(liver["dice"]) == subject(summary, "synonym", "liver").score.dice.value
    assert liver["prompts"] == "hepatic organ | hepar" and liver["trained"] == "no"
    every = list(csv.DictReader(io.StringIO((tmp_path / "prompts.csv").read_text())))
    assert len(every) == sum(len(case.rows) for case in cases)
    liver_rows = [one for one in every if one["kind"] == "name" and one["structure"] == "liver"]
    known = [float(one["dice"]) for one in liver_rows if one["dice"]]
    assert np.mean(known) == pytest.approx(subject(summary, "name", "liver").score.dice.value)


def test_the_report_needs_no_network_and_shows_names_as_they_are(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    asked = (Question("name", hostile, hostile, (hostile,), None),)
    cases = [result(hostile, [row("name", hostile, hostile, 0.2)])]
    summary = summarise(header(questions=asked, known=False), cases, "all")
    (tmp_path / PREVIEWS).mkdir()
    (tmp_path / PREVIEWS / summary.worst[0].picture).write_bytes(b"\x89PNG picture")
    html = report(summary, tmp_path / PREVIEWS)
    assert "<script" not in html and "&lt;script&gt;" in html
    assert re.findall(r"(?:src|href)\s*=\s*(.{6})", html) == ['"data:'] and "http" not in html and "@import" not in html
    assert "data:image/png;base64,iVBORyBwaWN0dXJl" in html
    assert "nothing is known of what it was trained with" in html and "with one patient there are none" in html


def test_the_terminal_shows_the_tables() -> None:
    console = Console(record=True, width=160, file=io.StringIO())
    summary = summarise(header(), CASES, "test")
    show(summary, console)
    text = console.export_text()
    for title in ("Overall", "By prevalence", "Absent structures", "Names, lowest Dice first"):
        assert title in text
    assert score(mean(summary, "lost").score.dice) in text and "4 cases of 4 patients, split test" in text


def test_intervals_are_those_of_patients() -> None:
    cases = [result(f"c{number}", [row("name", "liver", "liver", 0.5 + number / 20)], "p1") for number in range(4)]
    cases.append(result("d", [row("name", "liver", "liver", 0.9)], "p2"))
    summary = summarise(header(), cases, "test")
    found = mean(summary, "names").score.dice
    values = np.array([[one.rows[0].dice] for one in cases], np.float64)
    expected = Bootstrap(["p1"] * 4 + ["p2"]).mean(values)
    assert summary.patients == 2 and found == expected
