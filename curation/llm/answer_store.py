"""Stores usable answers by their chat, so that no question is asked twice, and the costs so far."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from curation.engines.chat import Answer, Chat
from curation.runtime.sqlite_cache import open_cache

from .usage import UsageCounts

TABLES = (
    "answer (key BLOB PRIMARY KEY, content TEXT, finish_reason TEXT, prompt_tokens INTEGER, completion_tokens INTEGER)",
    "spent (what TEXT PRIMARY KEY, amount REAL)",
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
        self._database = open_cache(path, owner, TABLES)

    def get(self, key: bytes) -> Answer | None:
        """Return the answer to a chat, None where there is none yet."""
        row = self._database.execute(
            "SELECT content, finish_reason, prompt_tokens, completion_tokens FROM answer WHERE key = ?", (key,)
        ).fetchone()
        return Answer(*row) if row else None

    @property
    def empty(self) -> bool:
        """Whether no answer is stored yet."""
        return self._database.execute("SELECT 1 FROM answer LIMIT 1").fetchone() is None

    def keep(self, key: bytes, answer: Answer) -> None:
        """Store a usable answer."""
        self._database.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?)", (key, *answer))

    def usage(self) -> UsageCounts:
        """Return the costs so far, of this run and of those that it resumes."""
        amounts = dict(self._database.execute("SELECT what, amount FROM spent"))
        return UsageCounts(**{name: type(zero)(amounts.get(name, 0)) for name, zero in UsageCounts()._asdict().items()})

    def add_usage(self, counts: UsageCounts) -> None:
        """Add costs to those stored."""
        rows = [(name, amount) for name, amount in counts._asdict().items() if amount]
        self._database.executemany(
            "INSERT INTO spent VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET amount = amount + excluded.amount", rows
        )

    def close(self) -> None:
        """Close the file. Its content stays."""
        self._database.close()
