"""Locks on files: one process at a time, and the kernel releases the lock when that process ends."""

from __future__ import annotations

import fcntl
import os
from typing import TextIO


class LockedError(Exception):
    """Another process holds the lock; ``holder`` is its number, or "?"."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


def lock_file(file: TextIO) -> None:
    """Lock a file, opened with ``a+``, until it is closed, and write this process's number into it.

    Raises ``LockedError`` if another process holds the lock.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise LockedError(file.read().strip() or "?") from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
