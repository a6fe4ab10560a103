"""Whether an SQLite file is as it was written: SQLite itself does not notice a byte that has changed in a row.

A file beside it holds its SHA-256 while nobody writes it, and the word "open" while somebody does, also after a kill.
For that case each table has a sum over the digests of its rows, which every change keeps in the same transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from .caches.sqlite_cache import row_digest
from .digests import file_digest
from .files import PRIVATE_FILE, write_text

SUMS = "checksum"
OPEN = "open\n"
MODULUS = 2**62


def digest_file(path: Path) -> Path:
    """Return the path of the file beside that holds the digest."""
    return path.with_name(f"{path.name}.sha256")


class ChangeMark:
    """Notes beside a file, before its first change, that it is being written, and its digest when it is closed.

    ``noted``: that it is being written stands there already, from a writer that was killed.
    """

    def __init__(self, path: Path, *, noted: bool = False) -> None:
        self._path, self._noted = path, noted

    def note_change(self) -> None:
        """Note, unless that is done, that the file is being written."""
        if not self._noted:
            self._noted = True
            write_text(digest_file(self._path), OPEN, PRIVATE_FILE)

    def note_closed(self) -> None:
        """Note the digest of the file, which is closed, if it may have changed.

        Where a failing disk has left SQLite's journal, the next who opens the file puts it back to before: its digest
        is not known, and the sums of its rows are compared then, as after a kill.
        """
        if self._noted and not self._path.with_name(f"{self._path.name}-journal").exists():
            self._noted = False
            write_text(digest_file(self._path), f"{file_digest(self._path)}\n", PRIVATE_FILE)


def damage(path: Path, connection: sqlite3.Connection) -> str | None:
    """Return what is not as it was written: the file, or after a kill and while it is written its rows; else None."""
    before = recorded(path)
    if before in (None, OPEN):
        return _problem(connection)
    if f"{file_digest(path)}\n" == before or recorded(path) != before:  # a writer has begun meanwhile
        return None
    problem = _problem(connection)
    whole = f"; all its rows are: to go on with it as it is, remove {digest_file(path).name}"
    return f"its sha256 is not that in {digest_file(path).name}{f'; {problem}' if problem else whole}"


def recorded(path: Path) -> str | None:
    """Return the line with the digest, or "open"; None for a file of an earlier version, which has none."""
    try:
        return digest_file(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def has_sums(connection: sqlite3.Connection) -> bool:
    """Return whether the file has sums of its rows: those of earlier versions have none."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (SUMS,)).fetchone() is not None


def count_sums(connection: sqlite3.Connection) -> None:
    """Count the sums of a file that has none yet."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"CREATE TABLE {SUMS} (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID")
    sums = [(table, _sum(connection, table)) for table in _tables(connection)]
    connection.executemany(f"INSERT INTO {SUMS} VALUES (?, ?)", sums)
    connection.execute("COMMIT")


def keep_sums(connection: sqlite3.Connection, on_change: Callable[[], None]) -> None:
    """Let every change by this connection keep the sums of the tables; ``on_change`` is called before each."""

    def add(one: int, other: int) -> int:
        on_change()
        return (one + other) % MODULUS

    connection.create_function("ovct_row", -1, row_number, deterministic=True)
    connection.create_function("ovct_sum", 2, add)
    connection.execute("PRAGMA recursive_triggers=ON")  # a row that is replaced is removed first
    counted = {name for (name,) in connection.execute(f"SELECT name FROM {SUMS}")}
    for table in _tables(connection):
        if table not in counted:  # made by a later version
            connection.execute(f"INSERT INTO {SUMS} VALUES (?, ?)", (table, _sum(connection, table)))
        added, removed = (_row(connection, table, prefix) for prefix in ("NEW", "OLD"))
        changes = {"INSERT": [added], "DELETE": [f"-{removed}"], "UPDATE": [f"-{removed}", added]}
        for event, terms in changes.items():
            updates = "".join(
                f"UPDATE {SUMS} SET value = ovct_sum(value, {term}) WHERE name = '{table}'; " for term in terms
            )
            connection.execute(
                f"CREATE TEMP TRIGGER sum_{event.lower()}_{table} AFTER {event} ON main.{table} BEGIN {updates}END"
            )


def row_number(*values: object) -> int:
    """Return a number that stands for the values of a row."""
    return int.from_bytes(row_digest(*values), "big") % MODULUS


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name != ? ORDER BY name"
    )
    return [name for (name,) in connection.execute(query, (SUMS,))]


def _row(connection: sqlite3.Connection, table: str, prefix: str) -> str:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    return f"ovct_row({', '.join(f'{prefix}.{column}' for column in columns)})"


def _sum(connection: sqlite3.Connection, table: str) -> int:
    return sum(row_number(*row) for row in connection.execute(f"SELECT * FROM {table}")) % MODULUS


def _problem(connection: sqlite3.Connection) -> str | None:
    """Return what is wrong with the structure or the rows of a file, None where nothing is."""
    try:
        connection.execute("BEGIN")
        try:
            if (problem := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                return str(problem)
            if has_sums(connection):
                sums = dict(connection.execute(f"SELECT name, value FROM {SUMS}"))
                for table in _tables(connection):
                    if table in sums and _sum(connection, table) != sums.pop(table):
                        return f"rows of its table {table} are not as they were stored"
                if sums:
                    return f"its table {sorted(sums)[0]} is gone"
        finally:
            connection.execute("COMMIT")
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return str(error)
    return None
