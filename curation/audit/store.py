"""The audit of a caption set on disk: the sample with its reports, and what reviewers and judges said of it.

One SQLite file beside the set. It holds copies of what was drawn, so that a verdict stays with the words it was about,
whatever becomes of the set.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from curation.runtime.errors import OvctError

from .frame import Kind, Place

FILE = "audit.sqlite"
VERSION = "ovct audit 1"

_TABLES = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stratum (kind TEXT, number INTEGER, name TEXT NOT NULL, captions INTEGER NOT NULL,
    PRIMARY KEY (kind, number)) WITHOUT ROWID;
CREATE TABLE report (id INTEGER PRIMARY KEY, report_id TEXT UNIQUE NOT NULL, text TEXT NOT NULL,
    sections TEXT NOT NULL);
CREATE TABLE caption (id INTEGER PRIMARY KEY, report INTEGER NOT NULL REFERENCES report, kind TEXT NOT NULL,
    part INTEGER NOT NULL, row INTEGER NOT NULL, organ TEXT NOT NULL, caption TEXT NOT NULL, status TEXT,
    evidence_start INTEGER, evidence_end INTEGER, section TEXT, score REAL, reason TEXT, detail TEXT, nearest TEXT,
    engine TEXT, model TEXT, UNIQUE (kind, part, row));
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


class StoreError(OvctError, ValueError):
    """The audit's file cannot be used as it is."""

    exit_code = 2


class CopiedReport(NamedTuple):
    """A report of the sample; ``sections`` are name, start and end, in characters of its text."""

    report_id: str
    text: str
    sections: Sequence[tuple[str, int, int]]


class CopiedCaption(NamedTuple):
    """A caption of a report of the sample, drawn itself or not; its fields are columns of ``caption``."""

    report: int
    kind: Kind
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


_COLUMNS = ", ".join(f"caption.{name}" for name in CopiedCaption._fields)


class Store:
    """An audit's file, opened. Of one thread at a time."""

    def __init__(self, path: Path, *, new: bool = False) -> None:
        if not new and not path.exists():
            raise StoreError(
                f"{path.parent.parent} has not been audited yet: run `ovct audit {path.parent.parent}` first"
            )
        self.path = path
        self.base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=20)
        try:
            self._prepare(new)
        except sqlite3.DatabaseError as error:
            self.base.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise StoreError(
                f"{path} is damaged or no audit ({error}): put a copy back, or begin anew with --redraw"
            ) from None
        except BaseException:
            self.base.close()
            raise

    def _prepare(self, new: bool) -> None:
        empty = self.base.execute("SELECT 1 FROM sqlite_master").fetchone() is None
        if empty and not new:
            raise StoreError(f"{self.path} is no audit of ovct: put a copy of it back, or begin anew with --redraw")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000"):
            self.base.execute(f"PRAGMA {pragma}")
        if empty:
            self.base.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            self.set_facts(version=VERSION)
        elif not self.base.execute("SELECT 1 FROM sqlite_master WHERE name = 'fact'").fetchone():
            raise StoreError(f"{self.path} is no audit of ovct: put it elsewhere, or begin anew with --redraw")
        elif (version := self.fact("version")) != VERSION:
            raise StoreError(f"{self.path} was written by another version of ovct ({version}): use that, or --redraw")

    def close(self) -> None:
        """Close the file. All that was said is in it."""
        self.base.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is written in the block, or nothing of it."""
        self.base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.base.execute("COMMIT")
        except BaseException:
            self.base.execute("ROLLBACK")
            raise

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.base.execute(query, values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        """The first value of the first row of a query, ``None`` where there is no row."""
        row = self.base.execute(query, values).fetchone()
        return row[0] if row else None

    def fact(self, name: str, default: Any = None) -> Any:
        """What is known about the audit as a whole."""
        found = self.value("SELECT value FROM fact WHERE name = ?", name)
        return default if found is None else json.loads(found)

    def set_facts(self, **facts: Any) -> None:
        """Note what is known about the audit as a whole."""
        rows = [(name, json.dumps(value)) for name, value in facts.items()]
        self.base.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", rows)

    def drawn(self, kind: Kind) -> list[Place]:
        """Where the captions of the sample stand in the set, in no order."""
        query = "SELECT part, row FROM item JOIN caption ON caption.id = item.caption WHERE item.kind = ?"
        return [Place(part, row) for part, row in self.rows(query, kind)]

    def sample_size(self, kind: Kind) -> int:
        """Captions of one kind in the sample."""
        return int(self.value("SELECT count(*) FROM item WHERE kind = ?", kind))

    def add_strata(self, kind: Kind, strata: Iterable[tuple[str, int]]) -> None:
        """Strata of one kind with their sizes; the same ones again change nothing."""
        rows = [(kind, number, name, size) for number, (name, size) in enumerate(strata)]
        self.base.executemany("INSERT OR REPLACE INTO stratum VALUES (?, ?, ?, ?)", rows)

    def add_report(self, report: CopiedReport) -> int | None:
        """Its number; ``None`` where it is here already, with its captions."""
        row = (report.report_id, report.text, json.dumps(report.sections))
        added = self.base.execute("INSERT OR IGNORE INTO report (report_id, text, sections) VALUES (?, ?, ?)", row)
        return added.lastrowid if added.rowcount else None

    def add_captions(self, captions: Iterable[CopiedCaption]) -> None:
        """Captions of reports that are here."""
        marks = ", ".join("?" * len(CopiedCaption._fields))
        columns = ", ".join(CopiedCaption._fields)
        self.base.executemany(f"INSERT INTO caption ({columns}) VALUES ({marks})", captions)

    def caption_of(self, item: int) -> CopiedCaption:
        """The caption of an item of the sample."""
        query = f"SELECT {_COLUMNS} FROM item JOIN caption ON caption.id = item.caption WHERE item.id = ?"
        return CopiedCaption(*self.rows(query, item)[0])

    def captions_beside(self, item: int) -> Iterator[tuple[int | None, CopiedCaption]]:
        """All captions of an item's report, in no order, each with its own item where it is in the sample."""
        query = f"""SELECT item.id, {_COLUMNS} FROM caption LEFT JOIN item ON item.caption = caption.id
            WHERE caption.report = ?"""
        for number, *row in self.rows(query, self.caption_of(item).report):
            yield number, CopiedCaption(*row)

    def report(self, number: int) -> CopiedReport:
        """A report of the sample."""
        ((report_id, text, sections),) = self.rows("SELECT report_id, text, sections FROM report WHERE id = ?", number)
        return CopiedReport(report_id, text, [(name, start, end) for name, start, end in json.loads(sections)])

    def add_item(self, kind: Kind, place: Place, stratum: int) -> None:
        """The next caption of the sample. Raises ``StoreError`` where it was not copied."""
        query = """INSERT INTO item (caption, stratum, kind, organ, status, engine)
            SELECT id, ?, kind, organ, status, engine FROM caption WHERE kind = ? AND part = ? AND row = ?"""
        if not self.base.execute(query, (stratum, kind, *place)).rowcount:
            raise StoreError(f"row {place.row} of part {place.part} is about a report that the set does not hold")
