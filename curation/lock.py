"""One process at a time: a lock that the kernel lets go of when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from typing import TextIO


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
