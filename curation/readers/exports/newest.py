"""Find the newest version of each report of a file, with an index on disk instead of all ids in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import blake2b
from types import TracebackType
from typing import NamedTuple


class Version(NamedTuple):
    """A version of a report, as far as it shows which of two is newer.

    ``number`` is the place of its message or entry in the file. ``serial`` counts the versions of one record, 0 where
    it does not say. ``rank`` is higher for a final report than for a preliminary one, and highest for a corrected one.
    ``time`` is a text that sorts by time, "" where it is not given. ``withdrawn`` says that it takes the report back.
    """

    number: int
    rank: int = 0
    time: str = ""
    serial: int = 0
    withdrawn: bool = False


class NewestVersions:
    """The newest version of each report, by a key of any text.

    With ``time_first`` the time decides where it is given, else the rank does: a preliminary report that is sent late
    does not replace the final one.

    The index is an unnamed SQLite database: 8 MB of it are in memory and the rest in a temporary file, some 60 bytes a
    report.
    """

    def __init__(self, *, time_first: bool = False) -> None:
        self.time_first = time_first
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(
            "PRAGMA cache_size=-8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE versions (key BLOB PRIMARY KEY, number INT, rank INT, time TEXT, serial INT, withdrawn INT)"
            " WITHOUT ROWID;"
            "BEGIN"
        )

    def __enter__(self) -> NewestVersions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def offer(self, key: str | bytes, version: Version) -> None:
        """Take a version, in the order of the file; it is kept if it replaces the newest one so far.

        A key in bytes is one that ``items`` gave.
        """
        newest = self.newest(key)
        if newest is None or replaces(version, newest, time_first=self.time_first):
            self._database.execute("REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?)", (_digest(key), *version))

    def newest(self, key: str | bytes) -> Version | None:
        """Return the newest version under a key."""
        query = "SELECT number, rank, time, serial, withdrawn FROM versions WHERE key = ?"
        row = self._database.execute(query, (_digest(key),)).fetchone()
        return None if row is None else Version(row[0], row[1], row[2], row[3], withdrawn=bool(row[4]))

    def items(self) -> Iterator[tuple[bytes, Version]]:
        """Yield the digest of each key with its newest version, in the order of their numbers."""
        query = "SELECT number, rank, time, serial, withdrawn, key FROM versions ORDER BY number"
        for number, rank, time, serial, withdrawn, key in self._database.execute(query):
            yield key, Version(number, rank, time, serial, withdrawn=bool(withdrawn))


def replaces(new: Version, old: Version, *, time_first: bool = False) -> bool:
    """Return whether a version that comes later in the file replaces the newest one before it.

    A report that was taken back is gone until another version of it comes, whatever the rank of that.
    """
    digits = min(len(new.time), len(old.time))  # one may be cut off at the day
    new_time, old_time = new.time[:digits], old.time[:digits]
    if time_first and new_time != old_time:
        return new_time > old_time
    if new.serial and old.serial:
        return new.serial >= old.serial
    if new.rank != old.rank and not (new.withdrawn or old.withdrawn):
        return new.rank > old.rank
    return new_time >= old_time


def _digest(key: str | bytes) -> bytes:
    if isinstance(key, bytes):
        return key
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
