"""What became of a report: captions accepted and refused, in a form that travels and is found again by its text."""

from __future__ import annotations

import hashlib
from pathlib import Path

from curation.caption import Columns
from curation.report import Report
from curation.runtime.sqlite_cache import open_cache


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
