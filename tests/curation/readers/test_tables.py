"""One reader for each format, chosen by what is in the file."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from curation.readers import tables
from curation.readers.decoding import FileHead
from curation.readers.rows import Table
from curation.runtime.errors import InputError
from tests.curation.readers.reading import RECORDS, read_table, write_records


@pytest.mark.parametrize(
    "name",
    ["x.csv", "x.CSV.gz", "x.tsv", "x.tsv.gz", "x.jsonl", "x.jsonl.gz", "x.json", "x.json.gz", "x.parquet", "x.xlsx"],
)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    write_records(tmp_path / name.lower(), RECORDS)
    (tmp_path / name.lower()).rename(tmp_path / name)
    assert read_table(tmp_path / name) == (RECORDS, [])


@pytest.mark.parametrize("name", ["x.parquet", "x.xlsx", "x.csv.gz"])
def test_a_wrong_name_does_no_harm(tmp_path: Path, name: str) -> None:
    write_records(tmp_path / name, RECORDS[:3])
    wrong = (tmp_path / name).rename(tmp_path / "reports.csv")
    assert read_table(wrong)[0] == RECORDS[:3]


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("x.csv", b"", "is empty"),
        ("x.parquet", b"PAR1 no", "cannot be read as Parquet"),
        ("x.xlsx", b"PK\x03\x04 no", "cannot be read as XLSX"),
        ("x.xlsx", b"id,report\n", "cannot be read as XLSX"),
        ("x.abc", b"\xd0\xcf", "named .abc is not known; expected"),
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
        assert read_table(tmp_path / name)[1][0][0] == 1
        return
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / name)


@pytest.mark.parametrize("name", ["x.txt", "x.csv", "x.dat", "x", "x.gz"])
@pytest.mark.parametrize("kind", ["x.json", "x.jsonl", "x.parquet", "x.xlsx"])
def test_what_bytes_show_is_read_under_any_name(tmp_path: Path, name: str, kind: str) -> None:
    write_records(tmp_path / kind, RECORDS[:3])
    assert read_table((tmp_path / kind).rename(tmp_path / name)) == (RECORDS[:3], [])


@pytest.mark.parametrize("text", ["[**Name**] Liver normal.", "{NAME} Liver normal.", "[1] Liver normal."])
def test_a_report_that_begins_with_a_bracket_is_no_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    assert read_table(tmp_path / "a.txt") == ([{"id": "a", "text": text}], [])


def test_an_unknown_file_is_told_all_formats(tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_text("Liver normal.")
    with pytest.raises(InputError) as error:
        read_table(tmp_path / "x.dat")
    for file_format in tables.FILE_FORMATS:
        assert (file_format.title or file_format.name) in str(error.value)


def test_a_format_may_share_its_magic_with_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenDocument sheets are ZIP files as XLSX is; a row of the table is all that a new format takes."""
    opened: list[Path] = []

    @contextmanager
    def open_ods(path: Path, *_: object) -> Iterator[Table]:
        opened.append(path)
        yield Table(("text",), iter(()))

    def is_ods(head: FileHead) -> bool:
        return head.data.startswith(b"PK\x03\x04") and head.suffix == ".ods"

    ods = tables.FileFormat("ODS", frozenset({".ods"}), open_ods, is_ods, binary=True)
    monkeypatch.setattr(tables, "FILE_FORMATS", (ods, *tables.FILE_FORMATS))
    for name, format_name in (("a.ods", "ODS"), ("a.xlsx", "XLSX"), ("a.csv", "XLSX")):
        head = FileHead(b"PK\x03\x04 xl/workbook.xml", "", Path(name).suffix)
        assert tables._format_of(Path(name), head, gzipped=False).name == format_name
    (tmp_path / "a.ods").write_bytes(b"PK\x03\x04 and more")
    with tables.open_table(tmp_path / "a.ods", lambda *_, **__: None):
        assert opened == [tmp_path / "a.ods"]
