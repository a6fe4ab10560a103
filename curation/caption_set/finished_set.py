"""Reads a finished caption set: its manifest, and the rows of a part report by report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .manifest import Manifest, load_manifest
from .set_files import TableName, part_path
from .work_folder import SetError

BATCH_ROWS = 256


def load_finished(root: Path, purpose: str) -> Manifest:
    """Return the manifest of a finished set; ``purpose`` completes "finish it, then ... it".

    Raises ``ManifestError`` where there is no set, ``SetError`` where it is unfinished.
    """
    manifest = load_manifest(root)
    if not manifest.complete:
        raise SetError(f"{root} is unfinished; run the same `ovct curate` again to finish it, then {purpose} it")
    return manifest


def rows_by_report(
    root: Path,
    index: int,
    table: TableName,
    columns: Sequence[str] | None = None,
    report_columns: Sequence[str] | None = None,
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield each report of a part with its rows of another table; both files have the reports in one order.

    ``columns`` are those to read of ``table`` and ``report_columns`` those of ``reports``, each beside ``report_id``;
    all by default. One that a set of an earlier version lacks is None.

    Raises ``SetError`` for rows of a report that the part does not hold.
    """
    path = part_path(root, table, index)
    rows = _rows(path, columns)
    row = next(rows, None)
    for report in _rows(part_path(root, "reports", index), report_columns):
        own = []
        while row is not None and row["report_id"] == report["report_id"]:
            own.append(row)
            row = next(rows, None)
        yield report, own
    if row is not None:
        raise SetError(f"{path}: rows of report {row['report_id']}, which is not in its place among the reports")


def _rows(path: Path, columns: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        wanted = dict.fromkeys(names if columns is None else ["report_id", *columns])
        stored = [name for name in wanted if name in names]
        for batch in file.iter_batches(BATCH_ROWS, columns=stored):
            yield from (wanted | row for row in batch.to_pylist())
