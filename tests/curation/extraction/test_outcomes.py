"""Batches of reports, and outcomes in the order of the reports, each text extracted once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from curation.caption import AcceptedCaption, Reason, RefusedCaption, ReportOutcome
from curation.extraction.outcome_store import OutcomeStore
from curation.extraction.outcomes import batches, outcomes
from curation.extraction.recipe import PackedOutcome
from curation.report import Report
from curation.runtime.errors import RunError


def report(text: str) -> Report:
    return Report("a", text, (), {}, 1)


class FakePool:
    """Accepts one caption, the text itself, and keeps a history; its engine fails on every report if it is broken."""

    def __init__(self, ahead: int, *, broken: bool = False) -> None:
        self.ahead, self.broken, self.history = ahead, broken, list[list[str]]()

    def submit(self, reports: list[Report], /) -> Future[list[PackedOutcome]]:
        self.history.append([report.text for report in reports])
        future: Future[list[PackedOutcome]] = Future()
        future.set_result([(self._outcome(report).pack(), self.broken) for report in reports])
        return future

    def _outcome(self, report: Report) -> ReportOutcome:
        if self.broken:
            refused = RefusedCaption("", "", Reason.ENGINE_ERROR, "RuntimeError: no engine", None)
            return ReportOutcome([], [refused], failed=True)
        return ReportOutcome([AcceptedCaption("liver", report.text, "normal", 0, 1, "findings", 100.0)], [])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OutcomeStore]:
    opened = OutcomeStore(tmp_path / "outcomes", "mine")
    yield opened
    opened.close()


def test_batches_end_where_parts_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.extraction.outcomes.BATCH_CHARACTERS", 100)
    sizes = [len(batch) for batch in batches([report("x")] * 15, 10, 4)]
    assert sizes == [4, 4, 2, 4, 1]
    assert [len(batch) for batch in batches([report("x" * 60)] * 5, 10, 4)] == [2, 2, 1]


@pytest.mark.parametrize("ahead", [0, 1, 9])
def test_each_text_is_submitted_once_and_outcomes_keep_the_order(store: OutcomeStore, ahead: int) -> None:
    texts = ["a", "b", "a", "c", "b", "b", "d", "a"]
    pool = FakePool(ahead)
    batched = batches(map(report, texts), 100, 2)
    answered = list(outcomes(batched, store, pool, lambda: None))
    assert [report.text for report, _ in answered] == texts
    assert [columns.rows().accepted[0].caption for _, columns in answered] == texts
    assert pool.history == [["a", "b"], ["c"], ["d"]]


@pytest.mark.parametrize(("reports", "ends"), [(9, False), (10, True)])
def test_an_engine_that_fails_on_a_whole_batch_ends_the_run(store: OutcomeStore, reports: int, ends: bool) -> None:
    batched = [[report(f"text {number}") for number in range(reports)]]
    answered = outcomes(batched, store, FakePool(0, broken=True), lambda: None)
    if not ends:
        assert len(list(answered)) == reports
        return
    with pytest.raises(RunError, match="failed on every report of a batch: RuntimeError: no engine"):
        next(answered)
