"""A file of what was worked out, for this run and for the one that goes on from it: lost, it is worked out again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path


def open_cache(path: Path, owner: str, tables: Sequence[str]) -> sqlite3.Connection:
    """Open it for one process alone. ``tables`` are their names with their columns, as SQL has them.

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
    base = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16000"):
            base.execute(f"PRAGMA {pragma}")
        base.execute("CREATE TABLE IF NOT EXISTS owner (settings TEXT)")
        for table in tables:
            base.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        if base.execute("SELECT settings FROM owner").fetchall() != [(owner,)]:
            for name in ("owner", *(table.split()[0] for table in tables)):
                base.execute(f"DELETE FROM {name}")
            base.execute("INSERT INTO owner VALUES (?)", (owner,))
    except BaseException:
        base.close()
        raise
    return base
