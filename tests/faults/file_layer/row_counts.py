"""Counts what the output of a run has lost, doubled or let in, row by row, against what an undisturbed run has.

The files are those of a ``snapshot``. Rows are those of tables (Parquet, CSV, JSON lines) and of databases; any other
file is one row. A row is lost that is missing, or is there less often; doubled, that is there more often; let in, that
no undisturbed run has.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

Rows = Counter[str]


@dataclass
class RowCounts:
    """How many rows are not as they should be."""

    lost: int = 0
    doubled: int = 0
    let_in: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(self.lost + other.lost, self.doubled + other.doubled, self.let_in + other.let_in)


def compared(found: Mapping[str, bytes], expected: Mapping[str, bytes]) -> RowCounts:
    """Count the rows of these files, by their names, that the others lack or have otherwise."""
    return compared_rows(rows_of(found), rows_of(expected))


def compared_rows(found: Rows, expected: Rows) -> RowCounts:
    """Count the rows that are lost, doubled or let in."""
    counts = RowCounts(lost=(expected - found).total())
    for row, excess in (found - expected).items():
        if row in expected:
            counts.doubled += excess
        else:
            counts.let_in += excess
    return counts


def rows_of(files: Mapping[str, bytes]) -> Rows:
    """Return the rows of files: those of one table together, whatever its parts are called."""
    rows = Rows()
    for name, content in files.items():
        table = name.rpartition("/")[0] or name
        rows.update(f"{table}: {row}" for row in _rows(name, content))
    return rows


def _rows(name: str, content: bytes) -> list[str]:
    if name.endswith(".parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        with contextlib.suppress(pa.ArrowException, OSError):
            # Without threads: this process is forked afterwards.
            file = pq.ParquetFile(BytesIO(content), pre_buffer=False)
            return [repr(row) for row in file.read(use_threads=False).to_pylist()]
    elif name.endswith((".csv", ".jsonl", ".sqlite")):
        return content.decode(errors="replace").splitlines()
    return [f"{name} {content!r}"]
