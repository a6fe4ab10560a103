"""Reads a caption set for an export: each report with its accepted captions, in the order of the set, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from curation.caption_set.finished_set import load_finished, rows_by_report
from curation.caption_set.manifest import Manifest
from curation.caption_set.resuming import check_parts
from curation.caption_set.set_files import TableName
from curation.runtime.progress import Progress

EXPORTED: tuple[TableName, ...] = ("reports", "captions")


class ExportedReport(NamedTuple):
    """A row of ``reports`` with its rows of ``captions``."""

    report: dict[str, Any]
    captions: list[dict[str, Any]]


def finished_manifest(root: Path, progress: Progress) -> Manifest:
    """Return the manifest of a set whose files are whole.

    Raises ``ManifestError`` where there is no set, ``SetError`` where it is unfinished, or a file damaged.
    """
    manifest = load_finished(root, "export")
    check_parts(root, manifest, EXPORTED, check=progress.raise_if_interrupted)
    return manifest


def exported_reports(root: Path, manifest: Manifest, check: Callable[[], None]) -> Iterator[ExportedReport]:
    """Yield all reports; ``check`` is called for each and may raise to give up.

    Raises ``SetError`` for captions of a report that their part does not hold.
    """
    for index in range(len(manifest.parts)):
        for report, captions in rows_by_report(root, index, "captions"):
            check()
            yield ExportedReport(report, captions)
