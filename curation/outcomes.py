"""What became of a report: captions accepted and refused, in a form that travels and is found again by its text."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from .cache_file import open_cache
from .reports import Report


class Accepted(NamedTuple):
    """A caption that holds: its evidence is ``text[start:end]`` of the report."""

    organ: str
    caption: str
    status: str
    start: int
    end: int
    section: str
    score: float


class Refused(NamedTuple):
    """A caption that does not hold, and why."""

    organ: str
    caption: str
    reason: str
    detail: str
    nearest: str | None


class Outcome(NamedTuple):
    """All that one report gave. It names no report, so that every row with the same text can share it.

    ``responses`` are a language model's answers. Of the refused captions ``returned`` went back to it, and it put
    ``repaired`` right. ``failed``: the engine failed on the report, or on a part of it, rather than answered.
    """

    accepted: list[Accepted]
    refused: list[Refused]
    responses: Sequence[tuple[Any, ...]] = ()
    returned: int = 0
    repaired: int = 0
    failed: bool = False

    def pack(self) -> bytes:
        """Compressed JSON of the columns; zlib's checksum tells a damaged one."""
        columns = [list(zip(*rows, strict=True)) for rows in self[:3]]
        return zlib.compress(to_json([*columns, self.returned, self.repaired]), 1)


class Columns(NamedTuple):
    """An outcome as it is written: columns instead of rows, none where there are no rows."""

    accepted: list[list[Any]]
    refused: list[list[Any]]
    responses: Sequence[list[Any]] = ()
    returned: int = 0
    repaired: int = 0

    @classmethod
    def unpack(cls, packed: bytes) -> Columns:
        """Read what ``Outcome.pack`` made."""
        return cls(*from_json(zlib.decompress(packed)))

    def rows(self) -> Outcome:
        """The outcome, row by row."""
        return Outcome(
            [Accepted(*row) for row in zip(*self.accepted, strict=True)],
            [Refused(*row) for row in zip(*self.refused, strict=True)],
            tuple(zip(*self.responses, strict=True)),
            self.returned,
            self.repaired,
        )


def text_key(report: Report) -> bytes:
    """Digest of all that an engine and the verifier look at: the text and its sections."""
    digest = hashlib.blake2b(report.text.encode("utf-8", "surrogatepass"), digest_size=16)
    for section in report.sections:
        digest.update(f"\0{section.name}:{section.start}:{section.end}".encode())
    return digest.digest()


class OutcomeStore:
    """Outcomes by text, on disk, so that memory does not grow with the input and a resumed run has them again.

    It is a cache: what is lost is extracted once more. ``owner`` stands for the settings that made the outcomes; a
    store of other settings, or a damaged one, is emptied. Failures are forgotten when it is opened, and so retried.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._base = open_cache(path, owner, ["outcome (key BLOB PRIMARY KEY, packed BLOB, failed INTEGER)"])
        self._base.execute("CREATE INDEX IF NOT EXISTS failures ON outcome (failed) WHERE failed")
        self._base.execute("DELETE FROM outcome WHERE failed")

    def __contains__(self, key: bytes) -> bool:
        return self._base.execute("SELECT 1 FROM outcome WHERE key = ?", (key,)).fetchone() is not None

    def __getitem__(self, key: bytes) -> Columns:
        found = self._base.execute("SELECT packed FROM outcome WHERE key = ?", (key,)).fetchone()
        if found is None:
            raise KeyError(key)
        return Columns.unpack(found[0])

    def keep(self, outcomes: dict[bytes, tuple[bytes, bool]]) -> None:
        """Store packed outcomes, each with whether the engine failed on it, in one transaction."""
        self._base.execute("BEGIN")
        rows = ((key, packed, failed) for key, (packed, failed) in outcomes.items())
        self._base.executemany("INSERT OR REPLACE INTO outcome VALUES (?, ?, ?)", rows)
        self._base.execute("COMMIT")

    def close(self) -> None:
        """Close the file. What was kept stays."""
        self._base.close()
