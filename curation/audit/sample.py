"""The sample of an audit: drawn from a caption set once, copied with its reports, and assigned to the reviewers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import numpy as np
import pyarrow.parquet as pq

from curation.caption_set.manifest import Manifest
from curation.caption_set.resuming import check_parts
from curation.caption_set.schemas import evidence_spans
from curation.caption_set.set_files import TableName, part_path
from curation.caption_set.work_folder import SetError
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress

from .omissions.drawing import DrawnStatement, copied_statement, draw_statements
from .sampling import BAND_COUNT, Design, draw_captions, random_generator, shares_of_strata, stratify
from .sampling_frame import (
    TABLE_OF_KIND,
    CaptionKind,
    ItemKind,
    RowLocation,
    SamplingFrame,
    read_frame,
    rows_of_reports,
)
from .second_reader.readings import readings_to_read
from .store import AuditStore, CopiedCaption, CopiedReport

CAPTION_KINDS: tuple[CaptionKind, ...] = ("accepted", "refused")
SAMPLED_TABLES: tuple[TableName, ...] = ("reports", "captions", "rejects")
DEFAULT_SAMPLE_SIZE = 100
DEFAULT_OVERLAP = 1.0


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """The options of a sample; ``None`` leaves it as it was drawn, or takes the default."""

    accepted: int | None = None
    refused: int | None = None
    design: Design | None = None
    seed: int | None = None
    uncovered: int | None = None

    def size(self, kind: ItemKind) -> int | None:
        """Return how many captions of one kind, or statements that no caption covers, are requested."""
        return {"accepted": self.accepted, "refused": self.refused, "uncovered": self.uncovered}[kind]


def sample_request(
    accepted: int | None, refused: int | None, design: str | None, seed: int | None, uncovered: int | None = None
) -> SampleRequest:
    """Check the options of a sample. Raises ``InputError`` for an unknown design."""
    if design is not None and design not in get_args(Design):
        raise InputError(f"--design {design}: there are {' and '.join(get_args(Design))}")
    return SampleRequest(accepted, refused, cast("Design | None", design), seed, uncovered)


def draw_sample(root: Path, manifest: Manifest, store: AuditStore, request: SampleRequest, progress: Progress) -> None:
    """Draw the sample into a new store, or make the one that is there larger. All of it, or nothing.

    Raises ``SetError`` where the store is about another state of the set, or was drawn with other options.
    """
    _check(root, manifest, store, request)
    is_new = store.fact("set") is None
    with store.transaction():
        if is_new:
            store.set_facts(
                set=manifest.identity(),
                made=datetime.now(UTC).isoformat(timespec="seconds"),
                design=request.design or "stratified",
                seed=request.seed or 0,
            )
            _copy_disputed(root, manifest, store, progress)
        sizes = {kind: request.size(kind) or 0 for kind in CAPTION_KINDS}
        if is_new:
            sizes["accepted"] = sizes["accepted"] or DEFAULT_SAMPLE_SIZE
        larger = [kind for kind in CAPTION_KINDS if is_new or sizes[kind] > store.sample_size(kind)]
        more_statements = (request.uncovered or 0) > store.sample_size("uncovered")
        if larger or more_statements:
            check_parts(root, manifest, SAMPLED_TABLES, check=progress.raise_if_interrupted)
        selection = [
            selected for kind in larger for selected in _select(root, manifest, store, kind, sizes[kind], progress)
        ]
        statements = draw_statements(root, manifest, store, request.uncovered or 0, progress) if more_statements else []
        if is_new and not selection and not statements:
            raise InputError(f"{root} holds no caption to review")
        _copy(root, store, selection, statements, progress)


def _check(root: Path, manifest: Manifest, store: AuditStore, request: SampleRequest) -> None:
    sampled_set = store.fact("set")
    if sampled_set is None:
        return
    if sampled_set != manifest.identity():
        raise SetError(
            f"{root} has changed since its sample was drawn ({store.fact('made')}): the verdicts are about other "
            "captions. --redraw keeps them as they are under another name, and draws a new sample"
        )
    for option in ("design", "seed"):
        value, stored = getattr(request, option), store.fact(option)
        if value is not None and value != stored:
            raise SetError(
                f"the sample was drawn with --{option} {stored} and stays the same: leave --{option} {value} out, or "
                "begin anew with --redraw, which keeps this one under another name"
            )


def _copy_disputed(root: Path, manifest: Manifest, store: AuditStore, progress: Progress) -> None:
    """Copy which captions a second reader disputes: the strata of a sample stay, whatever is read later."""
    captions = sum(part.captions for part in manifest.parts)
    with readings_to_read(root, manifest) as readings:
        if readings is None:
            return
        for reader in readings.readers():
            if (count := readings.count(reader)) < captions:
                progress.warning(
                    f"the second reader {reader} has been asked about {count:,} of {captions:,} captions; the sample "
                    "goes by those. Let it finish, and --redraw takes the others into account"
                )
        store.add_disputed(readings.disputed_rows())


class _Selected(NamedTuple):
    """A caption to be added to the sample."""

    kind: CaptionKind
    location: RowLocation
    stratum: int
    disputed: bool


def _select(
    root: Path, manifest: Manifest, store: AuditStore, kind: CaptionKind, size: int, progress: Progress
) -> list[_Selected]:
    """Select what to add so that the sample has ``size`` captions of a kind, or all there are."""
    frame = read_frame(root, manifest, kind, progress.raise_if_interrupted)
    first_size = store.fact(f"began {kind}") or size
    disputed = np.zeros(len(frame), bool)
    if kind == "accepted":
        disputed[_indices(frame, store.disputed_rows())] = True
    strata = stratify(frame, first_size, store.fact("design"), disputed)
    store.set_facts(**{f"began {kind}": first_size, kind: len(frame)})
    if kind == "accepted":
        store.set_facts(bands=np.bincount(frame.bands(), minlength=BAND_COUNT).tolist())
    store.add_strata(kind, zip(strata.names, strata.sizes, strict=True))
    drawn_before = _indices(frame, store.sampled_rows(kind))
    rng = random_generator(store.fact("seed"), kind, len(drawn_before))
    drawn = draw_captions(strata, shares_of_strata(strata, size), rng, drawn_before)
    return [_Selected(kind, frame.location(index), stratum, bool(disputed[index])) for index, stratum in drawn]


def _indices(frame: SamplingFrame, locations: Sequence[RowLocation]) -> list[int]:
    """Return where captions that were drawn before stand in the frame."""
    if not locations:
        return []
    width = int(frame.row.max()) + 1
    frame_keys = frame.part.astype(np.int64) * width + frame.row
    keys = [location.part * width + location.row for location in locations]
    return [int(index) for index in np.searchsorted(frame_keys, keys)]  # parts and rows ascend


def _copy(
    root: Path,
    store: AuditStore,
    selection: Sequence[_Selected],
    statements: Sequence[DrawnStatement],
    progress: Progress,
) -> None:
    """Copy reports and captions, then the sample in random order, so that its beginning is a sample as well.

    Captions that a second reader disputes come before the others, statements that no caption covers behind them.
    """
    by_part: dict[int, list[_Selected]] = {}
    for selected in selection:
        by_part.setdefault(selected.location.part, []).append(selected)
    reports: dict[int, set[str]] = {}
    for statement, _ in statements:
        reports.setdefault(statement.location.part, set()).add(statement.report_id)
    parts = sorted(by_part.keys() | reports.keys())
    progress.start(len(parts), 0)
    for part in parts:
        selected_captions, further = by_part.get(part, []), reports.get(part, set())
        _copy_part(root, part, selected_captions, further, store, progress.raise_if_interrupted)
        progress.advance()
    store.add_captions(copied_statement(store, statement) for statement, _ in statements)
    size_before = store.value("SELECT count(*) FROM item")
    order = random_generator(store.fact("seed"), "order", size_before).permutation(len(selection))
    for number in sorted(order.tolist(), key=lambda number: not selection[number].disputed):
        kind, location, stratum, _ = selection[number]
        store.add_item(kind, location, stratum)
    for index in random_generator(store.fact("seed"), "order", size_before).permutation(len(statements)).tolist():
        store.add_item("uncovered", statements[index].statement.location, statements[index].stratum)


def _copy_part(
    root: Path,
    part: int,
    selection: Sequence[_Selected],
    further_reports: set[str],
    store: AuditStore,
    check: Callable[[], None],
) -> None:
    report_ids = set(further_reports)
    for kind in CAPTION_KINDS:
        rows = [selected.location.row for selected in selection if selected.kind == kind]
        report_ids.update(_report_ids(root, part, kind, rows) if rows else ())
    new_reports: dict[str, int] = {}
    for batch in rows_of_reports(root, part, "reports", ["report_id", "text", "sections"], report_ids):
        check()
        for row in batch:
            sections = [(section["name"], section["start"], section["end"]) for section in row["sections"]]
            number = store.add_report(CopiedReport(row["report_id"], row["text"], sections))
            if number is not None:
                new_reports[row["report_id"]] = number
    for kind in CAPTION_KINDS if new_reports else ():
        for batch in rows_of_reports(root, part, TABLE_OF_KIND[kind], None, set(new_reports)):
            check()
            store.add_captions(_copied_caption(row, kind, part, new_reports[row["report_id"]]) for row in batch)


def _report_ids(root: Path, part: int, kind: CaptionKind, rows: Sequence[int]) -> list[str]:
    column = pq.read_table(part_path(root, TABLE_OF_KIND[kind], part), columns=["report_id"])["report_id"]
    return [str(name) for name in column.take(list(rows)).to_pylist()]


def _copied_caption(row: dict[str, Any], kind: CaptionKind, part: int, report: int) -> CopiedCaption:
    values: dict[str, Any] = {**row, "report": report, "kind": kind, "part": part}
    if kind == "accepted":
        values["spans"] = json.dumps(evidence_spans(row))
    return CopiedCaption(*(values.get(name) for name in CopiedCaption._fields))  # type: ignore[arg-type]


def assign_captions(store: AuditStore, names: Sequence[str], overlap: float | None = None) -> None:
    """Assign the sample to all reviewers so far and to ``names``. Nothing changes unless a reviewer or caption is new.

    ``overlap`` (0 to 1; ``None``: as before, or all) is the share that everyone reviews; the rest is divided among the
    reviewers. What somebody has already reviewed stays theirs.
    """
    with store.transaction():
        for name in names:
            store.connection.execute("INSERT OR IGNORE INTO reviewer (name) VALUES (?)", (name,))
        reviewers = [number for (number,) in store.rows("SELECT id FROM reviewer ORDER BY id")]
        share = store.fact("overlap", DEFAULT_OVERLAP) if overlap is None else overlap
        state = [reviewers, share, store.value("SELECT count(*) FROM item")]
        if store.fact("dealt") == state:
            return
        store.connection.execute("DELETE FROM turn")
        store.connection.executemany("INSERT INTO turn VALUES (?, ?, ?)", _assignments(store, reviewers, share))
        store.set_facts(overlap=share, dealt=state)


def _assignments(store: AuditStore, reviewers: Sequence[int], share: float) -> Iterator[tuple[int, int, int]]:
    """Yield reviewer, place and item, in the order of the sample. The order is random, so any cut through it is too."""
    begun: dict[int, list[int]] = {}
    for item, reviewer in store.rows("SELECT item, reviewer FROM review ORDER BY item, reviewer"):
        begun.setdefault(item, []).append(reviewer)
    places = dict.fromkeys(reviewers, 0)
    load = dict.fromkeys(reviewers, 0)  # captions that are not for everyone
    for number, (item,) in enumerate(store.rows("SELECT id FROM item ORDER BY id")):
        if int((number + 1) * share) > int(number * share):
            assignees: Sequence[int] = reviewers
        else:
            assignees = begun.get(item) or [min(reviewers, key=lambda reviewer: (load[reviewer], reviewer))]
            for reviewer in assignees:
                load[reviewer] += 1
        for reviewer in assignees:
            places[reviewer] += 1
            yield reviewer, places[reviewer], item
