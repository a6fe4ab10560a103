"""Texts of reports: one that comes again is not read again, and one that is no report's is not read at all."""

import csv
from pathlib import Path

import pytest

from curation.readers.columns import report_texts
from curation.readers.reports import read_reports
from curation.readers.sections import split_sections
from curation.report import RowProblem, Section

TEXT = "CT CHEST\nFINDINGS: The liver is normal. IMPRESSION: No nodule."


def table(folder: Path, texts: list[str]) -> Path:
    path = folder / "reports.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("study_id", "report"), *((f"s{n}", text) for n, text in enumerate(texts))])
    return path


def test_a_text_that_comes_again_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(text: str, *more: object) -> tuple[Section, ...]:
        read.append(text)
        return split_sections(text, *more)  # type: ignore[arg-type]  # hands on what it gets

    monkeypatch.setattr(report_texts, "split_sections", noted)
    reports = list(read_reports(table(tmp_path, [TEXT, "Normal.", TEXT, TEXT, "Normal."])))
    assert read == [TEXT, "Normal."]
    assert [report.text for report in reports] == [TEXT, "Normal.", TEXT, TEXT, "Normal."]
    assert reports[0].sections == reports[2].sections == split_sections(TEXT)
    assert reports[0].examination == reports[3].examination and reports[0].examination.name == "CT"
    assert reports[1].examination == reports[4].examination and reports[1].examination.name == "unknown"


def test_a_text_that_is_no_report_is_told_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path, [TEXT, TEXT * 20_000, "Normal."])
    problems: list[RowProblem] = []
    assert [report.row for report in read_reports(path, on_problem=problems.append)] == [1, 3]
    assert [(problem.row, problem.kept) for problem in problems] == [(2, False)]
    assert problems[0].problem.startswith(
        f"{20_000 * len(TEXT):,} characters in report, where a report has 1,000,000 at"
    )
    assert problems[0].problem.endswith("if it is right, set OVCT_MOST_REPORT_CHARACTERS to allow more")
    monkeypatch.setenv("OVCT_MOST_REPORT_CHARACTERS", "10")
    assert [report.text for report in read_reports(path)] == ["Normal."]
