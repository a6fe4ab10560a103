"""The refused captions of a caption set whose reason may be a word that we do not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from curation.caption import Reason
from curation.caption_set.manifest import Manifest
from curation.caption_set.set_files import part_path
from curation.report import Section

REASONS = frozenset((Reason.NOT_GROUNDED, Reason.MODIFIER, Reason.UNKNOWN_ORGAN, Reason.WRONG_ORGAN))
"""Reasons that a word may be behind; sides, numbers and denials are none of the lexicon's."""


class RefusedCaptionOfReport(NamedTuple):
    """A refused caption with the report that it was claimed of."""

    report_id: str
    organ: str
    caption: str
    text: str
    sections: tuple[Section, ...]


def refused_captions(root: Path, manifest: Manifest, check: Callable[[], None]) -> Iterator[RefusedCaptionOfReport]:
    """Yield the refused captions of a set, part by part, in the order of the table. ``check`` may raise to give up."""
    for index in range(len(manifest.parts)):
        rejects = [
            row
            for row in _rows(part_path(root, "rejects", index), ["report_id", "organ", "caption", "reason"])
            if row["reason"] in REASONS and row["organ"] and row["caption"]
        ]
        reports = _reports(part_path(root, "reports", index), {row["report_id"] for row in rejects})
        for row in rejects:
            check()
            text, sections = reports[row["report_id"]]
            yield RefusedCaptionOfReport(row["report_id"], row["organ"], row["caption"], text, sections)


def _reports(path: Path, ids: set[str]) -> dict[str, tuple[str, tuple[Section, ...]]]:
    """Return text and sections of the reports with these ids."""
    return {
        row["report_id"]: (row["text"], tuple(Section(**section) for section in row["sections"]))
        for row in _rows(path, ["report_id", "text", "sections"])
        if row["report_id"] in ids
    }


def _rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=1_000, columns=columns):
            yield from batch.to_pylist()
