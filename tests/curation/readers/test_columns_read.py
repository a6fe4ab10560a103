"""Which columns, encoding and format an input is read with, told before its first report."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.readers.reports import ColumnsRead, read_reports
from curation.report import Report


def columns_read(path: Path, **columns: Any) -> ColumnsRead:
    """Return the columns that are read, which have to be told before the first report."""
    events: list[ColumnsRead | Report] = []
    events.extend(read_reports(path, on_columns=events.append, **columns))
    assert [isinstance(event, ColumnsRead) for event in events] == [True] + [False] * (len(events) - 1)
    assert isinstance(events[0], ColumnsRead)
    return events[0]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.csv", b"VolumeName,Findings_EN,lab\na,Liver.,1\n", ("VolumeName", ("Findings_EN",), "utf-8", "CSV")),
        ("x.csv", "id,report\n1,Größe 3 mm.\n".encode(), ("id", ("report",), "utf-8", "CSV")),
        ("x.tsv", "id\treport\n1\tGröße\n".encode("latin-1"), ("id", ("report",), "windows-1252", "CSV")),
        ("x.csv", "id,report\n1,é\n".encode() + b"2,\xe9\n", ("id", ("report",), "utf-8 and windows-1252", "CSV")),
        ("x.csv", "id,report\n1,a\n".encode("utf-16"), ("id", ("report",), "utf-16", "CSV")),
        ("x.csv.gz", gzip.compress(b"id,report\n1,a\n", mtime=0), ("id", ("report",), "utf-8", "CSV")),
        ("x.csv", b"report\nLiver.\n", (None, ("report",), "utf-8", "CSV")),
        ("x.csv", b"id,report\n", ("id", ("report",), "utf-8", "CSV")),
        (
            "x.jsonl",
            b'{"id": "1", "findings": "a", "impression": "b", "text": "c"}\n',
            ("id", ("findings", "impression", "text"), "utf-8", "JSON"),
        ),
        ("x.txt", b"Liver is normal.", ("id", ("text",), "utf-8", "text")),
        ("folder/x.txt", b"Liver is normal.", ("id", ("text",), None, "folder of .txt files")),
    ],
)
def test_columns_and_encoding_are_told_before_the_first_report(
    tmp_path: Path, name: str, content: bytes, expected: tuple[Any, ...]
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    assert columns_read(path if path.parent == tmp_path else path.parent) == ColumnsRead(*expected)


@pytest.mark.parametrize(("name", "file_format"), [("x.parquet", "Parquet"), ("x.xlsx", "XLSX")])
def test_a_binary_format_has_no_encoding(tmp_path: Path, name: str, file_format: str) -> None:
    header, values = ["case", "befund", "lab"], ["1", "Liver is normal.", "0"]
    if file_format == "Parquet":
        pq.write_table(pa.Table.from_pylist([dict(zip(header, values, strict=True))]), tmp_path / name)
    else:
        workbook = openpyxl.Workbook()
        for row in (header, values):
            workbook.worksheets[0].append(row)
        workbook.save(tmp_path / name)
    columns = columns_read(tmp_path / name, id_column="case", text_columns=["befund"])
    assert columns == ColumnsRead("case", ("befund",), None, file_format)
