"""Files that are written as a whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from curation.runtime import files
from curation.runtime.files import whole_file, write_text


def test_a_whole_file_or_none(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    write_text(path, "one")
    write_text(path, "zwei ä")
    assert path.read_text(encoding="utf-8") == "zwei ä"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_writing_names_the_file(tmp_path: Path) -> None:
    """The system's own error of a full disk, or of a failing one, names none."""
    with (
        pytest.raises(OSError, match=r"No space left on device: '.*table\.parquet'"),
        whole_file(tmp_path / "table.parquet"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match=r"denied: 'other'"), whole_file(tmp_path / "table.parquet"):
        raise OSError(errno.EACCES, "denied", "other")


def test_on_windows_no_folder_is_opened_to_flush_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = dict[Path, int]()
    real_open = os.open

    def note(path: Path, flags: int, *mode: int) -> int:
        opened[path] = flags
        return real_open(path, flags, *mode)

    monkeypatch.setattr(files, "POSIX_FILES", False)
    monkeypatch.setattr(os, "open", note)
    write_text(tmp_path / "a.txt", "one")
    assert opened == {tmp_path / ".a.txt.tmp": os.O_RDWR} and (tmp_path / "a.txt").read_text() == "one"
