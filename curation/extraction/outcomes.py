"""Outcomes of reports in the input's order: batches go to a pool of workers, and each distinct text goes only once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import NamedTuple

from curation.caption import OutcomeColumns, Reason, ReportOutcome
from curation.report import Report
from curation.runtime.errors import RunError
from curation.runtime.processes import ordered_results

from .outcome_store import OutcomeStore, text_key
from .recipe import BATCH_REPORTS, PackedOutcome, Pool

BATCH_CHARACTERS = 1_000_000
LEAST_FAILURES = 10
"""An engine that fails on every report of a batch at least this large ends the run."""


def batches(reports: Iterable[Report], reports_per_part: int, size: int = BATCH_REPORTS) -> Iterator[list[Report]]:
    """Yield batches for a worker. They end where parts end, so that a resumed run asks for the same ones."""
    batch: list[Report] = []
    characters = 0
    for number, report in enumerate(reports, 1):
        batch.append(report)
        characters += len(report.text)
        if len(batch) == size or characters >= BATCH_CHARACTERS or number % reports_per_part == 0:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


class _Batch(NamedTuple):
    """A batch of reports with the keys of their texts, and by key the reports whose texts are to be extracted."""

    reports: list[Report]
    keys: list[bytes]
    new: dict[bytes, Report]


def outcomes(
    batched: Iterable[list[Report]], store: OutcomeStore, pool: Pool, check: Callable[[], None]
) -> Iterator[tuple[Report, OutcomeColumns]]:
    """Yield each report with its outcome, in order; a text that came before is not extracted again.

    ``check`` is called while results are awaited and may raise to give up. Raises ``RunError`` if the engine fails on
    every report of a batch.
    """
    under_way: set[bytes] = set()

    def with_new_texts(reports: list[Report]) -> _Batch:
        keys = [text_key(report) for report in reports]
        texts = zip(keys, reports, strict=True)
        new = {key: report for key, report in texts if key not in under_way and key not in store}
        under_way.update(new)
        return _Batch(reports, keys, new)

    def submit(batch: _Batch) -> Future[list[PackedOutcome]]:
        return pool.submit(list(batch.new.values())) if batch.new else _no_outcomes()

    for batch, packed in ordered_results(map(with_new_texts, batched), submit, pool.ahead, check):
        if batch.new:
            _check_engine_works(packed)
            store.keep(dict(zip(batch.new, packed, strict=True)))
            under_way.difference_update(batch.new)
        for report, key in zip(batch.reports, batch.keys, strict=True):
            yield report, store[key]


def _no_outcomes() -> Future[list[PackedOutcome]]:
    future: Future[list[PackedOutcome]] = Future()
    future.set_result([])
    return future


def _check_engine_works(packed: list[PackedOutcome]) -> None:
    """Raise ``RunError`` if the engine failed on every report of a batch that is not too small to tell."""
    if len(packed) < LEAST_FAILURES or not all(failed for _, failed in packed):
        return
    failures = [OutcomeColumns.unpack(outcome).rows() for outcome, _ in packed]
    if not any(map(_has_answer, failures)):
        raise RunError(f"the engine failed on every report of a batch: {failures[0].refused[0].detail}")


def _has_answer(outcome: ReportOutcome) -> bool:
    """Return whether a report got anything but failures of the engine."""
    return bool(outcome.accepted) or any(row.reason != Reason.ENGINE_ERROR for row in outcome.refused)
