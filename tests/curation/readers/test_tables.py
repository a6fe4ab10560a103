"""One reader for each format, chosen by what is in the file."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

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
        assert read_table(tmp_path / name)[1][0][0] == 1
        return
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / name)
