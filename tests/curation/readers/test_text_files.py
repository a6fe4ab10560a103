"""Text files and folders of them, a report each."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from curation.runtime.errors import InputError
from tests.curation.readers.reading import read_table


def test_folder_of_text_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.txt", "a/2.TXT", "a/1.txt.gz", "c.txt", "a-b.txt", "note.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        raw = f"text of {name}\r\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)
    (tmp_path / "empty.txt").touch()
    rows, problems = read_table(tmp_path)
    assert [row["id"] for row in rows] == ["a-b", "a/1", "a/2", "b", "c"]
    assert rows[1]["text"] == "text of a/1.txt.gz\r\n"
    assert problems[0][0] == 6 and problems[0][1].startswith("empty.txt: ") and not problems[0][2]


def test_folders_without_text_and_loops_of_links(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no files"):
        read_table(tmp_path)
    (tmp_path / "x.csv").touch()
    with pytest.raises(InputError, match=r"files of type \.csv; name one of them"):
        read_table(tmp_path)
    (tmp_path / "a.txt").write_text("text")
    os.symlink(tmp_path, tmp_path / "loop")
    assert [row["id"] for row in read_table(tmp_path)[0]] == ["a"]


def test_one_text_file(tmp_path: Path) -> None:
    (tmp_path / "case 7.txt").write_bytes("Liver – normal.".encode("utf-16"))
    assert read_table(tmp_path / "case 7.txt")[0] == [{"id": "case 7", "text": "Liver – normal."}]
    (tmp_path / "x.txt.gz").write_bytes(gzip.compress(b"text" * 100, mtime=0)[:-9])
    with pytest.raises(InputError, match="fetch the file again"):
        read_table(tmp_path / "x.txt.gz")
