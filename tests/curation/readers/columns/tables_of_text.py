"""Choose the columns of a small CSV text, and read it as reports, for the tests of this folder."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from curation.readers.columns.choice import ChosenColumns, choose_columns
from curation.readers.reports import read_reports
from curation.readers.rows import TableRow
from curation.report import Report, RowProblem


def table(text: str) -> tuple[list[str], list[TableRow]]:
    """Return columns and rows of a CSV text."""
    columns, *rows = csv.reader(io.StringIO(text))
    cells = [dict(zip(columns, row, strict=True)) for row in rows]
    return columns, [TableRow(number, row) for number, row in enumerate(cells, 1)]


def choose(text: str, id_column: str | None = None, *text_columns: str) -> ChosenColumns:
    """Choose the columns of a CSV text."""
    return choose_columns(*table(text), id_column, text_columns)


def read(folder: Path, text: str, *text_columns: str) -> tuple[list[Report], list[RowProblem]]:
    """Read a CSV text as reports."""
    path = folder / "reports.csv"
    path.write_text(text)
    problems: list[RowProblem] = []
    return list(read_reports(path, text_columns=text_columns, on_problem=problems.append)), problems
