"""What a worker does with a batch, with a queue in the same process and without Ray."""

from __future__ import annotations

import asyncio
import gc
import pickle
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import pytest

from curation.caption import OutcomeColumns
from curation.engines.chat import EngineDown
from curation.extraction.recipe import PackedOutcome
from curation.ray_cluster.batch_queue import TRIES, BatchQueue, BatchStart
from curation.ray_cluster.worker import BatchResult, ReportBatch, WorkerSpec, node_versions, run_batch
from curation.report import Report
from curation.runtime.errors import InputError, RunError

ResultT = TypeVar("ResultT")


@pytest.fixture(autouse=True)
def garbage_collector_set_back() -> Iterator[None]:
    """Set the garbage collector back: a worker keeps its own setting, and here it is built in the tests' process."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def reports(count: int) -> list[Report]:
    return [Report(f"r{number}", f"text {number}", (), {}, number + 1) for number in range(count)]


class LocalQueue:
    """A queue in the same process, with one batch."""

    def __init__(self, count: int = 4) -> None:
        self.queue = BatchQueue()
        self.payload = pickle.dumps(ReportBatch(reports(count), {}))
        run(self.queue.put(self.payload))

    def begin(self, number: int) -> BatchStart | None:
        return run(self.queue.begin(number))

    def begin_alone(self, number: int, index: int) -> bool:
        return run(self.queue.begin_alone(number, index))

    def keep(self, number: int, index: int, result: PackedOutcome) -> None:
        run(self.queue.keep(number, index, result))


def run(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    return asyncio.run(coroutine)


class Lost(BaseException):
    """The process is gone."""


class FakeWorker:
    """Packs the ids of reports, keeps a history, and dies under the ids that ``dies`` is true of."""

    def __init__(self, dies: Callable[[Sequence[str]], bool] = lambda ids: False) -> None:
        self.dies, self.history = dies, list[list[str]]()

    def __call__(self, reports: Sequence[Report], cached_answers: Mapping[bytes, Any]) -> list[PackedOutcome]:
        self.history.append([report.report_id for report in reports])
        if self.dies(self.history[-1]):
            raise Lost
        return [(report.report_id.encode(), False) for report in reports]

    def drain(self) -> str:
        return f"{len(self.history)} calls"


def run_until_done(queue: LocalQueue, worker: FakeWorker, tries: int = 100) -> BatchResult:
    """Run the batch again and again until no worker is lost, as Ray does."""
    for _ in range(tries):
        try:
            result = run_batch(0, queue.payload, queue, lambda: worker)
        except Lost:
            continue
        assert result is not None
        return result
    raise AssertionError("no end")


def test_a_batch_goes_at_once_where_no_worker_is_lost() -> None:
    queue, worker = LocalQueue(), FakeWorker()
    result = run_until_done(queue, worker)
    assert result.outcomes == [(b"r0", False), (b"r1", False), (b"r2", False), (b"r3", False)]
    assert worker.history == [["r0", "r1", "r2", "r3"]]
    assert result.update == "1 calls" and run(queue.queue.restarts()) == 0
    run(queue.queue.finish(0))
    assert run_batch(0, queue.payload, queue, lambda: worker) is None


def test_a_worker_that_is_lost_once_costs_nothing_but_time() -> None:
    queue = LocalQueue()
    worker = FakeWorker(lambda ids: len(ids) > 1)
    result = run_until_done(queue, worker)
    assert [packed for packed, _ in result.outcomes] == [b"r0", b"r1", b"r2", b"r3"]
    assert worker.history[1:] == [["r0"], ["r1"], ["r2"], ["r3"]] and run(queue.queue.restarts()) == 1


def test_a_report_that_kills_is_given_up_and_the_others_are_not_asked_again() -> None:
    queue = LocalQueue()
    worker = FakeWorker(lambda ids: "r2" in ids)
    result = run_until_done(queue, worker)
    assert [packed for packed, failed in result.outcomes if not failed] == [b"r0", b"r1", b"r3"]
    packed, failed = result.outcomes[2]
    assert failed
    refused = OutcomeColumns.unpack(packed).rows().refused[0]
    assert refused.reason == "engine_error" and f"died under this report {TRIES} times" in refused.detail
    assert worker.history == [["r0", "r1", "r2", "r3"], ["r0"], ["r1"], *[["r2"]] * TRIES, ["r3"]]


def test_workers_that_die_under_everything_end_the_run() -> None:
    result = run_until_done(LocalQueue(40), FakeWorker(lambda ids: True))
    assert isinstance(result.error, RunError) and "die under every report" in str(result.error)


@pytest.mark.parametrize("error", [RunError("no server"), InputError("no model"), EngineDown("no server")])
def test_what_ends_the_run_comes_back_as_itself(error: Exception) -> None:
    def build() -> FakeWorker:
        raise error

    queue = LocalQueue()
    result = run_batch(0, queue.payload, queue, build)
    expected = RunError if isinstance(error, EngineDown) else type(error)
    assert result is not None and type(result.error) is expected and str(result.error) == str(error)


def test_a_node_with_another_ovct_is_refused() -> None:
    assert WorkerSpec(FakeWorker).build().drain() == "0 calls"
    other_versions = node_versions() | {"ovct": "0.0.1"}
    with pytest.raises(InputError, match=r"another ovct: ovct .* for 0\.0\.1\. Install the same on every node"):
        WorkerSpec(FakeWorker, other_versions).build()
