"""An opened part of a caption set: its report ids, and the rows of single reports, read by row groups."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.caption_set.set_files import TableName, part_path

SHOWN_TABLES: tuple[TableName, ...] = ("reports", "captions", "rejects")
CaptionTable = Literal["captions", "rejects"]
CAPTION_TABLES: tuple[CaptionTable, ...] = ("captions", "rejects")
# Row groups that are held: those of neighbouring reports in each table.
HELD_GROUPS = 6
READ_COLUMNS = {
    "reports": ("report_id", "text", "sections"),
    "captions": ("organ", "caption", "status", "evidence_start", "evidence_end", "evidence_spans", "score"),
    "rejects": ("organ", "caption", "reason", "detail", "nearest"),
}


class SetPart:
    """Reads one part. Rows are numbered from 0 in each table."""

    def __init__(self, root: Path, index: int) -> None:
        self._files = {table: pq.ParquetFile(part_path(root, table, index)) for table in SHOWN_TABLES}
        self._group_ends = {table: _group_ends(file) for table, file in self._files.items()}
        self._numbers: dict[CaptionTable, NDArray[np.int32]] = {}
        self._group = lru_cache(HELD_GROUPS)(self._read_group)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    @cached_property
    def report_ids(self) -> pa.ChunkedArray:
        """The ids of all reports of the part, in their order."""
        return self.column("reports", "report_id")

    def length(self, table: TableName) -> int:
        """Return how many rows a table has."""
        return int(self._files[table].metadata.num_rows)

    def column(self, table: TableName, name: str) -> pa.ChunkedArray:
        """Return a whole column of a table."""
        return self._files[table].read([name]).column(0)

    def report_numbers(self, table: CaptionTable) -> NDArray[np.int32]:
        """Return for each row of captions or rejects the row of its report; -1 where that is not in the part."""
        if table not in self._numbers:
            rows = pc.index_in(self.column(table, "report_id"), value_set=self.report_ids.combine_chunks())
            self._numbers[table] = np.asarray(pc.fill_null(rows, -1).to_numpy(), np.int32)
        return self._numbers[table]

    def report(self, row: int) -> dict[str, Any]:
        """Return a row of reports: id, text and sections."""
        return self._rows("reports", [row])[0]

    def captions_of(self, table: CaptionTable, report: int) -> list[dict[str, Any]]:
        """Return the rows of captions or rejects of the report in this row."""
        order, bounds = self._rows_by_report[table]
        return self._rows(table, order[bounds[report] : bounds[report + 1]].tolist())

    @cached_property
    def _rows_by_report(self) -> dict[CaptionTable, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """For each table its rows in the order of their reports, and where those of each report begin."""
        reports = np.arange(len(self.report_ids) + 1)
        rows = {}
        for table in CAPTION_TABLES:
            numbers = self.report_numbers(table)
            order = np.argsort(numbers, kind="stable")
            rows[table] = (order, np.searchsorted(numbers[order], reports))
        return rows

    def _rows(self, table: TableName, numbers: Sequence[int]) -> list[dict[str, Any]]:
        ends = self._group_ends[table]
        rows = []
        for number in numbers:
            group = bisect_right(ends, number)
            first = ends[group - 1] if group else 0
            rows += self._group(table, group).slice(number - first, 1).to_pylist()
        return rows

    def _read_group(self, table: TableName, group: int) -> pa.Table:
        file = self._files[table]
        there = set(file.schema_arrow.names)  # a set of an earlier version lacks some
        return file.read_row_group(group, columns=[name for name in READ_COLUMNS[table] if name in there])


def _group_ends(file: pq.ParquetFile) -> list[int]:
    groups = range(file.metadata.num_row_groups)
    return list(accumulate(file.metadata.row_group(group).num_rows for group in groups))
