"""Batches of reports to a Ray cluster and back: one streaming Ray Data job for the whole run."""

from __future__ import annotations

import pickle
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from curation.report import Report
from curation.runtime.errors import RunError

from .batch_queue import Desk
from .worker import Batch, Done, Packed, Trade

LANES = 2
AHEAD = 4
"""Batches under way for each worker: enough to go on while one batch is tried again."""


@dataclass(frozen=True)
class Places:
    """Where the work is done: in so many tasks at a time, or in so many actors that each keep an engine.

    ``at_once`` batches are worked on by an actor at a time.
    """

    workers: int
    actors: bool = False
    gpus: int = 0
    at_once: int = 1


class RayPool:
    """Hands batches to the cluster. Made and closed by ``curation.ray_cluster.recipe``."""

    def __init__(
        self,
        ray: Any,
        trade: Trade,
        places: Places,
        known: Callable[[Report], Mapping[bytes, Any]],
        told: Callable[[Any], None],
    ) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ahead = AHEAD * places.workers * places.at_once
        self._ray = ray
        self._known = known
        self._told = told
        self._error: Exception | None = None
        self._futures: dict[int, Future[list[Packed]]] = {}
        self._count = 0
        self._lock = threading.Lock()
        # Beside this process, so that no other machine can take it down.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._desk = ray.remote(num_cpus=0, max_concurrency=1000, scheduling_strategy=here)(Desk).remote()
        self._job = _job(ray, self._desk, trade, places)
        self._thread = threading.Thread(target=self._collect, name="ray", daemon=True)
        self._thread.start()

    def submit(self, reports: list[Report]) -> Future[list[Packed]]:
        """Begin a batch. Raises ``RunError`` where the cluster is lost."""
        known: dict[bytes, Any] = {}
        for report in reports:
            known.update(self._known(report))
        future: Future[list[Packed]] = Future()
        with self._lock:
            if self._error is not None:
                raise self._error
            self._futures[self._count] = future
            self._count += 1
        try:
            self._ray.get(self._desk.put.remote(pickle.dumps(Batch(reports, known))))
        except self._ray.exceptions.RayError as error:
            raise _lost(error) from error
        return future

    def lost(self) -> int:
        """How many times a batch was begun once more, for its worker was lost."""
        try:
            return int(self._ray.get(self._desk.lost.remote(), timeout=5))
        except self._ray.exceptions.RayError:
            return 0

    def close(self, *, finished: bool) -> None:
        """End the job: where all is ``finished`` by letting it run out, else at once."""
        if finished and self._error is None:
            self._ray.get(self._desk.end.remote())
            self._thread.join(timeout=60)
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._desk)
        self._thread.join(timeout=10)

    def _collect(self) -> None:
        try:
            for number, done in _outcomes(self._job):
                self._settle(number, done)
            error: Exception = RunError("the Ray job ended before the run did; run the same command again to go on")
        except Exception as found:
            error = _lost(found)
        with self._lock:
            self._error, left = error, list(self._futures.values())
            self._futures.clear()
        for future in left:
            future.set_exception(error)

    def _settle(self, number: int, done: Done) -> None:
        self._desk.done.remote(number)
        with self._lock:
            future = self._futures.pop(number, None)
        if future is None:  # Ray has worked on it twice
            return
        if done.error is not None:
            future.set_exception(done.error)
            return
        if done.more is not None:
            self._told(done.more)
        future.set_result(done.packed)


def _lost(error: Exception) -> RunError:
    said = str(error).strip().splitlines()
    return RunError(
        f"the Ray cluster is lost or cannot go on ({said[-1] if said else type(error).__name__}); what is finished "
        "stays, and the same command goes on from there"
    )


def _job(ray: Any, desk: Any, trade: Trade, places: Places) -> Any:
    """The job, as yet unstarted."""
    from ray.data import ActorPoolStrategy, DataContext, read_datasource

    from .tasks import ActorWork, Lanes, TaskWork

    context = DataContext.get_current()
    before = {name: getattr(context, name) for name in _SETTINGS}
    whole: dict[str, Any] = {"batch_size": None, "batch_format": "pyarrow", "zero_copy_batch": True, "num_cpus": 1}
    try:
        for name, value in _SETTINGS.items():
            setattr(context, name, value)
        batches = read_datasource(Lanes(desk, LANES), override_num_blocks=LANES, num_cpus=0)
        if not places.actors:
            return batches.map_batches(TaskWork(desk, ray.put(trade)), concurrency=places.workers, **whole)
        with warnings.catch_warnings():
            # Ray 2.60 knows no other way to have an actor work on two blocks at once; see pyproject.toml.
            warnings.filterwarnings("ignore", ".*ray_remote_args.*")
            return batches.map_batches(
                ActorWork,
                fn_constructor_args=(desk, trade),
                compute=ActorPoolStrategy(size=places.workers, max_tasks_in_flight_per_actor=2 * places.at_once),
                num_gpus=places.gpus or None,
                max_concurrency=places.at_once,
                **whole,
            )
    finally:
        for name, value in before.items():
            setattr(context, name, value)


def _outcomes(job: Any) -> Iterator[tuple[int, Done]]:
    """Outcomes as they come, by the number of their batch."""
    # Any prefetching would hold an outcome back until another one is there.
    for table in job.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        for number, packed in zip(table["number"].to_pylist(), table["done"].to_pylist(), strict=True):
            yield number, pickle.loads(packed)


# Each batch is a row and a block of its own, so that none waits for others to make up a larger one.
_SETTINGS: dict[str, Any] = {
    "target_max_block_size": 1,
    "target_min_block_size": 1,
    "enable_progress_bars": False,
    "print_on_execution_start": False,
}
