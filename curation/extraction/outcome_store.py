"""Outcomes of reports on disk, by the report's text: packed, so that a resumed run need not extract them again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from curation.caption import OutcomeColumns
from curation.report import Report
from curation.runtime.sqlite_cache import open_cache

from .recipe import PackedOutcome


def text_key(report: Report) -> bytes:
    """Return a digest of all that an engine and the verifier look at: the text and its sections."""
    digest = hashlib.blake2b(report.text.encode("utf-8", "surrogatepass"), digest_size=16)
    for section in report.sections:
        digest.update(f"\0{section.name}:{section.start}:{section.end}".encode())
    return digest.digest()


class OutcomeStore:
    """Stores outcomes by text on disk, so that memory does not grow with the input.

    It is a cache: what is lost is extracted once more. ``owner`` stands for the settings that made the outcomes; a
    store of other settings, or a damaged one, is emptied. Failures are removed when it is opened, and so retried.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._base = open_cache(path, owner, ["outcome (key BLOB PRIMARY KEY, packed BLOB, failed INTEGER)"])
        self._base.execute("CREATE INDEX IF NOT EXISTS failures ON outcome (failed) WHERE failed")
        self._base.execute("DELETE FROM outcome WHERE failed")

    def __contains__(self, key: bytes) -> bool:
        return self._base.execute("SELECT 1 FROM outcome WHERE key = ?", (key,)).fetchone() is not None

    def __getitem__(self, key: bytes) -> OutcomeColumns:
        row = self._base.execute("SELECT packed FROM outcome WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return OutcomeColumns.unpack(row[0])

    def keep(self, outcomes: Mapping[bytes, PackedOutcome]) -> None:
        """Store packed outcomes by their texts' keys, in one transaction."""
        self._base.execute("BEGIN")
        rows = ((key, packed, failed) for key, (packed, failed) in outcomes.items())
        self._base.executemany("INSERT OR REPLACE INTO outcome VALUES (?, ?, ?)", rows)
        self._base.execute("COMMIT")

    def close(self) -> None:
        """Close the file. What was kept stays."""
        self._base.close()
