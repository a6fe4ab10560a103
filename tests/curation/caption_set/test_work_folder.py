"""The lock on a caption set's folder."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from curation.caption_set.work_folder import SetError, lock_set


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "set"
    with lock_set(root), pytest.raises(SetError, match=f"another run .process {os.getpid()}."), lock_set(root):
        pass
    with lock_set(root):
        pass


def test_a_lock_whose_file_was_removed_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "set"

    def lock_after_removal(descriptor: int, **how: Any) -> bool:
        (root / ".work" / "lock").unlink()
        return True

    monkeypatch.setattr("filelock.lock_descriptor", lock_after_removal)
    with pytest.raises(SetError, match="finished by another run, removed or moved just now"), lock_set(root):
        pass


def test_what_can_be_removed_goes_where_one_file_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, unlink = [".manifest.json.tmp", "outcomes.sqlite"], Path.unlink

    def refusing(path: Path, missing_ok: bool = False) -> None:
        if path.name in kept:
            raise OSError(errno.EIO, "Input/output error", str(path))
        unlink(path, missing_ok)

    with lock_set(tmp_path / "set") as locked:
        (tmp_path / "set" / ".manifest.json.tmp").touch()
        (locked.work / "outcomes.sqlite").touch()
        (locked.work / "outcomes.sqlite-wal").touch()
        monkeypatch.setattr(Path, "unlink", refusing)
    assert [path.name for path in (tmp_path / "set" / ".work").iterdir()] == ["outcomes.sqlite"]
    kept.clear()
    with lock_set(tmp_path / "set"):
        pass
    assert not (tmp_path / "set" / ".work").exists()
