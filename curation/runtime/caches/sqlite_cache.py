"""A cache in an SQLite file, for one run and for the run that resumes it: what is lost is computed again.

SQLite does not notice a byte that has changed in a row. So each row has a digest of its values, and a row whose digest
is another counts as lost; of a file whose structure is damaged, all do.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from ..errors import RunError


class CacheConnection(sqlite3.Connection):
    """A connection to a cache. ``damage`` says what was found to be damaged when it was opened, None for nothing."""

    damage: str | None = None


def open_cache(path: Path, owner: str, tables: Sequence[str]) -> CacheConnection:
    """Open the cache for one process alone. ``tables`` are their names with their columns, as SQL has them.

    ``owner`` stands for the settings that its content was made with; a file of other settings is emptied, and a damaged
    one is replaced.
    """
    try:
        return _open(path, owner, tables)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        connection = _open(path, owner, tables)
        connection.damage = f"{path} was damaged ({error}): what it held is made anew"
        return connection


def _open(path: Path, owner: str, tables: Sequence[str]) -> CacheConnection:
    existed = path.exists()
    connection = sqlite3.connect(path, isolation_level=None, factory=CacheConnection)
    try:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16000"):
            connection.execute(f"PRAGMA {pragma}")
        if existed and (problem := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(problem)
        connection.execute("CREATE TABLE IF NOT EXISTS owner (settings TEXT)")
        for table in tables:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        for table in tables:
            _add_digests(connection, table.split()[0], _declared(table))
        names = ("owner", *(table.split()[0] for table in tables))
        if connection.execute("SELECT settings FROM owner").fetchall() != [(owner,)]:
            for name in names:
                connection.execute(f"DELETE FROM {name}")
            connection.execute("INSERT INTO owner VALUES (?)", (owner,))
    except BaseException:
        connection.close()
        raise
    return connection


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _declared(table: str) -> list[str]:
    return [column.split()[0] for column in table.partition("(")[2].rstrip(")").split(",")]


def _add_digests(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> None:
    """Give the rows of an earlier version, which has no digests, theirs."""
    stored = _columns(connection, table)
    if stored == list(columns):
        return
    if stored != list(columns[:-1]):
        raise sqlite3.DatabaseError(f"its table {table} has other columns")
    connection.create_function("row_digest", len(stored), row_digest, deterministic=True)
    connection.execute("BEGIN")
    connection.execute(f"ALTER TABLE {table} ADD COLUMN {columns[-1]} BLOB")
    connection.execute(f"UPDATE {table} SET {columns[-1]} = row_digest({', '.join(stored)})")
    connection.execute("COMMIT")


def row_digest(*values: object) -> bytes:
    """Return the digest of a row's values, of whatever type SQLite stores."""
    return hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def damaged(path: Path, error: sqlite3.DatabaseError) -> RunError:
    """Return the error for a cache whose structure turns out to be damaged while it is read."""
    return RunError(f"{path} is damaged ({error}): delete it, and the same command makes anew what it held")
