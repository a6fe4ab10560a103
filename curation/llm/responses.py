"""Raw answers: their rows beside the captions, and a store of what was answered, so that nothing is asked twice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from curation.engines.chat import Answer, Chat
from curation.runtime.sqlite_cache import open_cache

from .usage import Spent

TABLES = (
    "answer (key BLOB PRIMARY KEY, content TEXT, finish_reason TEXT, prompt_tokens INTEGER, completion_tokens INTEGER)",
    "spent (what TEXT PRIMARY KEY, amount REAL)",
)

Kind = Literal["question", "retry", "repair"]


class Response(NamedTuple):
    """One answer about a report, or why there is none; its fields are columns of ``responses``.

    ``number`` counts the report's questions, or its rounds of repair. A retry follows its question, about the same
    stretch of text or, in two rows, about its halves; it stands in the question's place. ``start`` and ``end`` count
    characters of the report's text; a repair is about refused captions and has none.
    """

    kind: Kind
    number: int
    start: int | None
    end: int | None
    content: str | None
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    error: str | None


def chat_key(chat: Chat) -> bytes:
    """Digest of all that an answer depends on, next to the model."""
    digest = hashlib.blake2b(str(chat.max_tokens).encode(), digest_size=16)
    for message in chat.messages:
        digest.update(f"\0{message.role}\0{message.content}".encode("utf-8", "surrogatepass"))
    return digest.digest()


class Answers(Protocol):
    """Usable answers by the key of their chat; see ``ResponseStore``."""

    def get(self, key: bytes) -> Answer | None:
        """The answer to a chat, if it was kept."""

    def keep(self, key: bytes, answer: Answer) -> None:
        """Keep a usable answer."""


class ResponseStore:
    """Usable answers by chat, on disk at once, and a ledger of all that was spent. Of one thread, of one run at a time.

    Failures are not in it, so they are asked again. ``owner`` stands for the settings; a store of others is emptied.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._base = open_cache(path, owner, TABLES)

    def get(self, key: bytes) -> Answer | None:
        """The answer to a chat, if it was kept."""
        found = self._base.execute(
            "SELECT content, finish_reason, prompt_tokens, completion_tokens FROM answer WHERE key = ?", (key,)
        ).fetchone()
        return Answer(*found) if found else None

    @property
    def empty(self) -> bool:
        """Whether nothing was answered yet."""
        return self._base.execute("SELECT 1 FROM answer LIMIT 1").fetchone() is None

    def keep(self, key: bytes, answer: Answer) -> None:
        """Keep a usable answer."""
        self._base.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?)", (key, *answer))

    def spent(self) -> Spent:
        """What was spent so far, by this run and by those that it goes on from."""
        amounts = dict(self._base.execute("SELECT what, amount FROM spent"))
        return Spent(**{name: type(none)(amounts.get(name, 0)) for name, none in Spent()._asdict().items()})

    def spend(self, spent: Spent) -> None:
        """Add to the ledger."""
        rows = [(name, amount) for name, amount in spent._asdict().items() if amount]
        self._base.executemany(
            "INSERT INTO spent VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET amount = amount + excluded.amount", rows
        )

    def close(self) -> None:
        """Close the file. What was kept stays."""
        self._base.close()
