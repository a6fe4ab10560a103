"""The sampling frame: all captions of a set that can be sampled, as columns of numbers (10 MB for a million)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.caption import Reason
from curation.caption_set.manifest import Manifest
from curation.caption_set.set_files import part_path

CaptionKind = Literal["accepted", "refused"]
ItemKind = Literal["accepted", "refused", "uncovered"]
"""Kinds of what is reviewed: captions, and statements that no caption covers."""
TABLE_OF_KIND: dict[CaptionKind, Literal["captions", "rejects"]] = {"accepted": "captions", "refused": "rejects"}
EXCLUDED_REASONS = frozenset(
    (Reason.DUPLICATE, Reason.SCHEMA, Reason.TRUNCATED, Reason.ENGINE_ERROR, Reason.NOT_UNDERSTOOD)
)
"""Reasons of refusal that say nothing about whether the report carries the caption: these are not reviewed."""

SCORE_EDGES = (0.0, 70.0, 80.0, 90.0, 99.9, 100.0)
"""Bands of the score: above one edge, up to and with the next. Scores have one decimal, so the last band is 100."""


class RowLocation(NamedTuple):
    """The location of a caption in its table: number of the part and of the row in it, both from 0."""

    part: int
    row: int


@dataclass(frozen=True)
class SamplingFrame:
    """Stores the captions of one kind, in the order of their files.

    ``organ`` and ``group`` are codes: indices into ``organs`` (sorted) and ``groups``. A group is the status of an
    accepted caption or the reason of a refused one. ``score`` is 0 to 100, and 0 for refused ones. ``part`` and ``row``
    say where each caption stands.
    """

    kind: CaptionKind
    organs: list[str]
    groups: list[str]
    organ: NDArray[np.int32]
    group: NDArray[np.int32]
    score: NDArray[np.float32]
    part: NDArray[np.int32]
    row: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.organ)

    def only(self, mask: NDArray[np.bool_]) -> SamplingFrame:
        """Return the frame of some captions; names and codes stay the same."""
        columns = (column[mask] for column in (self.organ, self.group, self.score, self.part, self.row))
        return SamplingFrame(self.kind, self.organs, self.groups, *columns)  # type: ignore[arg-type]

    def location(self, index: int) -> RowLocation:
        """Return where a caption stands in its table."""
        return RowLocation(int(self.part[index]), int(self.row[index]))

    def bands(self) -> NDArray[np.int32]:
        """Return the band of each caption's score, from 0."""
        score = np.round(self.score.astype(np.float64), 1)  # as float32, 99.9 is more than 99.9
        return np.searchsorted(SCORE_EDGES[1:-1], score, side="left").astype(np.int32)


class _Codes(dict[str, int]):
    """Numbers names in the order in which they are first looked up."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


def read_frame(
    root: Path, manifest: Manifest, kind: CaptionKind, check: Callable[[], None] = lambda: None
) -> SamplingFrame:
    """Read the frame from the finished parts of a caption set. ``check`` is called between batches; it may raise."""
    organ_codes, group_codes = _Codes(), _Codes()
    columns: list[tuple[NDArray[np.int32], ...]] = []
    scores: list[NDArray[np.float32]] = []
    for index in range(len(manifest.parts)):
        for first_row, organ, group, score in _batches(root, index, kind, organ_codes, group_codes):
            check()
            rows = np.arange(first_row, first_row + len(organ), dtype=np.int32)
            included = _included(group, group_codes)
            parts = np.full(int(included.sum()), index, np.int32)
            columns.append((organ[included], group[included], parts, rows[included]))
            scores.append(score[included])
    empty = (np.zeros(0, np.int32),) * 4
    organ, group, part, row = map(np.concatenate, zip(*(columns or [empty]), strict=True))
    score = np.concatenate(scores or [np.zeros(0, np.float32)])
    organs, organ = _sorted_codes(organ_codes, organ)
    groups, group = _sorted_codes(group_codes, group)
    return SamplingFrame(kind, organs, groups, organ, group, score, part, row)


def _batches(
    root: Path, index: int, kind: CaptionKind, organ_codes: _Codes, group_codes: _Codes
) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]]:
    """Yield the first row, organs, groups and scores of each batch of a part."""
    group_column = "status" if kind == "accepted" else "reason"
    columns = ["organ", group_column, *(["score"] if kind == "accepted" else [])]
    first_row = 0
    with pq.ParquetFile(part_path(root, TABLE_OF_KIND[kind], index)) as file:
        for batch in file.iter_batches(columns=columns):
            organ = _encode(batch.column("organ"), organ_codes)
            group = _encode(batch.column(group_column), group_codes)
            score = batch.column("score").to_numpy() if kind == "accepted" else np.zeros(len(organ), np.float32)
            yield first_row, organ, group, score
            first_row += len(organ)


def _encode(column: Any, codes: _Codes) -> NDArray[np.int32]:
    """Return a column of text as codes."""
    encoded = column.dictionary_encode()
    code_of_entry = np.array([codes[name] for name in encoded.dictionary.to_pylist()], np.int32)
    coded: NDArray[np.int32] = code_of_entry[encoded.indices.to_numpy()]
    return coded


def _included(group: NDArray[np.int32], group_codes: _Codes) -> NDArray[np.bool_]:
    excluded = [code for name, code in group_codes.items() if name in EXCLUDED_REASONS]
    return ~np.isin(group, excluded)


def _sorted_codes(codes: _Codes, column: NDArray[np.int32]) -> tuple[list[str], NDArray[np.int32]]:
    """Return the names in alphabetical order, and the column coded by that order."""
    names = sorted(codes)
    rank = np.zeros(max(len(names), 1), np.int32)
    for number, name in enumerate(names):
        rank[codes[name]] = number
    return names, rank[column]


def rows_of_reports(
    root: Path, part: int, table: str, columns: list[str] | None, report_ids: set[str]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows about some reports, a batch at a time, each with its number in the file as ``row``."""
    value_set = pa.array(sorted(report_ids), pa.string())
    first_row = 0
    with pq.ParquetFile(part_path(root, table, part)) as file:
        for batch in file.iter_batches(batch_size=16_384, columns=columns):
            mask = pc.is_in(batch.column("report_id"), value_set=value_set)
            yield _numbered(batch, mask, first_row)
            first_row += len(batch)


def _numbered(batch: pa.RecordBatch, mask: pa.BooleanArray, first_row: int) -> list[dict[str, Any]]:
    numbers = pc.indices_nonzero(mask).to_pylist()
    rows = batch.filter(mask).to_pylist()
    return [{**row, "row": first_row + number} for row, number in zip(rows, numbers, strict=True)]
