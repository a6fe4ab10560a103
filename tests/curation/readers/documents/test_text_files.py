"""A text file is a report."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from curation.runtime.errors import InputError
from tests.curation.readers.reading import read_table


def test_one_text_file(tmp_path: Path) -> None:
    (tmp_path / "case 7.txt").write_bytes("Liver – normal.".encode("utf-16"))
    assert read_table(tmp_path / "case 7.txt")[0] == [{"id": "case 7", "text": "Liver – normal."}]
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(b"text" * 100, mtime=0)[:-9])
    with pytest.raises(InputError, match="fetch the file again"):
        read_table(tmp_path / "x.txt.gz")


def test_a_file_that_unpacks_to_more_than_any_report(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"a" * (65 << 20))
    with pytest.raises(InputError, match="more than 64 million characters"):
        read_table(tmp_path / "x.txt")
