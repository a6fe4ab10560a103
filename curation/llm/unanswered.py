"""Tells whether a language model answered about any report of a caption set at all."""

from __future__ import annotations

from pathlib import Path

from curation.caption import Reason
from curation.caption_set.manifest import Manifest
from curation.caption_set.set_files import part_path

FAILURES = frozenset((Reason.ENGINE_ERROR, Reason.TRUNCATED, Reason.SCHEMA))
"""Reasons of refusals that stand for a question without a usable answer."""


def why_nothing_answered(root: Path, manifest: Manifest) -> str | None:
    """Return why no report of a set got an answer, in the words of the first refusal; None where one did.

    A set of the rules has no answers, and none of a set in a store is told apart when its parts are not here.
    """
    counts = manifest.counts
    if manifest.usage is None or counts.captions or not counts.unanswered:
        return None
    asked: set[str] = set()
    failed: dict[str, str] = {}
    for index in range(len(manifest.parts)):
        responses, rejects = part_path(root, "responses", index), part_path(root, "rejects", index)
        if not responses.exists() or not rejects.exists():
            return None
        asked.update(row["report_id"] for row in _rows(responses, ["report_id"]))
        for row in _rows(rejects, ["report_id", "organ", "reason", "detail"]):
            if row["reason"] in FAILURES and not row["organ"]:
                failed.setdefault(row["report_id"], row["detail"] or row["reason"])
    return next(iter(failed.values()), None) if asked <= failed.keys() else None


def _rows(path: Path, columns: list[str]) -> list[dict[str, str]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, str]] = pq.read_table(path, columns=columns).to_pylist()
    return rows
