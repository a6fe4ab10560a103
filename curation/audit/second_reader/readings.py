"""The readings of second readers on disk: one SQLite file beside a caption set, for the rows that it has now.

Each reading is saved as it comes, so that a reader that is killed loses only what it was waiting for.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from curation.caption_set.audit_results import AUDIT
from curation.caption_set.manifest import Manifest
from curation.runtime.errors import InputError, OvctError
from curation.runtime.files import PRIVATE_FILE, PRIVATE_FOLDER, make_file
from curation.runtime.locks import LockedError, locked
from curation.runtime.sqlite_integrity import (
    OPEN,
    ChangeMark,
    count_sums,
    damage,
    digest_file,
    has_sums,
    keep_sums,
    recorded,
)

from ..sampling_frame import RowLocation

Outcome = Literal["agrees", "disagrees", "unread"]
Difference = Literal["organ", "status", "said"]
DIFFERENCES: tuple[Difference, ...] = ("organ", "status", "said")
LOCK_FILE = "second_reader.lock"

_TABLES = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reading (reader TEXT NOT NULL, part INTEGER NOT NULL, row INTEGER NOT NULL,
    answered INTEGER NOT NULL, outcome TEXT NOT NULL, organ TEXT NOT NULL, status TEXT NOT NULL, read_organ TEXT,
    read_status TEXT, said INTEGER, detail TEXT NOT NULL, PRIMARY KEY (reader, part, row)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reading_outcome ON reading (outcome);
"""


class ReadingsError(OvctError, ValueError):
    """Raised where the file of the readings cannot be used as it is."""

    exit_code = 2


class Reading(NamedTuple):
    """What a second reader makes of one caption, beside what the set says of it; the columns of ``reading``.

    ``organ`` and ``status`` are the caption's. ``read_organ`` is the same name where the reader's organ is the same or
    its part or whole, else the reader's; ``said`` whether its report says it at all. None stands for what was not
    read. ``answered`` is false where there was no usable answer, so that the caption is asked about once more.
    """

    part: int
    row: int
    answered: bool
    outcome: Outcome
    organ: str
    status: str
    read_organ: str | None
    read_status: str | None
    said: bool | None
    detail: str

    @property
    def differences(self) -> list[Difference]:
        """In what the reader differs from the set."""
        differs = (
            self.read_organ not in (None, self.organ),
            self.read_status not in (None, self.status),
            self.said is False,
        )
        return [name for name, value in zip(DIFFERENCES, differs, strict=True) if value]


class ReadingStore:
    """Reads and writes the readings of a caption set and, with ``new``, makes their file. Only one thread may use it.

    Raises ``ReadingsError`` for a file that holds no readings, or is not as it was written.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        self.path, self._mark = path, ChangeMark(path, noted=new and recorded(path) == OPEN)
        if new:
            make_file(path, PRIVATE_FILE)
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=20)
        try:
            self._prepare(new)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise self._damaged(str(error)) from None
        except BaseException:
            self._connection.close()
            raise

    def _damaged(self, problem: str) -> ReadingsError:
        beside = digest_file(self.path).name
        return ReadingsError(
            f"{self.path} is damaged or holds no readings ({problem}): put a copy back, or move it and {beside} away "
            "to have the captions read anew"
        )

    def _prepare(self, new: bool) -> None:
        if problem := damage(self.path, self._connection):
            raise self._damaged(problem)
        # No write-ahead log: see the store of the audit.
        for pragma in (*(["journal_mode=DELETE"] if new else []), "synchronous=NORMAL", "cache_size=-16000"):
            self._connection.execute(f"PRAGMA {pragma}")
        if new:
            if not self._has_tables():
                self._mark.note_change()
                self._connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            if not has_sums(self._connection):
                self._mark.note_change()
                count_sums(self._connection)
            keep_sums(self._connection, self._mark.note_change)
        elif not self._has_tables():
            raise self._damaged("it has no table of them")

    def _has_tables(self) -> bool:
        query = "SELECT count(*) FROM sqlite_master WHERE name IN ('fact', 'reading', 'reading_outcome')"
        return bool(self._connection.execute(query).fetchone()[0] == 3)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        self._mark.note_closed()

    def save(self, reader: str, readings: Iterable[Reading]) -> None:
        """Save readings, all of them or none."""
        marks = ", ".join("?" * (1 + len(Reading._fields)))
        with self._transaction():
            self._connection.executemany(
                f"INSERT OR REPLACE INTO reading VALUES ({marks})", ((reader, *reading) for reading in readings)
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def answered_rows(self, reader: str, part: int) -> set[int]:
        """Return the rows of a part about which a reader need not be asked again."""
        query = "SELECT row FROM reading WHERE reader = ? AND part = ? AND answered"
        return {row for (row,) in self._connection.execute(query, (reader, part))}

    def readers(self) -> list[str]:
        """Return the names of all readers."""
        return [name for (name,) in self._connection.execute("SELECT DISTINCT reader FROM reading ORDER BY reader")]

    def disputed_rows(self) -> list[RowLocation]:
        """Return the captions about which any reader differs from the set, in its order."""
        query = "SELECT DISTINCT part, row FROM reading WHERE outcome = 'disagrees' ORDER BY part, row"
        return [RowLocation(part, row) for part, row in self._connection.execute(query)]

    def count(self, reader: str, condition: str = "1") -> int:
        """Return how many readings of a reader fulfil a condition of SQL."""
        query = f"SELECT count(*) FROM reading WHERE reader = ? AND {condition}"
        return int(self._connection.execute(query, (reader,)).fetchone()[0])

    def pairs(self, reader: str, what: Literal["organ", "status"]) -> Counter[tuple[str, str]]:
        """Count how often the set has one organ, or status, and the reader another or the same one."""
        query = f"""SELECT {what}, read_{what}, count(*) FROM reading
            WHERE reader = ? AND read_{what} IS NOT NULL GROUP BY 1, 2"""
        return Counter({(ours, theirs): count for ours, theirs, count in self._connection.execute(query, (reader,))})

    def problems(self, reader: str, most: int = 3) -> list[tuple[str, int]]:
        """Return the most frequent reasons why captions have no reading, with their numbers."""
        query = """SELECT detail, count(*) FROM reading WHERE reader = ? AND outcome = 'unread'
            GROUP BY detail ORDER BY 2 DESC, detail LIMIT ?"""
        return [(detail, count) for detail, count in self._connection.execute(query, (reader, most))]

    def fact(self, name: str, default: Any = None) -> Any:
        """Return a fact as ``set_fact`` has stored it."""
        row = self._connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set_fact(self, name: str, value: Any) -> None:
        """Store any JSON value under a name."""
        self._connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, json.dumps(value)))


def readings_path(root: Path, manifest: Manifest) -> Path:
    """Return where the readings of a set stand. A set that has changed since has other rows, and another file."""
    return root / AUDIT / f"second_reader-{manifest.identity()[:12]}.sqlite"


def _has_readings(path: Path) -> bool:
    """Return whether a file holds anything yet.

    Raises ``ReadingsError`` for one of which nothing is left: all that was read would be paid for again.
    """
    if path.exists() and path.stat().st_size:
        return True
    if recorded(path) not in (None, OPEN):
        raise ReadingsError(
            f"{path} is gone, or empty, though {digest_file(path).name} tells of it: put a copy of it back, or remove "
            "that file to have the captions read anew"
        )
    return False


@contextmanager
def readings_to_read(root: Path, manifest: Manifest) -> Iterator[ReadingStore | None]:
    """Open the readings of a set as they are, also while a reader is at work; None where there are none."""
    path = readings_path(root, manifest)
    if not _has_readings(path):
        yield None
        return
    store = ReadingStore(path)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def readings_to_write(root: Path, manifest: Manifest) -> Iterator[ReadingStore]:
    """Open the readings of a set for this process alone. Raises ``InputError`` where another one has them open."""
    folder = root / AUDIT
    folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
    folder.chmod(PRIVATE_FOLDER)
    try:
        with locked(folder / LOCK_FILE):
            path = readings_path(root, manifest)
            _has_readings(path)  # or is refused
            store = ReadingStore(path, new=True)
            try:
                yield store
            finally:
                store.close()
    except LockedError as error:
        raise InputError(
            f"a second reader is reading {root} already ({error.holder}): wait for it, or end it first"
        ) from None
