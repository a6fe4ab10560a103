"""What was sent in batches, on disk: which request is in which batch, how far each batch is, and the answers.

A batch costs money, so that each step is stored before and after it is taken: a run that is killed at any moment knows
when it is called again what it has sent. Nothing here is dropped because settings change, and a damaged file is told
and not replaced.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from curation.engines.chat import Answer
from curation.runtime.errors import RunError
from curation.runtime.files import PRIVATE_FILE, make_file

BatchState = Literal["written", "uploaded", "created", "done"]
TABLES = """
CREATE TABLE IF NOT EXISTS batch (
    number INTEGER PRIMARY KEY, mark TEXT NOT NULL, state TEXT NOT NULL, file TEXT, id TEXT, requests INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS request (
    key TEXT PRIMARY KEY, batch INTEGER, tries INTEGER NOT NULL DEFAULT 0, answer TEXT, error TEXT
);
CREATE INDEX IF NOT EXISTS request_batch ON request (batch);
CREATE TABLE IF NOT EXISTS dialect (server TEXT PRIMARY KEY, fields TEXT NOT NULL);
"""


class StoredBatch(NamedTuple):
    """A batch: ``mark`` is the name that it is found by on the server, ``file`` and ``id`` are the server's.

    ``written``: its requests are chosen, and nothing was sent. ``uploaded``: the server has the file, and may have made
    a batch of it. ``created``: the batch is known. ``done``: its results are here.
    """

    number: int
    mark: str
    state: BatchState
    file: str | None
    id: str | None
    requests: int


class BatchedRequest(NamedTuple):
    """A request that was sent: the number of its batch while there is no result, or its answer, or its last error."""

    batch: int | None
    tries: int
    answer: Answer | None
    error: str | None


class BatchStore:
    """The file of batches. For one thread, and one run at a time. Raises ``RunError`` for a damaged file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        make_file(path, PRIVATE_FILE)
        with self._damage_told():
            self._database = sqlite3.connect(path, isolation_level=None)
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
                self._database.execute(f"PRAGMA {pragma}")
            self._database.executescript(TABLES)

    def close(self) -> None:
        """Close the file. Its content stays."""
        self._database.close()

    def request(self, key: str) -> BatchedRequest | None:
        """Return what is known of a request, None where it was never sent."""
        with self._damage_told():
            row = self._database.execute(
                "SELECT batch, tries, answer, error FROM request WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        batch, tries, answer, error = row
        return BatchedRequest(batch, tries, None if answer is None else Answer(*json.loads(answer)), error)

    def open_batches(self) -> list[StoredBatch]:
        """Return the batches whose results are not here yet, the oldest first."""
        with self._damage_told():
            rows = self._database.execute("SELECT * FROM batch WHERE state != 'done' ORDER BY number").fetchall()
        return [StoredBatch(*row) for row in rows]

    def keys_of(self, batch: StoredBatch) -> set[str]:
        """Return the requests of a batch that have no result yet."""
        with self._damage_told():
            rows = self._database.execute("SELECT key FROM request WHERE batch = ?", (batch.number,))
            return {key for (key,) in rows}

    def begin(self, mark: str, keys: Iterable[str]) -> StoredBatch:
        """Store a batch before anything of it is sent."""
        keys = list(keys)
        with self._transaction():
            number = self._database.execute("SELECT coalesce(max(number), 0) + 1 FROM batch").fetchone()[0]
            batch = StoredBatch(number, mark, "written", None, None, len(keys))
            self._database.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?)", batch)
            self._database.executemany(
                "INSERT INTO request (key, batch, tries) VALUES (?, ?, 1) "
                "ON CONFLICT (key) DO UPDATE SET batch = excluded.batch, tries = tries + 1",
                [(key, number) for key in keys],
            )
        return batch

    def uploaded(self, batch: StoredBatch, file: str) -> StoredBatch:
        """Store that the server has the file of a batch."""
        return self._update(batch._replace(state="uploaded", file=file))

    def created(self, batch: StoredBatch, batch_id: str) -> StoredBatch:
        """Store that the server has made the batch."""
        return self._update(batch._replace(state="created", id=batch_id))

    def finish(self, batch: StoredBatch, answers: dict[str, Answer], errors: dict[str, str]) -> None:
        """Store the results of a batch; what has neither answer nor error is free to be sent again."""
        with self._transaction():
            self._database.executemany(
                "UPDATE request SET batch = NULL, answer = ?, error = NULL WHERE key = ? AND batch = ?",
                [(json.dumps(answer), key, batch.number) for key, answer in answers.items()],
            )
            self._database.executemany(
                "UPDATE request SET batch = NULL, error = ? WHERE key = ? AND batch = ?",
                [(error, key, batch.number) for key, error in errors.items()],
            )
            self._database.execute("UPDATE request SET batch = NULL WHERE batch = ?", (batch.number,))
            self._database.execute("UPDATE batch SET state = 'done' WHERE number = ?", (batch.number,))

    def release(self, batch: StoredBatch) -> None:
        """Free the requests of a batch of which nothing was answered, as if they had not been sent."""
        with self._transaction():
            self._database.execute(
                "UPDATE request SET batch = NULL, tries = tries - 1 WHERE batch = ?", (batch.number,)
            )

    def drop(self, batch: StoredBatch) -> None:
        """Free the requests of a batch, and be done with it."""
        self.release(batch)
        with self._transaction():
            self._database.execute("UPDATE batch SET state = 'done' WHERE number = ?", (batch.number,))

    def forget(self, key: str) -> None:
        """Forget a request that failed, with the number of its tries."""
        with self._transaction():
            self._database.execute("DELETE FROM request WHERE key = ? AND batch IS NULL", (key,))

    def forget_answers(self, keys: Iterable[str]) -> None:
        """Forget answers that were handed over."""
        with self._transaction():
            self._database.executemany("DELETE FROM request WHERE key = ? AND batch IS NULL", [(key,) for key in keys])

    def answered_directly(self, key: str, answer: Answer) -> None:
        """Store an answer that was not asked for in a batch."""
        with self._transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO request (key, tries, answer) VALUES (?, 1, ?)", (key, json.dumps(answer))
            )

    def dialect(self, server: str) -> dict[str, object] | None:
        """Return the form of request that a server has accepted, None where it was not tried yet."""
        with self._damage_told():
            row = self._database.execute("SELECT fields FROM dialect WHERE server = ?", (server,)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def keep_dialect(self, server: str, fields: dict[str, object]) -> None:
        """Store the form of request that a server has accepted."""
        with self._transaction():
            self._database.execute("INSERT OR REPLACE INTO dialect VALUES (?, ?)", (server, json.dumps(fields)))

    def _update(self, batch: StoredBatch) -> StoredBatch:
        with self._transaction():
            self._database.execute(
                "UPDATE batch SET state = ?, file = ?, id = ? WHERE number = ?",
                (batch.state, batch.file, batch.id, batch.number),
            )
        return batch

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._damage_told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise RunError(
                f"{self._path} is damaged ({error}). It says which batches were sent: look for them on the server "
                "before you delete it, as what is asked again is paid again"
            ) from error
