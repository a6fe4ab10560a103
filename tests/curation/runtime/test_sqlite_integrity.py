"""The digest beside an SQLite file, and the sums of its rows."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from curation.runtime.sqlite_integrity import OPEN, ChangeMark, count_sums, damage, keep_sums, recorded


def test_a_journal_that_a_failing_disk_left_is_no_damage(tmp_path: Path) -> None:
    path, journal, before = tmp_path / "a.sqlite", tmp_path / "a.sqlite-journal", tmp_path / "before"
    mark = ChangeMark(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        mark.note_change()
        connection.execute("CREATE TABLE verdict (id INTEGER PRIMARY KEY, word TEXT)")
        count_sums(connection)
        keep_sums(connection, mark.note_change)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO verdict (word) VALUES ('supported')")
        connection.execute("PRAGMA cache_spill = ON")
        shutil.copy(journal, before)
        connection.execute("COMMIT")
    shutil.copy(before, journal)
    mark.note_closed()
    assert recorded(path) == OPEN
    with closing(sqlite3.connect(path)) as connection:
        assert damage(path, connection) is None
    journal.unlink(missing_ok=True)
    mark.note_closed()
    assert recorded(path) != OPEN
