"""The folder of a caption set while one run writes it: its lock, and the work folder that the lock stands in.

Only files that runs make are ever removed: those that the manifest names, those of a run that was killed, which its
work folder tells of, and of the work folder those with our names.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from curation.runtime.errors import OvctError
from curation.runtime.files import POSIX_FILES, temporary_name
from curation.runtime.locks import HeldLock, LockedError, is_held_file, locked

from .manifest import FILE_NAME, Manifest, ManifestError, is_caption_set, load_manifest
from .set_files import BATCHES_FILE, RESPONSES_FILE, TABLES, WORK_FOLDER, part_number, temporary_files

LOCK_FILE = "lock"
WORK_NAMES = re.compile(r"lock(\.lease.*)?|(outcomes|responses|batches)\.sqlite(-wal|-shm|-journal)?|batch-\w+\.jsonl")
# A model's answers are kept where a run begins again: they are paid for.
ANSWER_FILES = (RESPONSES_FILE, BATCHES_FILE)
FULL = (errno.ENOSPC, errno.EDQUOT)


class SetError(OvctError, ValueError):
    """Raised where the folder of a caption set cannot be used as the caller asked."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class LockedSet:
    """A set's folder that this run has locked.

    ``work`` is its work folder. ``left_behind``: a run that was killed has left one, so that files that the manifest
    does not name are that run's.
    """

    work: Path
    left_behind: bool
    lock: HeldLock


def check_usable(root: Path) -> None:
    """Raise ``SetError`` for a file, and for a folder that holds something else than a caption set. Writes nothing."""
    if root.exists() and not root.is_dir():
        raise SetError(f"{root} is a file; name a folder with --out")
    _check_work_folder(root / WORK_FOLDER)
    if not root.is_dir() or is_caption_set(root):
        return
    # A run that was killed while it wrote its first manifest has left these.
    ours = {WORK_FOLDER, temporary_name(root / FILE_NAME).name} if (root / WORK_FOLDER).exists() else set()
    if foreign := sorted({entry.name for entry in root.iterdir()} - ours):
        if FILE_NAME in foreign:
            raise SetError(
                f"{root} is not empty and holds no caption set, or {root / FILE_NAME} is damaged: nothing is written "
                "there. Put a copy of that back, or name another folder with --out"
            )
        raise SetError(
            f"{root} is not empty and holds no caption set ({foreign[0]}): nothing is written there. Name another "
            "with --out"
        )


def _check_work_folder(work: Path) -> None:
    """Raise ``SetError`` for a folder of that name that no run has made."""
    if not work.exists() and not work.is_symlink():
        return
    foreign = [] if work.is_symlink() or not work.is_dir() else [path.name for path in work.iterdir()]
    if work.is_symlink() or not work.is_dir() or any(not WORK_NAMES.fullmatch(name) for name in foreign):
        what = next((name for name in sorted(foreign) if not WORK_NAMES.fullmatch(name)), "no folder")
        raise SetError(
            f"{work} is not that of an unfinished run ({what}): nothing is written there. Move it away, or name "
            "another folder with --out"
        )


@contextmanager
def lock_set(root: Path, check: Callable[[], None] = lambda: None) -> Iterator[LockedSet]:
    """Lock a set's folder for this run; its work folder is kept while the set is unfinished.

    The folder is made where there is none. ``check`` is called while another machine's lock is watched, and may raise.

    Raises:
        SetError: the folder holds something else, cannot be written to, or is locked by another run.
    """
    check_usable(root)
    work = root / WORK_FOLDER
    left_behind = work.exists()
    _make(work)
    try:
        with _lock_file_removed_on_windows(root, work), locked(work / LOCK_FILE, check) as lock:
            if not is_held_file(lock):
                raise SetError(
                    f"{root} was finished by another run, removed or moved just now; run the same command again"
                )
            try:
                if not left_behind:
                    _refuse_foreign_parts(root)
                yield LockedSet(work, left_behind, lock)
            finally:
                if lock.is_held and not _is_unfinished(root):
                    _remove_work_folder(root, work, lock)
    except LockedError as error:
        raise SetError(f"{root} is being written by another run ({error.holder})") from None
    except OSError as error:
        if error.filename != str(work / LOCK_FILE) or error.errno in FULL:
            raise
        raise _not_writable(root, error) from None


def remove_left_work(root: Path) -> None:
    """Remove the work folder that a run has left which was killed after it had finished the set."""
    if (root / WORK_FOLDER).exists():
        with suppress(SetError, OSError), lock_set(root):
            pass


def empty_work_folder(work: Path) -> None:
    """Remove what an earlier run has left. A model's answers stay: their store knows itself whether they still fit."""
    for path in _left_by_a_run(work):
        path.unlink()


def _left_by_a_run(work: Path) -> list[Path]:
    """Return the files of a work folder that a run has made, without the lock and the answers of a model."""
    names = {path.name: path for path in work.iterdir() if WORK_NAMES.fullmatch(path.name)}
    return [path for name, path in names.items() if not name.startswith((LOCK_FILE, *ANSWER_FILES))]


def _make(work: Path) -> None:
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise _not_writable(work.parent, error) from None


def _not_writable(root: Path, error: OSError) -> SetError:
    return SetError(f"cannot write to {root}: {error.strerror}; name another folder with --out")


def _refuse_foreign_parts(root: Path) -> None:
    """Raise ``SetError`` for files of a finished set that are called like parts, if its manifest does not name them."""
    manifest = _manifest(root)
    if manifest is None or not manifest.complete:  # of an unfinished set they may be those of a run that was killed
        return
    parts = len(manifest.parts)
    for table in TABLES:
        for path in sorted((root / table).glob("part-*")):
            number = part_number(f"{table}/{path.name}")
            if number is not None and number >= parts:
                raise SetError(
                    f"{path} is no part of this caption set: its manifest does not name it. Move it away, and run the "
                    "command again"
                )


def _manifest(root: Path) -> Manifest | None:
    with suppress(ManifestError, OSError):
        return load_manifest(root)
    return None


def _is_unfinished(root: Path) -> bool:
    manifest = _manifest(root)
    return not manifest.complete if manifest else is_caption_set(root)


def _remove_work_folder(root: Path, work: Path, lock: HeldLock) -> None:
    """Remove the work folder of a finished set; where answers are missing, the others are kept for another try.

    What other hands have put there stays, and so does the folder then. A file that cannot be removed stays too, and
    the others go all the same; the next run removes it.
    """
    manifest = _manifest(root)
    is_kept = manifest is not None and bool(manifest.counts.unanswered)
    answers = [] if is_kept else [path for name in ANSWER_FILES for path in work.glob(f"{name}*")]
    for path in (*temporary_files(root), *_left_by_a_run(work), *answers):
        with suppress(OSError):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        lock.release()
    _remove_lock_files(work)


def _remove_lock_files(work: Path) -> None:
    for path in work.glob(f"{LOCK_FILE}*"):
        if WORK_NAMES.fullmatch(path.name):
            with suppress(OSError):
                path.unlink()
    with suppress(OSError):
        work.rmdir()


@contextmanager
def _lock_file_removed_on_windows(root: Path, work: Path) -> Iterator[None]:
    """Remove the lock file of a finished set once it is closed: Windows removes no open file, nor another run's."""
    try:
        yield
    finally:
        if not POSIX_FILES and not _is_unfinished(root):
            _remove_lock_files(work)
