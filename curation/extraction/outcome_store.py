"""Outcomes of reports on disk, by the report's text: packed, so that a resumed run need not extract them again."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from curation.caption import OutcomeColumns
from curation.report import Report
from curation.runtime.caches.recent import Recent
from curation.runtime.caches.sqlite_cache import damaged, open_cache, row_digest

from .recipe import PackedOutcome

KEPT_BYTES = 4_000_000
"""Bytes of outcomes kept in memory: many tables repeat the same short texts."""


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
        self._path = path
        self._recent: Recent[bytes, bytes] = Recent(KEPT_BYTES)
        columns = "outcome (key BLOB PRIMARY KEY, packed BLOB, failed INTEGER, digest BLOB)"
        self._base = open_cache(path, owner, [columns])
        self._base.execute("CREATE INDEX IF NOT EXISTS failures ON outcome (failed) WHERE failed")
        self._base.execute("DELETE FROM outcome WHERE failed")

    @property
    def damage(self) -> str | None:
        """What was found to be damaged when the file was opened, None for nothing."""
        return self._base.damage

    def __contains__(self, key: bytes) -> bool:
        return self._packed(key) is not None

    def __getitem__(self, key: bytes) -> OutcomeColumns:
        packed = self._packed(key)
        if packed is None:
            raise KeyError(key)
        return OutcomeColumns.unpack(packed)

    def _packed(self, key: bytes) -> bytes | None:
        """Return the packed outcome of a text; None where there is none, or only a damaged one.

        Raises ``RunError`` where the file cannot be read.
        """
        if (kept := self._recent.get(key)) is not None:
            return kept
        try:
            row = self._base.execute("SELECT packed, failed, digest FROM outcome WHERE key = ?", (key,)).fetchone()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise damaged(self._path, error) from error
        if row is None or row[2] != row_digest(key, row[0], row[1]):
            return None
        packed = bytes(row[0])
        self._recent.put(key, packed, len(packed))
        return packed

    def keep(self, outcomes: Mapping[bytes, PackedOutcome]) -> None:
        """Store packed outcomes by their texts' keys, in one transaction."""
        self._base.execute("BEGIN")
        rows = (
            (key, packed, int(failed), row_digest(key, packed, int(failed)))
            for key, (packed, failed) in outcomes.items()
        )
        self._base.executemany("INSERT OR REPLACE INTO outcome VALUES (?, ?, ?, ?)", rows)
        self._base.execute("COMMIT")
        for key in outcomes:
            self._recent.drop(key)

    def close(self) -> None:
        """Close the file. What was kept stays."""
        self._base.close()
