"""Reads a caption set for an export: each report with its accepted captions, in the order of the set, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from curation.caption_set.manifest import Manifest, load_manifest
from curation.caption_set.resuming import check_parts
from curation.caption_set.set_files import TableName, part_path
from curation.caption_set.work_folder import SetError
from curation.runtime.progress import Progress

EXPORTED: tuple[TableName, ...] = ("reports", "captions")
BATCH_ROWS = 1_024


class ExportedReport(NamedTuple):
    """A row of ``reports`` with its rows of ``captions``."""

    report: dict[str, Any]
    captions: list[dict[str, Any]]


def finished_manifest(root: Path, progress: Progress) -> Manifest:
    """Return the manifest of a set whose files are whole.

    Raises ``ManifestError`` where there is no set, ``SetError`` where it is unfinished, or a file damaged.
    """
    manifest = load_manifest(root)
    if not manifest.complete:
        raise SetError(f"{root} is unfinished; run the same `ovct curate` again to finish it, then export it")
    check_parts(root, manifest, EXPORTED, check=progress.raise_if_interrupted)
    return manifest


def exported_reports(root: Path, manifest: Manifest, check: Callable[[], None]) -> Iterator[ExportedReport]:
    """Yield all reports; ``check`` is called for each and may raise to give up.

    Raises ``SetError`` for captions of a report that their part does not hold.
    """
    for index in range(len(manifest.parts)):
        captions = _rows(part_path(root, "captions", index))
        row = next(captions, None)
        for report in _rows(part_path(root, "reports", index)):
            check()
            of_report = []
            while row is not None and row["report_id"] == report["report_id"]:
                of_report.append(row)
                row = next(captions, None)
            yield ExportedReport(report, of_report)
        if row is not None:
            path = part_path(root, "captions", index)
            raise SetError(f"{path}: captions of {row['report_id']}, which is not in its place among the reports")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            yield from batch.to_pylist()
