"""Spreadsheets, whole and damaged."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import openpyxl
import pytest

from curation.runtime.errors import InputError
from tests.curation.readers.reading import RECORDS, read_table, write_records


def test_spreadsheet_with_gaps_and_a_second_sheet(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    first = workbook.worksheets[0]
    first.append(["ID", None, "Report", 5])
    first.append([3001974670.0, None, "Normal."])
    first.append([])
    first.append([None, None, "Large liver.", 2.5, "beyond"])
    workbook.create_sheet("more").append(["a"])
    workbook.create_sheet("empty")
    workbook.save(tmp_path / "x.xlsx")
    rows, problems = read_table(tmp_path / "x.xlsx")
    assert rows[0] == {"ID": "3001974670", "column 2": "", "Report": "Normal.", "5": "", "column 5": ""}
    assert rows[1]["5"] == "2.5" and rows[1]["column 5"] == "beyond"
    assert problems == [(None, "only sheet 'Sheet' is read, sheet 'more' is not", True)]


def test_truncated_spreadsheet(tmp_path: Path) -> None:
    write_records(tmp_path / "x.xlsx", RECORDS[:50])
    raw = (tmp_path / "x.xlsx").read_bytes()
    (tmp_path / "x.xlsx").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(InputError, match="save it again"):
        read_table(tmp_path / "x.xlsx")
    shutil.rmtree(tmp_path, ignore_errors=True)
    with pytest.raises(InputError, match="no such file or folder"):
        read_table(tmp_path / "x.xlsx")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(tmp_path / "x.xlsx", "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("xl/sharedStrings.xml", "w") as part:
        for _ in range(70):
            part.write(b" " * (1 << 20))
    with pytest.raises(InputError, match=r"xl/sharedStrings\.xml in it unpacks from [0-9,]+ to 73,400,320"):
        read_table(tmp_path / "x.xlsx")


def sheet(path: Path, rows: bytes) -> None:
    """Write a workbook of one sheet with these rows, as XML."""
    workbook = openpyxl.Workbook()
    workbook.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {part.filename: archive.read(part) for part in archive.infolist()}
    xml = parts["xl/worksheets/sheet1.xml"]
    at = xml.index(b"<sheetData")
    parts["xl/worksheets/sheet1.xml"] = xml[:at] + b"<sheetData>" + rows + b"</sheetData></worksheet>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_a_sheet_of_nothing_is_refused(tmp_path: Path) -> None:
    for rows in (b"<row/>" * 1_000_000, b"<row>" + b"<c/>" * 1_200_000 + b"</row>", b" " * 5_000_000):
        sheet(tmp_path / "x.xlsx", rows)
        with pytest.raises(InputError, match=r"sheet1\.xml in it unpacks from .* set OVCT_MOST_PACKED to allow more"):
            read_table(tmp_path / "x.xlsx")
    sheet(tmp_path / "x.xlsx", b'<row><c r="ZZZ1"><v>1</v></c></row>' * 200)
    assert any(
        "2,097,152 cells and more, nearly all of them empty" in text
        for _, text, _ in read_table(tmp_path / "x.xlsx")[1]
    )


def test_a_workbook_whose_parts_overlap_is_refused(tmp_path: Path) -> None:
    sheet(tmp_path / "x.xlsx", b"<row/>" * 1000)
    raw = bytearray((tmp_path / "x.xlsx").read_bytes())
    place = raw.rfind(b"PK\x01\x02")
    raw[place + 20 : place + 24] = (10**8).to_bytes(4, "little")  # the packed size of the last part
    (tmp_path / "x.xlsx").write_bytes(raw)
    with pytest.raises(InputError, match="say that they are longer than the file"):
        read_table(tmp_path / "x.xlsx")
