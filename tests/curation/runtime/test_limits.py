"""What an input asks of this machine is bounded before it is done: columns, rows of a sheet, texts that are held."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.readers.reports import read_reports
from curation.report import RowProblem
from curation.runtime.errors import InputError

REPORT = "The liver is normal. There is a cyst in the spleen."


def workbook(path: Path, old: str = "", new: str = "") -> Path:
    """Write a workbook with one report, with another text in place of ``old`` in its parts."""
    made, changed = io.BytesIO(), io.BytesIO()
    book = openpyxl.Workbook()
    for row in (("id", "report"), ("1", REPORT)):
        book.worksheets[0].append(row)
    book.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            content = source.read(part).decode()
            target.writestr(part.filename, content.replace(old, new) if old else content)
    path.write_bytes(changed.getvalue())
    return path


@pytest.mark.parametrize("name", ["wide.csv", "wide.jsonl", "wide.parquet", "wide.xlsx"])
def test_a_table_with_too_many_columns_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVCT_MOST_COLUMNS", "1")
    path = tmp_path / name
    if name.endswith(".parquet"):
        pq.write_table(pa.table({"id": ["1"], "report": [REPORT]}), path)
    elif name.endswith(".xlsx"):
        workbook(path)
    else:
        path.write_text(
            f"id,report\n1,{REPORT}\n" if name.endswith(".csv") else f'{{"id": "1", "report": "{REPORT}"}}\n'
        )
    with pytest.raises(InputError, match=r"2 columns, more than 1: .* set OVCT_MOST_COLUMNS"):
        next(read_reports(path))
    monkeypatch.setenv("OVCT_MOST_COLUMNS", "2")
    assert [report.text for report in read_reports(path)] == [REPORT]


def test_two_million_columns_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("," * 2_000_000 + "\n")
    with pytest.raises(InputError, match=r"2,000,001 columns|no text"):
        next(read_reports(path))


def test_a_row_beyond_those_of_a_sheet_is_told(tmp_path: Path) -> None:
    problems: list[RowProblem] = []
    path = workbook(tmp_path / "row.xlsx", 'r="2"', 'r="2147483648"')
    assert list(read_reports(path, on_problem=problems.append)) == []
    assert "a row beyond number 1,048,576" in problems[0].problem


def test_what_takes_too_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "held.xlsx", "</styleSheet>", " " * 20_000_000 + "</styleSheet>")
    with pytest.raises(InputError, match=r"xl/styles.xml in it unpacks from .* to 20,00.* set OVCT_MOST_WORKBOOK"):
        next(read_reports(path))
    monkeypatch.setenv("OVCT_MOST_WORKBOOK_BYTES", "1000")
    with pytest.raises(InputError, match="unpacks from"):
        next(read_reports(workbook(tmp_path / "small.xlsx")))
