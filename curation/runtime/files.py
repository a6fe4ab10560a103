"""Files that are on disk as a whole or not at all, whenever the process or the machine stops."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"
# For what only the user may read.
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
# Not on Windows: there a folder cannot be opened, a file is flushed by who may write it, and no open file is removed.
POSIX_FILES = hasattr(os, "O_DIRECTORY")


def sync(path: Path) -> None:
    """Flush to disk what ``path`` holds now: a file's content, or the names in a folder.

    On Windows a folder is left to the system: nothing flushes the names in it.
    """
    if not POSIX_FILES and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if POSIX_FILES else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary_name(path: Path) -> Path:
    """Return the name to write ``path`` under: in the same folder, and hidden from ``*.parquet`` and from people."""
    return path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename a closed file to ``path`` and replace what stood there; both are on disk afterwards."""
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)


def make_file(path: Path, mode: int) -> None:
    """Make an empty file with these permissions, or give them to the one that is there."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, mode))
    path.chmod(mode)


@contextmanager
def named_in_errors(path: Path) -> Iterator[None]:
    """Give an ``OSError`` that names no file, as one of writing does, the name of this one."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def whole_file(path: Path, mode: int | None = None) -> Iterator[Path]:
    """Yield a temporary path to write; it becomes ``path`` when the block ends well and is removed when it does not.

    An ``OSError`` that names no file, as one of writing does, gets the name of this one. With ``mode`` the file has
    these permissions from the start, such as ``PRIVATE_FILE``.
    """
    temporary = temporary_name(path)
    try:
        with named_in_errors(path):
            if mode is not None:
                make_file(temporary, mode)
            yield temporary
            put_in_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str, mode: int | None = None) -> None:
    """Write a whole text file (UTF-8); ``mode`` as in ``whole_file``."""
    with whole_file(path, mode) as temporary:
        temporary.write_text(text, encoding="utf-8")
