"""The files of an evaluation: they say the same, need no network, and show names as they are."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest

from tests.train.evaluation.scored_cases import CASES, header_of_questions, result, row, subject
from train.evaluation.questions import EvaluationQuestion
from train.evaluation.record import PREVIEWS
from train.evaluation.report import report_html, write_results
from train.evaluation.results import EvaluationSummary, SkippedCase
from train.evaluation.summary import summarise
from train.evaluation.tables import format_score, format_share


def test_files_say_the_same(tmp_path: Path) -> None:
    cases = [*CASES, result("e", [row("name", "spleen", "spleen", None, predicted_ml=3.0)])]
    summary = summarise(
        header_of_questions(), cases, "test", {"a"}, [SkippedCase(case="f", what="f/ct.nii.gz: cut short")]
    )
    write_results(tmp_path, summary, cases)
    stored = EvaluationSummary.model_validate_json((tmp_path / "summary.json").read_bytes())
    assert stored == summary and stored.seen == 1
    html = (tmp_path / "report.html").read_text()
    scores = [mean.score for mean in (*summary.means, *summary.bands)]
    scores += [subject.score for subject in summary.subjects]
    assert all(format_score(score.dice) in html and format_score(score.nsd) in html for score in scores)
    assert format_share(summary.presence[0].false_masks) in html
    assert "f/ct.nii.gz: cut short" in html and "trained on 1 of these cases" in html
    rows = list(csv.DictReader(io.StringIO((tmp_path / "summary.csv").read_text())))
    liver = next(line for line in rows if (line["table"], line["name"]) == ("synonym", "liver"))
    assert float(liver["dice"]) == subject(summary, "synonym", "liver").score.dice.value
    assert liver["prompts"] == "hepatic organ | hepar" and liver["trained"] == "no"
    every = list(csv.DictReader(io.StringIO((tmp_path / "prompts.csv").read_text())))
    assert len(every) == sum(len(case.rows) for case in cases)
    liver_rows = [line for line in every if line["kind"] == "name" and line["structure"] == "liver"]
    liver_dice = [float(line["dice"]) for line in liver_rows if line["dice"]]
    assert np.mean(liver_dice) == pytest.approx(subject(summary, "name", "liver").score.dice.value)


def test_the_report_needs_no_network_and_shows_names_as_they_are(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    questions = (EvaluationQuestion("name", hostile, hostile, (hostile,), None),)
    cases = [result(hostile, [row("name", hostile, hostile, 0.2)])]
    summary = summarise(header_of_questions(questions=questions, known=False), cases, "all")
    (tmp_path / PREVIEWS).mkdir()
    (tmp_path / PREVIEWS / summary.worst[0].picture).write_bytes(b"\x89PNG picture")
    html = report_html(summary, tmp_path / PREVIEWS)
    assert "<script" not in html and "&lt;script&gt;" in html
    assert re.findall(r"(?:src|href)\s*=\s*(.{6})", html) == ['"data:'] and "http" not in html and "@import" not in html
    assert "data:image/png;base64,iVBORyBwaWN0dXJl" in html
    assert "nothing is known of what it was trained with" in html and "with one patient there are none" in html
