"""Files that are on disk as a whole or not at all, whenever the process or the machine stops, and locks on files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

TEMPORARY_SUFFIX = ".tmp"


def sync(path: Path) -> None:
    """Have the disk keep what ``path`` holds now: a file's content, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary_name(path: Path) -> Path:
    """The name under which ``path`` is written: in the same folder, and hidden from ``*.parquet`` and from people."""
    return path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a file that is written and closed its name, replacing what stood there."""
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write the yielded path; it becomes ``path`` when the block ends well and is removed when it does not."""
    temporary = temporary_name(path)
    try:
        yield temporary
        put_in_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a whole text file (UTF-8)."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class Held(Exception):
    """Another process holds the lock; ``holder`` is its number, or "?"."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


def hold(file: TextIO) -> None:
    """Hold the lock that a file is, until it is closed; it was opened with ``a+``, and then names this process.

    Raises ``Held``.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise Held(file.read().strip() or "?") from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
