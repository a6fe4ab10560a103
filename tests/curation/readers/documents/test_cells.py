"""RTF and whole HTML pages in the cells of a table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from curation.readers.reports import read_reports
from curation.report import Report, RowProblem

RTF = r"{\rtf1\ansi FINDINGS: The liver\'a0is {\b enlarged}.\par IMPRESSION: Hepatomegaly.}"
PAGE = "<html><head><style>p {}</style></head><body><p>The liver is&nbsp;enlarged.</p></body></html>"


def read(folder: Path, *rows: tuple[str, ...]) -> tuple[list[Report], list[RowProblem]]:
    with (folder / "x.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    problems: list[RowProblem] = []
    return list(read_reports(folder / "x.csv", on_problem=problems.append)), problems


@pytest.mark.parametrize("column", ["report", "Body_of_the_document"])
def test_the_text_that_is_shown_is_the_text_of_the_report(tmp_path: Path, column: str) -> None:
    (first, second, third), problems = read(
        tmp_path, ("id", column), ("1", RTF), ("2", PAGE), ("3", "{ASSESSMENT} < 5 mm cyst.")
    )
    assert not [problem for problem in problems if not problem.kept]
    assert first.text == "FINDINGS: The liver is enlarged.\nIMPRESSION: Hepatomegaly."
    assert [first.text[section.start : section.end] for section in first.sections] == [
        "The liver is enlarged.",
        "Hepatomegaly.",
    ]
    assert (second.text, third.text) == ("The liver is enlarged.", "{ASSESSMENT} < 5 mm cyst.")


def test_a_cell_that_is_cut_off_is_a_problem_of_its_row(tmp_path: Path) -> None:
    (report,), problems = read(
        tmp_path, ("id", "findings", "impression"), ("1", RTF[:40], "Normal."), ("2", RTF, "Normal.")
    )
    assert report.report_id == "2"
    (problem,) = [problem for problem in problems if not problem.kept]
    assert (problem.row, problem.problem) == (
        1,
        "findings: RTF cut off at character 40: 2 of its groups are not closed",
    )
