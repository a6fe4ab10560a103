"""A sample is drawn from a caption set, once, and copied into the audit's store with the reports it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.caption_set.manifest import Manifest
from curation.caption_set.shards import Table, part_path
from curation.caption_set.writer import SetError, check_parts
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress

from .frame import TABLE_OF, Frame, Kind, Place, read_frame
from .sampling import BANDS, Design, allocate, divide, draw, generator
from .store import CopiedCaption, CopiedReport, Store

KINDS: tuple[Kind, ...] = ("accepted", "refused")
DRAWN_FROM: tuple[Table, ...] = ("reports", "captions", "rejects")
SAMPLE = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the sample; ``None`` leaves it as it is, or as the default is."""

    accepted: int | None = None
    refused: int | None = None
    design: Design | None = None
    seed: int | None = None

    def size(self, kind: Kind) -> int | None:
        """How many captions of one kind."""
        return self.accepted if kind == "accepted" else self.refused


def wanted(accepted: int | None, refused: int | None, design: str | None, seed: int | None) -> Wanted:
    """What is asked of the sample, checked. Raises ``InputError``."""
    if design is not None and design not in get_args(Design):
        raise InputError(f"--design {design}: there are {' and '.join(get_args(Design))}")
    return Wanted(accepted, refused, cast("Design | None", design), seed)


def draw_sample(root: Path, manifest: Manifest, store: Store, wanted: Wanted, progress: Progress) -> None:
    """Draw the sample into a new store, or make the one that is there larger. All of it, or nothing.

    Raises ``SetError`` where the store is about another state of the set, or was drawn otherwise than is wanted.
    """
    _check(root, manifest, store, wanted)
    first = store.fact("set") is None
    with store.transaction():
        if first:
            store.set_facts(
                set=manifest.identity(),
                made=datetime.now(UTC).isoformat(timespec="seconds"),
                design=wanted.design or "stratified",
                seed=wanted.seed or 0,
            )
        chosen = []
        for kind in KINDS:
            size = wanted.size(kind)
            if first and kind == "accepted":
                size = size or SAMPLE
            if first or (size or 0) > store.sample_size(kind):
                chosen += _choose(root, manifest, store, kind, size or 0, progress)
        if first and not chosen:
            raise InputError(f"{root} holds no caption to review")
        _copy(root, store, chosen, progress)


def _check(root: Path, manifest: Manifest, store: Store, wanted: Wanted) -> None:
    known = store.fact("set")
    if known is None:
        return
    if known != manifest.identity():
        raise SetError(
            f"{root} has changed since its sample was drawn ({store.fact('made')}): the verdicts are about other "
            "captions. --redraw keeps them as they are under another name, and draws a new sample"
        )
    for name in ("design", "seed"):
        asked, drawn = getattr(wanted, name), store.fact(name)
        if asked is not None and asked != drawn:
            raise SetError(
                f"the sample was drawn with --{name} {drawn} and stays the same: leave --{name} {asked} out, or begin "
                "anew with --redraw, which keeps this one under another name"
            )


Chosen = tuple[Kind, Place, int]
"""A caption to be copied: its kind, where it stands, the number of its stratum."""


def _choose(root: Path, manifest: Manifest, store: Store, kind: Kind, size: int, progress: Progress) -> list[Chosen]:
    """What is to be added so that the sample has ``size`` captions of a kind, or all there are."""
    check_parts(root, manifest, DRAWN_FROM)
    frame = read_frame(root, manifest, kind, progress.raise_if_interrupted)
    began = store.fact(f"began {kind}") or size
    strata = divide(frame, began, store.fact("design"))
    store.set_facts(**{f"began {kind}": began, kind: len(frame)})
    if kind == "accepted":
        store.set_facts(bands=np.bincount(frame.bands(), minlength=BANDS).tolist())
    store.add_strata(kind, zip(strata.names, strata.sizes, strict=True))
    taken = _indices(frame, store.drawn(kind))
    rng = generator(store.fact("seed"), kind, len(taken))
    drawn = draw(strata, allocate(strata.sizes, size), rng, taken)
    return [(kind, frame.place(one.place), one.stratum) for one in drawn]


def _indices(frame: Frame, places: Sequence[Place]) -> list[int]:
    """Where captions that were drawn before stand in the frame."""
    if not places:
        return []
    width = int(frame.row.max()) + 1
    keys = frame.part.astype(np.int64) * width + frame.row
    wanted = [place.part * width + place.row for place in places]
    return [int(at) for at in np.searchsorted(keys, wanted)]  # parts and rows ascend


def _copy(root: Path, store: Store, chosen: Sequence[Chosen], progress: Progress) -> None:
    """Copy reports and captions, then the sample in random order, so that its beginning is a sample as well."""
    by_part: dict[int, list[Chosen]] = {}
    for one in chosen:
        by_part.setdefault(one[1].part, []).append(one)
    progress.start(len(by_part), 0)
    for part in sorted(by_part):
        _copy_part(root, part, by_part[part], store, progress.raise_if_interrupted)
        progress.advance()
    before = store.value("SELECT count(*) FROM item")
    order = generator(store.fact("seed"), "order", before).permutation(len(chosen))
    for number in order.tolist():
        store.add_item(*chosen[number])


def _copy_part(root: Path, part: int, chosen: Sequence[Chosen], store: Store, check: Callable[[], None]) -> None:
    wanted: set[str] = set()
    for kind in KINDS:
        numbers = [place.row for found, place, _ in chosen if found == kind]
        wanted.update(_report_ids(root, part, kind, numbers) if numbers else ())
    new: dict[str, int] = {}
    for rows in _rows_about(root, part, "reports", ["report_id", "text", "sections"], wanted):
        check()
        for row in rows:
            sections = [(one["name"], one["start"], one["end"]) for one in row["sections"]]
            number = store.add_report(CopiedReport(row["report_id"], row["text"], sections))
            if number is not None:
                new[row["report_id"]] = number
    for kind in KINDS if new else ():
        for rows in _rows_about(root, part, TABLE_OF[kind], None, set(new)):
            check()
            store.add_captions(_copied(row, kind, part, new[row["report_id"]]) for row in rows)


def _report_ids(root: Path, part: int, kind: Kind, rows: Sequence[int]) -> list[str]:
    column = pq.read_table(part_path(root, TABLE_OF[kind], part), columns=["report_id"])["report_id"]
    return [str(name) for name in column.take(list(rows)).to_pylist()]


def _rows_about(
    root: Path, part: int, table: str, columns: list[str] | None, reports: set[str]
) -> Iterator[list[dict[str, Any]]]:
    """Rows about some reports, a batch at a time, each with its number in the file as ``row``."""
    wanted = pa.array(sorted(reports), pa.string())
    first = 0
    with pq.ParquetFile(part_path(root, table, part)) as file:
        for batch in file.iter_batches(batch_size=16_384, columns=columns):
            mask = pc.is_in(batch.column("report_id"), value_set=wanted)
            yield _numbered(batch, mask, first)
            first += len(batch)


def _numbered(batch: pa.RecordBatch, mask: pa.BooleanArray, first: int) -> list[dict[str, Any]]:
    numbers = pc.indices_nonzero(mask).to_pylist()
    rows = batch.filter(mask).to_pylist()
    return [{**row, "row": first + number} for row, number in zip(rows, numbers, strict=True)]


def _copied(row: dict[str, Any], kind: Kind, part: int, report: int) -> CopiedCaption:
    values: dict[str, Any] = {**row, "report": report, "kind": kind, "part": part}
    return CopiedCaption(*(values.get(name) for name in CopiedCaption._fields))  # type: ignore[arg-type]
