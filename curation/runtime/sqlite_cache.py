"""A cache in an SQLite file, for one run and for the run that resumes it: what is lost is computed again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path


def open_cache(path: Path, owner: str, tables: Sequence[str]) -> sqlite3.Connection:
    """Open the cache for one process alone. ``tables`` are their names with their columns, as SQL has them.

    ``owner`` stands for the settings that its content was made with; a file of other settings is emptied, and a damaged
    one is replaced.
    """
    try:
        return _open(path, owner, tables)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink()
        return _open(path, owner, tables)


def _open(path: Path, owner: str, tables: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE IF NOT EXISTS owner (settings TEXT)")
        for table in tables:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        if connection.execute("SELECT settings FROM owner").fetchall() != [(owner,)]:
            for name in ("owner", *(table.split()[0] for table in tables)):
                connection.execute(f"DELETE FROM {name}")
            connection.execute("INSERT INTO owner VALUES (?)", (owner,))
    except BaseException:
        connection.close()
        raise
    return connection
