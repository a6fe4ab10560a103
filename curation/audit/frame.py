"""All captions of a set that may be drawn, as a few columns of numbers: a million of them take some ten megabytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.caption import Reason
from curation.caption_set.manifest import Manifest
from curation.caption_set.shards import part_path

Kind = Literal["accepted", "refused"]
TABLE_OF: dict[Kind, Literal["captions", "rejects"]] = {"accepted": "captions", "refused": "rejects"}
NOT_JUDGED = frozenset((Reason.DUPLICATE, Reason.SCHEMA, Reason.TRUNCATED, Reason.ENGINE_ERROR))
"""Refusals that say nothing about whether the report carries the caption: nobody is asked whether they are right."""

SCORE_EDGES = (0.0, 70.0, 80.0, 90.0, 99.9, 100.0)
"""Bands of the score: over one edge, at most the next. Scores have one decimal, so the last band is the full score."""


class Place(NamedTuple):
    """Where a caption's row stands: part and row of its table, both from 0."""

    part: int
    row: int


@dataclass(frozen=True)
class Frame:
    """Captions of one kind, in the order of their files.

    ``organ`` and ``group`` are codes: ``organs`` (sorted) and ``groups`` have their names. A group is the status of an
    accepted caption or the reason of a refused one. ``score`` is 0 to 100, and nought for refused ones. ``part`` and
    ``row`` say where each stands.
    """

    kind: Kind
    organs: list[str]
    groups: list[str]
    organ: NDArray[np.int32]
    group: NDArray[np.int32]
    score: NDArray[np.float32]
    part: NDArray[np.int32]
    row: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.organ)

    def place(self, index: int) -> Place:
        """Where a caption's row stands."""
        return Place(int(self.part[index]), int(self.row[index]))

    def bands(self) -> NDArray[np.int32]:
        """Band of each caption's score, from 0."""
        score = np.round(self.score.astype(np.float64), 1)  # as float32, 99.9 is more than 99.9
        return np.searchsorted(SCORE_EDGES[1:-1], score, side="left").astype(np.int32)


class _Codes(dict[str, int]):
    """Numbers for names, in order of appearance."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


def read_frame(root: Path, manifest: Manifest, kind: Kind, check: Callable[[], None] = lambda: None) -> Frame:
    """Read the frame of a caption set's finished parts. ``check`` may raise to give up."""
    organs, groups = _Codes(), _Codes()
    columns: list[tuple[NDArray[np.int32], ...]] = []
    scores: list[NDArray[np.float32]] = []
    for index in range(len(manifest.parts)):
        for first, organ, group, score in _batches(root, index, kind, organs, groups):
            check()
            rows = np.arange(first, first + len(organ), dtype=np.int32)
            kept = _judged(group, groups)
            columns.append((organ[kept], group[kept], np.full(int(kept.sum()), index, np.int32), rows[kept]))
            scores.append(score[kept])
    empty = (np.zeros(0, np.int32),) * 4
    organ, group, part, row = map(np.concatenate, zip(*(columns or [empty]), strict=True))
    score = np.concatenate(scores or [np.zeros(0, np.float32)])
    names, organ = _sorted_codes(organs, organ)
    kinds, group = _sorted_codes(groups, group)
    return Frame(kind, names, kinds, organ, group, score, part, row)


def _batches(
    root: Path, index: int, kind: Kind, organs: _Codes, groups: _Codes
) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]]:
    """First row, organs, groups and scores of each batch of a part."""
    grouped = "status" if kind == "accepted" else "reason"
    wanted = ["organ", grouped, *(["score"] if kind == "accepted" else [])]
    first = 0
    with pq.ParquetFile(part_path(root, TABLE_OF[kind], index)) as file:
        for batch in file.iter_batches(columns=wanted):
            organ, group = (_coded(batch.column(name), codes) for name, codes in (("organ", organs), (grouped, groups)))
            score = batch.column("score").to_numpy() if kind == "accepted" else np.zeros(len(organ), np.float32)
            yield first, organ, group, score
            first += len(organ)


def _coded(column: Any, codes: _Codes) -> NDArray[np.int32]:
    """A column of text as numbers."""
    encoded = column.dictionary_encode()
    known = np.array([codes[name] for name in encoded.dictionary.to_pylist()], np.int32)
    found: NDArray[np.int32] = known[encoded.indices.to_numpy()]
    return found


def _judged(group: NDArray[np.int32], groups: _Codes) -> NDArray[np.bool_]:
    unjudged = [code for name, code in groups.items() if name in NOT_JUDGED]
    return ~np.isin(group, unjudged)


def _sorted_codes(codes: _Codes, coded: NDArray[np.int32]) -> tuple[list[str], NDArray[np.int32]]:
    """Names in order, and the column coded by that order."""
    names = sorted(codes)
    rank = np.zeros(max(len(names), 1), np.int32)
    for number, name in enumerate(names):
        rank[codes[name]] = number
    return names, rank[coded]
