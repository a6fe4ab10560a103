"""The audit of a caption set on disk: the sample with its reports, and the verdicts of reviewers and judges.

It is one SQLite file beside the set. It holds copies of the sampled captions and reports, so that a verdict stays with
the words it is about, whatever becomes of the set.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from curation.runtime.errors import OvctError
from curation.runtime.files import PRIVATE_FILE, make_file
from curation.runtime.sqlite_integrity import ChangeMark, count_sums, damage, has_sums, keep_sums

from .sampling_frame import ItemKind, RowLocation

STORE_FILE = "audit.sqlite"
STORE_VERSION = "ovct audit 1"

_TABLES = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stratum (kind TEXT, number INTEGER, name TEXT NOT NULL, captions INTEGER NOT NULL,
    PRIMARY KEY (kind, number)) WITHOUT ROWID;
CREATE TABLE report (id INTEGER PRIMARY KEY, report_id TEXT UNIQUE NOT NULL, text TEXT NOT NULL,
    sections TEXT NOT NULL);
CREATE TABLE caption (id INTEGER PRIMARY KEY, report INTEGER NOT NULL REFERENCES report, kind TEXT NOT NULL,
    part INTEGER NOT NULL, row INTEGER NOT NULL, organ TEXT NOT NULL, caption TEXT NOT NULL, status TEXT,
    evidence_start INTEGER, evidence_end INTEGER, section TEXT, score REAL, reason TEXT, detail TEXT, nearest TEXT,
    engine TEXT, model TEXT, basis TEXT, spans TEXT, UNIQUE (kind, part, row));
CREATE INDEX caption_report ON caption (report);
CREATE TABLE item (id INTEGER PRIMARY KEY, caption INTEGER UNIQUE NOT NULL REFERENCES caption, stratum INTEGER NOT NULL,
    kind TEXT NOT NULL, organ TEXT NOT NULL, status TEXT, engine TEXT);
CREATE INDEX item_organ ON item (organ, id);
CREATE INDEX item_status ON item (status, id);
CREATE INDEX item_engine ON item (engine, id);
CREATE INDEX item_kind ON item (kind, id);
CREATE TABLE reviewer (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
CREATE TABLE turn (reviewer INTEGER NOT NULL REFERENCES reviewer, place INTEGER NOT NULL,
    item INTEGER NOT NULL REFERENCES item, PRIMARY KEY (reviewer, place), UNIQUE (reviewer, item)) WITHOUT ROWID;
CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, reviewer INTEGER NOT NULL REFERENCES reviewer,
    item INTEGER NOT NULL REFERENCES item, verdict TEXT, note TEXT NOT NULL, correction TEXT, blind INTEGER NOT NULL,
    at TEXT NOT NULL, undone TEXT);
CREATE INDEX event_reviewer ON event (reviewer, item, id);
CREATE TABLE review (reviewer INTEGER NOT NULL, item INTEGER NOT NULL, event INTEGER NOT NULL REFERENCES event,
    verdict TEXT, PRIMARY KEY (reviewer, item)) WITHOUT ROWID;
CREATE INDEX review_verdict ON review (reviewer, verdict, item);
CREATE TABLE judgement (judge TEXT NOT NULL, item INTEGER NOT NULL REFERENCES item, verdict TEXT NOT NULL,
    passage TEXT NOT NULL, why TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (judge, item)) WITHOUT ROWID;
"""
# Captions that a second reader disputed when the sample was drawn; audits of an earlier version have no such table.
_DISPUTED = """CREATE TABLE IF NOT EXISTS disputed (part INTEGER NOT NULL, row INTEGER NOT NULL,
    PRIMARY KEY (part, row)) WITHOUT ROWID"""


class AuditStoreError(OvctError, ValueError):
    """Raised where the audit's file cannot be used as it is."""

    exit_code = 2


class CopiedReport(NamedTuple):
    """A report of the sample; ``sections`` are name, start and end, in characters of its text."""

    report_id: str
    text: str
    sections: Sequence[tuple[str, int, int]]


class CopiedCaption(NamedTuple):
    """A caption of a report of the sample, sampled itself or not; its fields are the columns of ``caption``.

    Statements that no caption covers are kept there too, as kind ``uncovered`` (``omissions.drawing``).

    ``spans`` are the places of all passages that an accepted caption rests on, as JSON; None where only the first is
    known, as in audits of an earlier version.
    """

    report: int
    kind: ItemKind
    part: int
    row: int
    organ: str
    caption: str
    status: str | None
    evidence_start: int | None
    evidence_end: int | None
    section: str | None
    score: float | None
    reason: str | None
    detail: str | None
    nearest: str | None
    engine: str | None
    model: str | None
    basis: str | None = None
    spans: str | None = None


_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "cache_size=-32000")
_COLUMNS = ", ".join(f"caption.{name}" for name in CopiedCaption._fields)
# Columns of ``caption`` that audits of an earlier version lack.
_LATER_COLUMNS = ("basis", "spans")


class AuditStore:
    """Reads and writes an audit's file and, with ``new``, makes it. Only one thread may use it at a time.

    ``lacks_digests``: it was written by an earlier version, so that damage in it may go unnoticed.
    Raises ``AuditStoreError`` for a file that is none of an audit, or is not as it was written.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        if not new and not path.exists():
            raise AuditStoreError(
                f"{path.parent.parent} has not been audited yet: run `ovct audit {path.parent.parent}` first"
            )
        self.path, self._mark = path, ChangeMark(path)
        if new:
            make_file(path, PRIVATE_FILE)
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=20)
        try:
            self._prepare(new)
        except sqlite3.DatabaseError as error:
            self.connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise AuditStoreError(
                f"{path} is damaged or no audit ({error}): put a copy back, or begin anew with --redraw"
            ) from None
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self, new: bool) -> None:
        empty = self.connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
        if empty and not new:
            raise AuditStoreError(
                f"{self.path} is no audit of ovct: put a copy of it back, or begin anew with --redraw"
            )
        if not empty and (problem := damage(self.path, self.connection)):
            raise AuditStoreError(
                f"{self.path} is not as it was written ({problem}): put a copy of it back, or begin anew with --redraw"
            )
        # No write-ahead log: where a byte of that changes, all verdicts behind it are gone, and nobody is told.
        for pragma in (*(["journal_mode=DELETE"] if new else []), *_PRAGMAS):
            self.connection.execute(f"PRAGMA {pragma}")
        if empty:
            self._mark.note_change()
            self.connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            self.set_facts(version=STORE_VERSION)
        elif not self.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'fact'").fetchone():
            raise AuditStoreError(f"{self.path} is no audit of ovct: put it elsewhere, or begin anew with --redraw")
        elif (version := self.fact("version")) != STORE_VERSION:
            raise AuditStoreError(
                f"{self.path} was written by another version of ovct ({version}): use that, or --redraw"
            )
        else:
            self._add_later_columns()
        if not self.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'disputed'").fetchone():
            self._mark.note_change()
            self.connection.execute(_DISPUTED)
        self.lacks_digests = not empty and not has_sums(self.connection)
        if new and not has_sums(self.connection):
            self._mark.note_change()
            count_sums(self.connection)
        if has_sums(self.connection):
            keep_sums(self.connection, self._mark.note_change)

    def _add_later_columns(self) -> None:
        columns = {name for _, name, *_ in self.rows("PRAGMA table_info(caption)")}
        for name in _LATER_COLUMNS:
            if name not in columns:
                self.connection.execute(f"ALTER TABLE caption ADD COLUMN {name} TEXT")

    def close(self) -> None:
        """Close the file. Every transaction is on disk already."""
        self.connection.close()
        self._mark.note_closed()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all of what the block writes, or nothing of it where it raises."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # where the disk failed, SQLite has undone it already
                self.connection.execute("ROLLBACK")
            raise

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        return self.connection.execute(query, values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        """Return the first value of the first row of a query, ``None`` where there is no row."""
        row = self.connection.execute(query, values).fetchone()
        return row[0] if row else None

    def fact(self, name: str, default: Any = None) -> Any:
        """Return a fact about the audit as a whole, as ``set_facts`` has stored it."""
        stored = self.value("SELECT value FROM fact WHERE name = ?", name)
        return default if stored is None else json.loads(stored)

    def set_facts(self, **facts: Any) -> None:
        """Store facts about the audit as a whole; each is any JSON value."""
        rows = [(name, json.dumps(value)) for name, value in facts.items()]
        self.connection.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", rows)

    def sampled_rows(self, kind: ItemKind) -> list[RowLocation]:
        """Return where the captions of the sample stand in the set, in no order."""
        query = "SELECT part, row FROM item JOIN caption ON caption.id = item.caption WHERE item.kind = ?"
        return [RowLocation(part, row) for part, row in self.rows(query, kind)]

    def add_disputed(self, locations: Iterable[RowLocation]) -> None:
        """Store which captions a second reader disputes."""
        self.connection.executemany("INSERT INTO disputed VALUES (?, ?)", locations)

    def disputed_rows(self) -> list[RowLocation]:
        """Return the captions that a second reader disputed when the sample was drawn, in the order of the set."""
        return [RowLocation(part, row) for part, row in self.rows("SELECT part, row FROM disputed ORDER BY part, row")]

    def sample_size(self, kind: ItemKind) -> int:
        """Return how many captions of one kind are in the sample."""
        return int(self.value("SELECT count(*) FROM item WHERE kind = ?", kind))

    def sampled_in(self, stratum: str) -> int:
        """Return how many captions of the sample are in the stratum of a name."""
        query = """SELECT count(*) FROM item JOIN stratum ON stratum.kind = item.kind AND number = item.stratum
            WHERE name = ?"""
        return int(self.value(query, stratum))

    def add_strata(self, kind: ItemKind, strata: Iterable[tuple[str, int]]) -> None:
        """Store the names and sizes of the strata of one kind; the same ones again change nothing."""
        rows = [(kind, number, name, size) for number, (name, size) in enumerate(strata)]
        self.connection.executemany("INSERT OR REPLACE INTO stratum VALUES (?, ?, ?, ?)", rows)

    def add_report(self, report: CopiedReport) -> int | None:
        """Store a report and return its number, ``None`` where it is stored already, with its captions."""
        row = (report.report_id, report.text, json.dumps(report.sections))
        query = "INSERT OR IGNORE INTO report (report_id, text, sections) VALUES (?, ?, ?)"
        cursor = self.connection.execute(query, row)
        return cursor.lastrowid if cursor.rowcount else None

    def add_captions(self, captions: Iterable[CopiedCaption]) -> None:
        """Store captions of reports that are stored already."""
        marks = ", ".join("?" * len(CopiedCaption._fields))
        columns = ", ".join(CopiedCaption._fields)
        self.connection.executemany(f"INSERT INTO caption ({columns}) VALUES ({marks})", captions)

    def caption_of(self, item: int) -> CopiedCaption:
        """Return the caption of an item of the sample."""
        query = f"SELECT {_COLUMNS} FROM item JOIN caption ON caption.id = item.caption WHERE item.id = ?"
        return CopiedCaption(*self.rows(query, item)[0])

    def captions_of_report(self, item: int) -> Iterator[tuple[int | None, CopiedCaption]]:
        """Yield all captions of an item's report, in no order, each with its own item where it is in the sample."""
        query = f"""SELECT item.id, {_COLUMNS} FROM caption LEFT JOIN item ON item.caption = caption.id
            WHERE caption.report = ? AND caption.kind <> 'uncovered'"""
        for number, *row in self.rows(query, self.caption_of(item).report):
            yield number, CopiedCaption(*row)

    def report(self, number: int) -> CopiedReport:
        """Return a report of the sample by its number."""
        ((report_id, text, sections),) = self.rows("SELECT report_id, text, sections FROM report WHERE id = ?", number)
        return CopiedReport(report_id, text, [(name, start, end) for name, start, end in json.loads(sections)])

    def add_item(self, kind: ItemKind, location: RowLocation, stratum: int) -> None:
        """Add the next caption to the sample. Raises ``AuditStoreError`` where it was not copied."""
        query = """INSERT INTO item (caption, stratum, kind, organ, status, engine)
            SELECT id, ?, kind, organ, status, engine FROM caption WHERE kind = ? AND part = ? AND row = ?"""
        if not self.connection.execute(query, (stratum, kind, *location)).rowcount:
            part, row = location
            raise AuditStoreError(f"row {row} of part {part} is about a report that the set does not hold")
