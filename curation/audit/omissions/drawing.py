"""Draws statements that no caption covers into the sample of an audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curation.audit.sampling import Design, Strata, allocate, draw_captions, random_generator
from curation.audit.store import AuditStore, AuditStoreError, CopiedCaption
from curation.caption_set.manifest import Manifest
from curation.runtime.progress import Progress

from .statement_frame import StatementFrame, UncoveredStatement, read_statement_frame


class DrawnStatement(NamedTuple):
    """A statement to be added to the sample, and the number of its stratum."""

    statement: UncoveredStatement
    stratum: int


def draw_statements(
    root: Path, manifest: Manifest, store: AuditStore, size: int, progress: Progress
) -> list[DrawnStatement]:
    """Draw what to add so that the sample has ``size`` statements that no caption covers, or all there are."""
    frame = read_statement_frame(root, manifest, store.fact("seed"), progress)
    store.set_facts(statements=frame.statements, uncovered=len(frame.uncovered), statement_reports=frame.reports)
    strata = statement_strata(frame, store.fact("design"))
    store.add_strata("uncovered", zip(strata.names, strata.sizes, strict=True))
    place = {one.location: number for number, one in enumerate(frame.uncovered)}
    before = [place[location] for location in store.sampled_rows("uncovered")]
    rng = random_generator(store.fact("seed"), "uncovered", len(before))
    drawn = draw_captions(strata, allocate(strata.sizes, size), rng, before)
    return [DrawnStatement(frame.uncovered[index], stratum) for index, stratum in drawn]


def statement_strata(frame: StatementFrame, design: Design) -> Strata:
    """Divide the statements by the section that they stand in; within one, organ systems come in proportion."""
    if design == "random":
        return Strata(np.zeros(len(frame.uncovered), np.int32), ["all"], [len(frame.uncovered)], ())
    names, code = _codes([one.section for one in frame.uncovered])
    _, system = _codes([one.system for one in frame.uncovered])
    return Strata(code, names, np.bincount(code, minlength=len(names)).tolist(), (system,))


def _codes(values: Sequence[str]) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """Return the distinct values, sorted, and the place of each value among them."""
    names = sorted(set(values))
    return names, np.array([names.index(value) for value in values], np.int32)


def copied_statement(store: AuditStore, statement: UncoveredStatement) -> CopiedCaption:
    """Return a statement as the audit's file keeps it, beside the captions of its report, which is there already.

    Its organ is kept as ``organ``, its organ system as ``reason``, for what is counted by it.
    """
    report = store.value("SELECT id FROM report WHERE report_id = ?", statement.report_id)
    if report is None:
        raise AuditStoreError(f"report {statement.report_id} of an uncovered statement was not copied")
    part, row = statement.location
    return CopiedCaption(
        report, "uncovered", part, row, statement.organ, statement.text, None, statement.start, statement.end,
        statement.section, None, statement.system, None, None, None, None,
    )  # fmt: skip
