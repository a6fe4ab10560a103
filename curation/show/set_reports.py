"""The reports of a caption set, one at a time with all of their captions, read from disk as they are asked for."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rapidfuzz import process

from curation.caption_set.kept_files import kept_site_words
from curation.caption_set.manifest import load_manifest
from curation.caption_set.resuming import check_parts
from curation.caption_set.schemas import evidence_spans
from curation.report_page.organ_systems import organ_systems
from curation.report_page.passages import evidence_or_nearest
from curation.report_page.report_view import ShownCaption, in_reading_order, report_view
from curation.runtime.digests import do_nothing
from curation.runtime.errors import InputError

from .filters import ReportFilter
from .set_part import SHOWN_TABLES, SetPart

# Parts that are open at once, and filtered parts that are remembered.
OPEN_PARTS, REMEMBERED_HITS = 2, 64
# A search that takes longer tells how far it has come, and is asked to go on from there.
SEARCH_SECONDS = 1.0
# Ids that are told beside one that is unknown, and how much of it they have at least, in percent.
NEAR_IDS, LEAST_ALIKE = 3, 60


class FoundReport(NamedTuple):
    """The next report that passes a filter: its place, None where there is none up to ``reached``.

    ``finished`` is whether the whole way was searched.
    """

    place: int | None
    reached: int
    finished: bool


class SetReports:
    """The reports of a set, or those that were named, by their place from 1 to ``total``.

    Raises ``ManifestError``, ``SetError`` where a file of the set is missing or damaged, and ``InputError`` for a
    report that is not in the set.
    """

    def __init__(self, root: Path, report_ids: Sequence[str] = (), check: Callable[[], None] = do_nothing) -> None:
        self.root, self.manifest = root, load_manifest(root)
        self._check = check
        check_parts(root, self.manifest, SHOWN_TABLES, digests=False)
        words = kept_site_words(root, self.manifest.settings)
        self.system_of = organ_systems(words.vocabulary())
        self._ends = list(accumulate(part.reports for part in self.manifest.parts))
        self._whole = set[int]()
        self._part = lru_cache(OPEN_PARTS)(self._open_part)
        self._hits = lru_cache(REMEMBERED_HITS)(self._filtered)
        self._named = self._places_of(report_ids) if report_ids else None

    @property
    def total(self) -> int:
        """How many reports there are to be shown."""
        if self._named is not None:
            return len(self._named)
        return self._ends[-1] if self._ends else 0

    @property
    def are_named(self) -> bool:
        """Whether only the reports that were named are shown."""
        return self._named is not None

    def view(self, place: int) -> dict[str, Any]:
        """Return a report with its captions as JSON for the page. Raises ``LookupError`` for a place without one."""
        part, row = self._locate(self._number(place))
        opened = self._part(part)
        report = opened.report(row)
        text = report["text"]
        sections = [(section["name"], section["start"], section["end"]) for section in report["sections"]]
        captions = [_accepted(caption) for caption in opened.captions_of("captions", row)]
        captions += [_refused(caption, text) for caption in opened.captions_of("rejects", row)]
        ordered = in_reading_order(captions, len(text))
        return report_view(report["report_id"], text, sections, ordered, self.system_of)

    def first_views(self, most: int) -> list[dict[str, Any]]:
        """Return the first reports, as ``view`` returns one."""
        return [self.view(place) for place in range(1, min(self.total, most) + 1)]

    def find(self, place: int, step: int, wanted: ReportFilter) -> FoundReport:
        """Return the next report that passes a filter after a place, or before it with a negative ``step``.

        It gives up after ``SEARCH_SECONDS``, and then ``reached`` is where to go on.
        """
        if self._named is None:
            return self._find_in_parts(place, step, wanted)
        ways = range(place, self.total) if step > 0 else range(place - 2, -1, -1)
        for index in ways:
            part, row = self._locate(self._named[index])
            hits = self._hits(part, wanted)
            at = np.searchsorted(hits, row)
            if at < len(hits) and hits[at] == row:
                return FoundReport(index + 1, index + 1, True)
        return FoundReport(None, self.total if step > 0 else 1, True)

    def _find_in_parts(self, place: int, step: int, wanted: ReportFilter) -> FoundReport:
        """``place`` counts reports from 1, so that it is the number, from 0, of the next report."""
        number = place if step > 0 else place - 2
        deadline = time.monotonic() + SEARCH_SECONDS
        while 0 <= number < self.total:
            self._check()
            part, row = self._locate(number)
            hits = self._hits(part, wanted)
            chosen = hits[hits >= row][:1] if step > 0 else hits[hits <= row][-1:]
            first = self._ends[part - 1] if part else 0
            if len(chosen):
                return FoundReport(first + int(chosen[0]) + 1, first + int(chosen[0]) + 1, True)
            number = self._ends[part] if step > 0 else first - 1
            if time.monotonic() > deadline and 0 <= number < self.total:
                return FoundReport(None, number if step > 0 else number + 2, False)
        return FoundReport(None, self.total if step > 0 else 1, True)

    def _number(self, place: int) -> int:
        """Return the number of a report in the set, from 0, by its place."""
        if not 1 <= place <= self.total:
            raise LookupError(f"there is no report {place:,}: there are {self.total:,}")
        return place - 1 if self._named is None else self._named[place - 1]

    def _locate(self, number: int) -> tuple[int, int]:
        """Return the part and the row in it of a report by its number in the set."""
        part = bisect_right(self._ends, number)
        return part, number - (self._ends[part - 1] if part else 0)

    def _filtered(self, part: int, wanted: ReportFilter) -> NDArray[np.int64]:
        return wanted.hits(self._part(part))

    def _open_part(self, index: int) -> SetPart:
        """Open a part; its files are compared with their digests when it is first opened."""
        if index not in self._whole:
            check_parts(self.root, self.manifest, SHOWN_TABLES, check=self._check, only=(index,))
            self._whole.add(index)
        return SetPart(self.root, index)

    def _places_of(self, report_ids: Sequence[str]) -> list[int]:
        """Return the numbers of named reports in the set, in the order in which they were named, each once."""
        wanted = pa.array(dict.fromkeys(report_ids), pa.string())
        numbers = dict[str, int]()
        near = {name: list[str]() for name in report_ids}
        for part in range(len(self.manifest.parts)):
            self._check()
            ids = self._part(part).report_ids
            first = self._ends[part] - len(ids)
            rows = np.flatnonzero(pc.is_in(ids, value_set=wanted).to_numpy())
            numbers |= {ids[int(row)].as_py(): first + int(row) for row in rows}
            if len(numbers) == len(wanted):
                break
            for name in near.keys() - numbers.keys():
                alike = process.extract(name, [*near[name], *ids.to_pylist()], limit=NEAR_IDS, score_cutoff=LEAST_ALIKE)
                near[name] = [other for other, _, _ in alike]
        for name in report_ids:
            if name not in numbers:
                raise InputError(_unknown(self.root, name, near[name]))
        return [numbers[name] for name in dict.fromkeys(report_ids)]


def _accepted(row: dict[str, Any]) -> ShownCaption:
    return ShownCaption(row["organ"], row["caption"], "accepted", evidence_spans(row), row["status"], row["score"])


def _refused(row: dict[str, Any], text: str) -> ShownCaption:
    nearest = evidence_or_nearest(text, None, None, row["nearest"], row["caption"])
    passages = [nearest] if nearest else []
    return ShownCaption(row["organ"], row["caption"], "refused", passages, reason=row["reason"], detail=row["detail"])


def _unknown(root: Path, name: str, near: Sequence[str]) -> str:
    hint = f"did you mean {' or '.join(near)}?" if near else f"`ovct show {root}` goes through all of them"
    return f"{root} has no report {name!r}: {hint}"
