"""The two stages of the Ray Data job: read tasks that take batches from the queue, and workers that run them."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import ray
from ray.data import Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask

from curation.extraction.recipe import PackedOutcome

from .batch_queue import BatchStart
from .worker import BatchWorker, WorkerSpec, run_batch

_BATCHES = pa.schema([("number", pa.int64()), ("payload", pa.large_binary())])
_RESULTS = pa.schema([("number", pa.int64()), ("result", pa.large_binary())])
_worker: tuple[bytes, BatchWorker] | None = None


class QueuedBatches(Datasource):
    """Streams batches from the queue by ``tasks`` read tasks, until the queue ends.

    Task k reads the numbers k, k + tasks, and so on. A task that is started again asks for the same numbers; of what is
    finished by then it gets an empty payload.
    """

    def __init__(self, queue: Any, tasks: int) -> None:
        self._queue, self._tasks = queue, tasks

    def estimate_inmemory_data_size(self) -> int | None:
        """Return None: the size is unknown."""
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None
    ) -> list[ReadTask]:
        """Return the read tasks."""
        unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(_reader(self._queue, first, self._tasks), unknown) for first in range(self._tasks)]


def _reader(queue: Any, first: int, step: int) -> Callable[[], Iterator[pa.Table]]:
    def read() -> Iterator[pa.Table]:
        number = first
        while (payload := ray.get(queue.take.remote(number))) is not None:
            yield pa.table([[number], [payload]], schema=_BATCHES)
            number += step

    return read


class _RemoteQueue:
    """Calls the queue's actor from a worker."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def begin(self, number: int) -> BatchStart | None:
        """Call ``BatchQueue.begin``."""
        start: BatchStart | None = ray.get(self._queue.begin.remote(number))
        return start

    def begin_alone(self, number: int, index: int) -> bool:
        """Call ``BatchQueue.begin_alone``."""
        return bool(ray.get(self._queue.begin_alone.remote(number, index)))

    def keep(self, number: int, index: int, result: PackedOutcome) -> None:
        """Call ``BatchQueue.keep``."""
        ray.get(self._queue.keep.remote(number, index, result))


def _run_batches(batches: pa.Table, queue: Any, worker: Callable[[], BatchWorker]) -> pa.Table:
    numbers, results = [], []
    for number, payload in zip(batches["number"].to_pylist(), batches["payload"].to_pylist(), strict=True):
        result = run_batch(number, payload, _RemoteQueue(queue), worker) if payload else None
        if result is not None:
            numbers.append(number)
            results.append(pickle.dumps(result))
    return pa.table([numbers, results], schema=_RESULTS)


class TaskStage:
    """Runs batches as tasks. A process that Ray uses again for the same run has built its worker already."""

    def __init__(self, queue: Any, spec: Any) -> None:
        self._queue, self._spec = queue, spec

    def __call__(self, batches: pa.Table) -> pa.Table:
        """Return the results of the batches in a block."""
        return _run_batches(batches, self._queue, self._build_once)

    def _build_once(self) -> BatchWorker:
        global _worker
        spec_id = self._spec.binary()
        if _worker is None or _worker[0] != spec_id:
            spec: WorkerSpec = ray.get(self._spec)
            _worker = spec_id, spec.build()
        return _worker[1]


class ActorStage:
    """Runs batches in an actor, which keeps its engine.

    The engine is loaded with the first batch, so that an error of loading comes back as a result.
    """

    def __init__(self, queue: Any, spec: WorkerSpec) -> None:
        self._queue, self._spec = queue, spec
        self._lock = threading.Lock()
        self._worker: BatchWorker | None = None

    def __call__(self, batches: pa.Table) -> pa.Table:
        """Return the results of the batches in a block."""
        return _run_batches(batches, self._queue, self._build_once)

    def _build_once(self) -> BatchWorker:
        with self._lock:
            if self._worker is None:
                self._worker = self._spec.build()
        return self._worker
