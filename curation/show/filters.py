"""Which reports are shown: by organ and status of a caption of theirs, and by words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .set_part import CAPTION_TABLES, CaptionTable, SetPart

REFUSED = "refused"
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ReportFilter:
    """What a report must have: one caption with one of the organs and one of the statuses, and all words somewhere.

    ``statuses`` are those of accepted captions, and "refused". An empty field asks for nothing. Words are looked for in
    the id, the text and the captions of a report, whatever their case.
    """

    organs: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()

    def hits(self, part: SetPart) -> NDArray[np.int64]:
        """Return the rows of the reports of a part that pass, in ascending order."""
        masks = [_has_word(part, word) for word in self.words]
        if self.organs or self.statuses:
            masks.append(self._has_caption(part))
        everything = np.ones(len(part.report_ids), bool)
        return np.flatnonzero(reduce(np.logical_and, masks, everything))

    def _has_caption(self, part: SetPart) -> Mask:
        mask = np.zeros(len(part.report_ids), bool)
        for table in CAPTION_TABLES:
            if rows := self._caption_masks(part, table):
                _mark(mask, part.report_numbers(table)[reduce(np.logical_and, rows)])
        return mask

    def _caption_masks(self, part: SetPart, table: CaptionTable) -> list[Mask]:
        """Return masks of the rows of a table that all have to hold; none where no row of it can pass."""
        masks = []
        if table == "rejects":
            if self.statuses and REFUSED not in self.statuses:
                return []
            masks.append(np.ones(part.length(table), bool))
        elif self.statuses:
            masks.append(_is_in(part.column(table, "status"), self.statuses))
        if self.organs:
            masks.append(_is_in(part.column(table, "organ"), self.organs))
        return masks


def _has_word(part: SetPart, word: str) -> Mask:
    mask = _contains(part.report_ids, word) | _contains(part.column("reports", "text"), word)
    for table in CAPTION_TABLES:
        for column in ("caption", "organ"):
            _mark(mask, part.report_numbers(table)[_contains(part.column(table, column), word)])
    return mask


def _mark(mask: Mask, reports: NDArray[np.int32]) -> None:
    mask[reports[reports >= 0]] = True


def _is_in(column: pa.ChunkedArray, values: frozenset[str]) -> Mask:
    return _as_mask(pc.is_in(column, value_set=pa.array(sorted(values), pa.string())))


def _contains(column: pa.ChunkedArray, word: str) -> Mask:
    return _as_mask(pc.match_substring(column, word, ignore_case=True))


def _as_mask(column: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(column, False).to_numpy(), bool)
