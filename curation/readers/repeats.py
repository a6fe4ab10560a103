"""Give each report an id of its own, and tell rows that repeat a report, without keeping all ids in memory."""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from types import TracebackType


class ReportIds:
    """Makes ids unique within a file.

    Ids are kept in an unnamed SQLite database, which holds 8 MB of pages in memory and puts the rest into a temporary
    file that vanishes with it. A set of hashes would be quicker by some microseconds a row, but grows with the file
    and can take two ids for one.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(
            "PRAGMA cache_size=-8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE ids (id TEXT PRIMARY KEY, copies INT) WITHOUT ROWID;"
            "CREATE TABLE texts (id TEXT, text BLOB, PRIMARY KEY (id, text)) WITHOUT ROWID;"
            "BEGIN"
        )

    def __enter__(self) -> ReportIds:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def claim(self, report_id: str, text: str) -> str | None:
        """Return the id to use: ``report_id``, or ``report_id#2`` for another text; None for the same text again."""
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if not self._insert("texts", report_id, digest):
            return None
        if self._insert("ids", report_id, 1):
            return report_id
        (copies,) = self._database.execute("SELECT copies FROM ids WHERE id = ?", (report_id,)).fetchone()
        while True:
            copies += 1
            if self._insert("ids", f"{report_id}#{copies}", 1):
                self._database.execute("UPDATE ids SET copies = ? WHERE id = ?", (copies, report_id))
                return f"{report_id}#{copies}"

    def _insert(self, table: str, report_id: str, value: bytes | int) -> bool:
        return self._database.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", (report_id, value)).rowcount == 1
