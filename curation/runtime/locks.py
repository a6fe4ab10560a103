"""Locks on folders: one run at a time, of the processes of this machine and of others that share the folder.

Two locks stand for one. The kernel's, on an open file, is known at once to every process of this machine, and is
released when its process ends, however it ends. Where several machines share a folder, the kernel of one may know
nothing of the other's lock: so a lease stands beside it, a file that its holder touches every few seconds. Others wait
and watch it by their own monotonic clock; one that nobody touches for ``LEASE_SECONDS`` is of a process that is dead,
and is taken over. No time of day is compared.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from .digests import do_nothing
from .errors import RunError
from .files import named_in_errors

if TYPE_CHECKING:
    from filelock import SoftFileLease

LEASE_SECONDS = 60.0
LEASE_SUFFIX = ".lease"
POLL_SECONDS = 0.5
UNWRITTEN_SECONDS = 2.0


class LockedError(Exception):
    """Another process holds the lock; ``holder`` says which, for people: ``process 12`` or ``process 12 on node7``."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class HeldLock:
    """A lock that this process holds."""

    def __init__(self, path: Path, file: TextIO, lease: SoftFileLease) -> None:
        self.path, self.file, self._lease = path, file, lease

    def raise_if_lost(self) -> None:
        """Raise ``RunError`` where another machine has taken the lock, or the folder is gone: nothing more is written.

        That happens where this process was stopped, or cut off from the folder, for longer than a lease lasts.
        """
        if self.is_held:
            return
        folder = self.path.parent.parent
        what = "was taken over by another run" if self.path.exists() else "was removed, or moved"
        raise RunError(f"{folder} {what}, while this run wrote it: this one ends here. Run the same command again")

    @property
    def is_held(self) -> bool:
        """Whether no other machine has taken the lock, or had it and gave it back, and the folder is there."""
        return self._lease.compromise is None and is_held_file(self) and self._is_named_in_lease()

    def _is_named_in_lease(self) -> bool:
        # The lease's own thread looks every few seconds; who wakes up may be quicker than that.
        token = self._lease.token
        with suppress(OSError):
            return token is not None and token in Path(self._lease.lock_file).read_text("utf-8", errors="replace")
        return False

    def release(self) -> None:
        """Release the lock for other machines; this one's kernel releases it when the file is closed."""
        with suppress(OSError):
            self._lease.release(force=True)


@contextmanager
def locked(path: Path, check: Callable[[], None] = do_nothing) -> Iterator[HeldLock]:
    """Hold the lock of the file at ``path``, which is made where there is none, in a folder that exists.

    ``check`` is called while another machine's lease is watched, and may raise to give up.

    Raises:
        LockedError: another process holds the lock.
        OSError: the file cannot be made.
    """
    with path.open("a+", encoding="utf-8") as file:
        with named_in_errors(path):
            _lock_by_kernel(file)
            held = HeldLock(path, file, _take_lease(path.with_name(path.name + LEASE_SUFFIX), check))
        try:
            yield held
        finally:
            held.release()


def is_held_file(held: HeldLock) -> bool:
    """Return whether the locked file still stands at its path: a run that has just finished may remove it."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(held.file.fileno()), held.path.stat())
    return False


def _lock_by_kernel(file: TextIO) -> None:
    from filelock import lock_descriptor

    if not lock_descriptor(file.fileno(), blocking=False):
        holder = ""
        with suppress(OSError):  # on Windows what is locked cannot be read either
            file.seek(0)
            holder = file.read().strip()
        raise LockedError(f"process {holder or '?'}")
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()


def _take_lease(path: Path, check: Callable[[], None]) -> SoftFileLease:
    """Return the lease, taken: at once where nobody has it, or its holder is a dead process of this machine."""
    from filelock import SoftFileLease, Timeout

    lease = SoftFileLease(path, lease_duration=LEASE_SECONDS, thread_local=False)
    first_seen, since = _mark(path), time.monotonic()
    while True:
        try:
            lease.acquire(timeout=0)
            return lease
        except Timeout:
            check()
        seen = _mark(path)
        if first_seen is not None and seen is not None and seen != first_seen:  # it was touched: its holder lives
            raise LockedError(_holder(path))
        if seen is not None and not seen.bytes and time.monotonic() - since > UNWRITTEN_SECONDS:
            path.unlink(missing_ok=True)  # of a process that was killed before it had written its name
        first_seen = first_seen or seen
        time.sleep(POLL_SECONDS)


class _Mark(NamedTuple):
    """What changes when a lease is touched."""

    inode: int
    changed_ns: int
    bytes: int


def _mark(path: Path) -> _Mark | None:
    """Return what changes when a lease is touched. The file is opened, which asks a network's server anew."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
    except OSError:
        return None
    return _Mark(status.st_ino, status.st_mtime_ns, status.st_size)


def _holder(path: Path) -> str:
    """Return who holds a lease, as its file says."""
    fields = dict[str, str]()
    with suppress(OSError, UnicodeDecodeError):
        lines = path.read_text(encoding="utf-8").splitlines()
        fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return f"process {fields.get('pid', '?')} on {fields.get('host', 'another machine').partition('?')[0]}"
