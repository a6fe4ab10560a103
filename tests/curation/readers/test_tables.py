"""One reader for each format, told apart by what is in the file."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.readers.rows import as_text, clean, flatten
from curation.readers.tables import open_table
from curation.runtime.errors import InputError

Problems = list[tuple[int | None, str, bool]]
RECORDS = [{"id": str(number), "report": f"Liver {number}.\nNormal."} for number in range(600)]


def read(path: Path) -> tuple[list[dict[str, str]], Problems]:
    problems: Problems = []

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        problems.append((row, f"{Path(file).name}: {problem}" if file else problem, kept))

    with open_table(path, note) as table:
        rows = list(table.rows)
    assert [row.number for row in rows] == sorted({row.number for row in rows})
    return [row.cells for row in rows], problems


def write(path: Path, records: list[dict[str, str]]) -> None:
    """Write records in the format that the path's ending asks for."""
    kind, packed = path.name.removesuffix(".gz").rpartition(".")[2], path.suffix == ".gz"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path, row_group_size=100)
        return
    if kind == "xlsx":
        workbook = openpyxl.Workbook()
        sheet = workbook.worksheets[0]
        for row in [["id", "report"], *(list(record.values()) for record in records)]:
            sheet.append(row)
        workbook.save(path)
        return
    joint = "\t" if kind == "tsv" else ","
    text = {
        "json": lambda: json.dumps(records),
        "jsonl": lambda: "\n".join(map(json.dumps, records)),
    }.get(
        kind,
        lambda: "".join(f'{r["id"]}{joint}"{r["report"]}"\n' for r in [{"id": "id", "report": "report"}, *records]),
    )()
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())


@pytest.mark.parametrize(
    "name",
    ["x.csv", "x.CSV.gz", "x.tsv", "x.tsv.gz", "x.jsonl", "x.jsonl.gz", "x.json", "x.json.gz", "x.parquet", "x.xlsx"],
)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    write(tmp_path / name.lower(), RECORDS)
    (tmp_path / name.lower()).rename(tmp_path / name)
    assert read(tmp_path / name) == (RECORDS, [])


@pytest.mark.parametrize("name", ["x.parquet", "x.xlsx", "x.csv.gz"])
def test_a_wrong_name_does_no_harm(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, RECORDS[:3])
    wrong = (tmp_path / name).rename(tmp_path / "reports.csv")
    assert read(wrong)[0] == RECORDS[:3]


def test_folder_of_text_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.txt", "a/2.TXT", "a/1.txt.gz", "c.txt", "a-b.txt", "note.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        raw = f"text of {name}\r\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)
    (tmp_path / "empty.txt").touch()
    rows, problems = read(tmp_path)
    assert [row["id"] for row in rows] == ["a-b", "a/1", "a/2", "b", "c"]
    assert rows[1]["text"] == "text of a/1.txt.gz\r\n"
    assert problems[0][0] == 6 and problems[0][1].startswith("empty.txt: ") and not problems[0][2]


def test_folders_without_text_and_loops_of_links(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no files"):
        read(tmp_path)
    (tmp_path / "x.csv").touch()
    with pytest.raises(InputError, match=r"files of type \.csv; name one of them"):
        read(tmp_path)
    (tmp_path / "a.txt").write_text("text")
    os.symlink(tmp_path, tmp_path / "loop")
    assert [row["id"] for row in read(tmp_path)[0]] == ["a"]


def test_one_text_file(tmp_path: Path) -> None:
    (tmp_path / "case 7.txt").write_bytes("Liver – normal.".encode("utf-16"))
    assert read(tmp_path / "case 7.txt")[0] == [{"id": "case 7", "text": "Liver – normal."}]
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(b"text" * 100, mtime=0)[:-9])
    with pytest.raises(InputError, match="fetch the file again"):
        read(tmp_path / "x.txt.gz")


def test_parquet_with_structs_and_binary_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table(
            {"id": [1, None], "report": [{"findings": "F"}, None], "image": [b"\x00", b"\xff"], "age": [1.0, None]}
        ),
        path,
    )
    rows, problems = read(path)
    assert rows[0] == {"id": "1", "report.findings": "F", "age": "1"}
    assert problems == [(None, "columns with binary data are left out: image", True)]
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), path)
    assert read(path) == ([], [])


def test_damaged_row_group_costs_only_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    records = [{"id": str(number), "report": os.urandom(40).hex()} for number in range(300)]
    pq.write_table(pa.Table.from_pylist(records), path, row_group_size=100, use_dictionary=False, compression="gzip")
    column = pq.ParquetFile(path).metadata.row_group(1).column(1)
    raw = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    raw[middle : middle + 200] = os.urandom(200)
    path.write_bytes(raw)
    rows, problems = read(path)
    assert rows == records[:100] + records[200:]
    with open_table(path, lambda *_, **__: None) as table:
        assert all(row.number == int(row.cells["id"]) + 1 for row in table.rows)
    assert problems[0][0] == 101 and problems[0][1].startswith("rows 101 to 200 cannot be read")


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
    rows, problems = read(tmp_path / "x.xlsx")
    assert rows[0] == {"ID": "3001974670", "column 2": "", "Report": "Normal.", "5": "", "column 5": ""}
    assert rows[1]["5"] == "2.5" and rows[1]["column 5"] == "beyond"
    assert problems == [(None, "only sheet 'Sheet' is read, sheet 'more' is not", True)]


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("x.csv", b"", "is empty"),
        ("x.parquet", b"PAR1 no", "cannot be read as Parquet"),
        ("x.xlsx", b"PK\x03\x04 no", "cannot be read as XLSX"),
        ("x.xlsx", b"id,report\n", "cannot be read as XLSX"),
        ("x.docx", b"\xd0\xcf", "named .docx is not known; expected CSV"),
        ("reports", b"id,report\n", "without an ending"),
        ("x.csv.gz", gzip.compress(b"id,report\n", mtime=0)[:5], "cannot be unpacked"),
        ("x.csv.gz", gzip.compress(b"id,report\n", mtime=0)[:12], "fetch the file again"),
        ("x.json", b"3", "."),
        ("x.parquet.gz", gzip.compress(b"PAR1 no", mtime=0), "gunzip"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, raw: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(raw)
    if message == ".":
        assert read(tmp_path / name)[1][0][0] == 1
        return
    with pytest.raises(InputError, match=message):
        read(tmp_path / name)


def test_truncated_spreadsheet(tmp_path: Path) -> None:
    write(tmp_path / "x.xlsx", RECORDS[:50])
    raw = (tmp_path / "x.xlsx").read_bytes()
    (tmp_path / "x.xlsx").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(InputError, match="save it again"):
        read(tmp_path / "x.xlsx")
    shutil.rmtree(tmp_path, ignore_errors=True)
    with pytest.raises(InputError, match="no such file or folder"):
        read(tmp_path / "x.xlsx")


def test_cells_as_text() -> None:
    cells: list[object] = [None, float("nan"), 7.0, 7.5, True, b"\xc3\xa9", ["a", "b"], [1], [], {}]
    assert [as_text(cell) for cell in cells] == ["", "", "7", "7.5", "true", "é", "a\nb", "[1]", "", ""]
    assert clean("a\0b\ud800é") == "a b\ufffdé" and clean("é") == "é"
    assert flatten({"a": {"b": {"c": 1}, "d": None}, "e": {}}) == {"a.b.c": "1", "a.d": "", "e": ""}
