"""The pool that sends batches of reports to a Ray cluster: one streaming Ray Data job for the whole run."""

from __future__ import annotations

import pickle
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from curation.extraction.recipe import PackedOutcome
from curation.report import Report
from curation.runtime.errors import RunError

from .batch_queue import BatchQueue
from .worker import BatchResult, ReportBatch, WorkerSpec

READ_TASKS = 2
AHEAD = 4
"""Batches under way for each worker: enough to go on while one batch is tried again."""


@dataclass(frozen=True)
class Placement:
    """Where the work is done: in ``workers`` tasks at a time, or in as many ``actors`` that each keep an engine.

    An actor takes ``gpus`` GPUs and works on ``batches_at_once`` batches at a time.
    """

    workers: int
    actors: bool = False
    gpus: int = 0
    batches_at_once: int = 1


class RayPool:
    """Sends batches to the cluster. Built and closed by ``curation.ray_cluster.recipe``.

    ``cached_answers`` returns a model's answers about a report that an earlier run got; ``on_update`` receives what
    workers report beside outcomes, in the thread that collects results.
    """

    def __init__(
        self,
        ray: Any,
        spec: WorkerSpec,
        placement: Placement,
        cached_answers: Callable[[Report], Mapping[bytes, Any]] = lambda report: {},
        on_update: Callable[[Any], None] = lambda update: None,
    ) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ahead = AHEAD * placement.workers * placement.batches_at_once
        self._ray = ray
        self._cached_answers = cached_answers
        self._on_update = on_update
        self._error: Exception | None = None
        self._futures: dict[int, Future[list[PackedOutcome]]] = {}
        self._count = 0
        self._lock = threading.Lock()
        # Beside this process, so that no other machine can take it down.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._queue = ray.remote(num_cpus=0, max_concurrency=1000, scheduling_strategy=here)(BatchQueue).remote()
        self._job = _job(ray, self._queue, spec, placement)
        self._thread = threading.Thread(target=self._collect, name="ray", daemon=True)
        self._thread.start()

    def submit(self, reports: list[Report]) -> Future[list[PackedOutcome]]:
        """Begin a batch. Raises ``RunError`` if the cluster is lost."""
        answers: dict[bytes, Any] = {}
        for report in reports:
            answers.update(self._cached_answers(report))
        future: Future[list[PackedOutcome]] = Future()
        with self._lock:
            if self._error is not None:
                raise self._error
            self._futures[self._count] = future
            self._count += 1
        try:
            self._ray.get(self._queue.put.remote(pickle.dumps(ReportBatch(reports, answers))))
        except self._ray.exceptions.RayError as error:
            raise _lost(error) from error
        return future

    def restarts(self) -> int:
        """Return how many times a batch was begun again because its worker was lost."""
        try:
            return int(self._ray.get(self._queue.restarts.remote(), timeout=5))
        except self._ray.exceptions.RayError:
            return 0

    def close(self, *, finished: bool) -> None:
        """End the job: when all is ``finished`` by letting it run out, otherwise at once."""
        if finished and self._error is None:
            self._ray.get(self._queue.end.remote())
            self._thread.join(timeout=60)
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._queue)
        self._thread.join(timeout=10)

    def _collect(self) -> None:
        """Deliver results until the job ends; batches that are under way then get its error."""
        try:
            for number, result in _results(self._job):
                self._deliver(number, result)
            error: Exception = RunError("the Ray job ended before the run did; run the same command again to go on")
        except Exception as failure:
            error = _lost(failure)
        with self._lock:
            self._error, unfinished = error, list(self._futures.values())
            self._futures.clear()
        for future in unfinished:
            future.set_exception(error)

    def _deliver(self, number: int, result: BatchResult) -> None:
        self._queue.finish.remote(number)
        with self._lock:
            future = self._futures.pop(number, None)
        if future is None:  # Ray has worked on it twice
            return
        if result.error is not None:
            future.set_exception(result.error)
            return
        if result.update is not None:
            self._on_update(result.update)
        future.set_result(result.outcomes)


def _lost(error: Exception) -> RunError:
    lines = str(error).strip().splitlines()
    return RunError(
        f"the Ray cluster is lost or cannot go on ({lines[-1] if lines else type(error).__name__}); what is finished "
        "stays, and the same command goes on from there"
    )


# Each batch is a row and a block of its own, so that none waits for others to make up a larger one.
_DATA_SETTINGS: dict[str, Any] = {
    "target_max_block_size": 1,
    "target_min_block_size": 1,
    "enable_progress_bars": False,
    "print_on_execution_start": False,
}


def _job(ray: Any, queue: Any, spec: WorkerSpec, placement: Placement) -> Any:
    """Build the job, without starting it."""
    from ray.data import ActorPoolStrategy, DataContext, read_datasource

    from .tasks import ActorStage, QueuedBatches, TaskStage

    context = DataContext.get_current()
    before = {name: getattr(context, name) for name in _DATA_SETTINGS}
    blocks: dict[str, Any] = {"batch_size": None, "batch_format": "pyarrow", "zero_copy_batch": True, "num_cpus": 1}
    try:
        for name, value in _DATA_SETTINGS.items():
            setattr(context, name, value)
        batches = read_datasource(QueuedBatches(queue, READ_TASKS), override_num_blocks=READ_TASKS, num_cpus=0)
        if not placement.actors:
            return batches.map_batches(TaskStage(queue, ray.put(spec)), concurrency=placement.workers, **blocks)
        with warnings.catch_warnings():
            # Ray 2.60 knows no other way to have an actor work on two blocks at once; see pyproject.toml.
            warnings.filterwarnings("ignore", ".*ray_remote_args.*")
            in_flight = 2 * placement.batches_at_once
            return batches.map_batches(
                ActorStage,
                fn_constructor_args=(queue, spec),
                compute=ActorPoolStrategy(size=placement.workers, max_tasks_in_flight_per_actor=in_flight),
                num_gpus=placement.gpus or None,
                max_concurrency=placement.batches_at_once,
                **blocks,
            )
    finally:
        for name, value in before.items():
            setattr(context, name, value)


def _results(job: Any) -> Iterator[tuple[int, BatchResult]]:
    """Run the job and yield results as they come, each with the number of its batch."""
    # Any prefetching would hold an outcome back until another one is there.
    for table in job.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        for number, result in zip(table["number"].to_pylist(), table["result"].to_pylist(), strict=True):
            yield number, pickle.loads(result)
