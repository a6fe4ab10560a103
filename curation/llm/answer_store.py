"""Stores usable answers by their chat, so that no question is asked twice, and the costs so far."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Protocol

from curation.engines.chat import Answer, Chat
from curation.runtime.caches.sqlite_cache import damaged, open_cache, row_digest

from .usage import UsageCounts

TABLES = (
    "answer (key BLOB PRIMARY KEY, content TEXT, finish_reason TEXT, prompt_tokens INTEGER, completion_tokens INTEGER,"
    " digest BLOB)",
    "spent (what TEXT PRIMARY KEY, amount REAL, digest BLOB)",
)


def chat_key(chat: Chat, model: str = "") -> bytes:
    """Return a digest of all that an answer depends on; ``model`` is named where it is not the one of the set."""
    digest = hashlib.blake2b(f"{chat.max_tokens}{model}".encode(), digest_size=16)
    for message in chat.messages:
        digest.update(f"\0{message.role}\0{message.content}".encode("utf-8", "surrogatepass"))
    return digest.digest()


class AnswerCache(Protocol):
    """Usable answers by the key of their chat; see ``AnswerStore``."""

    def get(self, key: bytes) -> Answer | None:
        """Return the answer to a chat, None where there is none yet."""

    def keep(self, key: bytes, answer: Answer) -> None:
        """Store a usable answer."""


class AnswerStore:
    """Usable answers by chat in an SQLite file, and the sum of all costs. For one thread, and one run at a time.

    Failures are not stored, so they are asked again. ``owner`` stands for the settings of the run: the file of another
    owner is emptied.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._path = path
        self._database = open_cache(path, owner, TABLES)

    def get(self, key: bytes) -> Answer | None:
        """Return the answer to a chat, None where there is none yet."""
        try:
            row = self._database.execute(
                "SELECT content, finish_reason, prompt_tokens, completion_tokens, digest FROM answer WHERE key = ?",
                (key,),
            ).fetchone()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise damaged(self._path, error) from error
        if row is None or row[-1] != row_digest(key, *row[:-1]):  # a damaged answer is asked for again
            return None
        return Answer(*row[:-1])

    @property
    def empty(self) -> bool:
        """Whether no answer is stored yet."""
        return self._database.execute("SELECT 1 FROM answer LIMIT 1").fetchone() is None

    def keep(self, key: bytes, answer: Answer) -> None:
        """Store a usable answer."""
        row = (key, *answer)
        self._database.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?)", (*row, row_digest(*row)))

    def usage(self) -> UsageCounts:
        """Return the costs so far, of this run and of those that it resumes. Raises ``RunError`` for damaged ones."""
        rows = self._database.execute("SELECT what, amount, digest FROM spent").fetchall()
        if any(digest != row_digest(what, amount) for what, amount, digest in rows):
            raise damaged(self._path, sqlite3.DatabaseError("the costs so far are not as they were stored"))
        amounts = {what: amount for what, amount, _ in rows}
        return UsageCounts(**{name: type(zero)(amounts.get(name, 0)) for name, zero in UsageCounts()._asdict().items()})

    def add_usage(self, counts: UsageCounts) -> None:
        """Add costs to those stored."""
        before = self.usage()._asdict()
        sums = {name: float(before[name] + amount) for name, amount in counts._asdict().items() if amount}
        rows = [(name, amount, row_digest(name, amount)) for name, amount in sums.items()]
        self._database.executemany("INSERT OR REPLACE INTO spent VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file. Its content stays."""
        self._database.close()
