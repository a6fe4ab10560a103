"""The folder of a caption set while one run writes it: its lock, and the work folder that the lock stands in."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from curation.runtime.errors import OvctError
from curation.runtime.locks import LockedError, lock_file

from .manifest import ManifestError, is_caption_set, load_manifest
from .set_files import RESPONSES_FILE, WORK_FOLDER

LOCK_FILE = "lock"


class SetError(OvctError, ValueError):
    """Raised where the folder of a caption set cannot be used as the caller asked."""

    exit_code = 2


def check_usable(root: Path) -> None:
    """Raise ``SetError`` for a file, and for a folder that holds something else than a caption set. Writes nothing."""
    if root.exists() and not root.is_dir():
        raise SetError(f"{root} is a file; name a folder with --out")
    if root.is_dir() and not is_caption_set(root) and {entry.name for entry in root.iterdir()} - {WORK_FOLDER}:
        raise SetError(
            f"{root} is not empty and holds no caption set: nothing is written there. Name another with --out"
        )


@contextmanager
def lock_set(root: Path) -> Iterator[Path]:
    """Lock a set's folder for this run and yield its work folder, which is kept while the set is unfinished.

    The folder is made where there is none. The kernel releases the lock when the process ends, however it ends.

    Raises:
        SetError: the folder holds something else, cannot be written to, or is locked by another run.
    """
    check_usable(root)
    work = root / WORK_FOLDER
    with _open_lock(work) as file:
        try:
            lock_file(file)
        except LockedError as error:
            raise SetError(f"{root} is being written by another run (process {error.holder})") from None
        if not _is_same_file(work / LOCK_FILE, file):
            raise SetError(f"{root} was finished by another run just now; run the command again")
        try:
            yield work
        finally:
            if not _is_unfinished(root):
                _remove_work_folder(root, work)


def empty_work_folder(work: Path) -> None:
    """Remove what an earlier run has left. A model's answers stay: their store knows itself whether they still fit."""
    for path in work.iterdir():
        if path.name != LOCK_FILE and not path.name.startswith(RESPONSES_FILE):
            path.unlink()


def _open_lock(work: Path) -> TextIO:
    try:
        work.mkdir(parents=True, exist_ok=True)
        return (work / LOCK_FILE).open("a+", encoding="utf-8")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise SetError(f"cannot write to {work.parent}: {error.strerror}; name another folder with --out") from None


def _is_same_file(path: Path, file: TextIO) -> bool:
    """Return whether the locked file still stands at ``path``: a run that has just finished removes it."""
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def _is_unfinished(root: Path) -> bool:
    try:
        return not load_manifest(root).complete
    except ManifestError:
        return is_caption_set(root)


def _remove_work_folder(root: Path, work: Path) -> None:
    """Remove the work folder of a finished set; where answers are missing, the others are kept for another try."""
    with suppress(ManifestError, OSError):
        if load_manifest(root).counts.unanswered:
            empty_work_folder(work)
            (work / LOCK_FILE).unlink()
            return
    shutil.rmtree(work, ignore_errors=True)
