"""The two stages of the Ray Data job: lanes that fetch batches from the desk, and workers."""

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

from .batch_queue import Begun
from .worker import Labour, Packed, Trade, work

_BATCHES = pa.schema([("number", pa.int64()), ("payload", pa.large_binary())])
_DONE = pa.schema([("number", pa.int64()), ("done", pa.large_binary())])
_labour: tuple[bytes, Labour] | None = None


class Lanes(Datasource):
    """A stream of batches, in so many lanes: lane k has the numbers k, k + lanes, and so on, until the desk ends.

    A lane that is started again asks for the same numbers; what is done by then is empty.
    """

    def __init__(self, desk: Any, lanes: int) -> None:
        self._desk, self._lanes = desk, lanes

    def estimate_inmemory_data_size(self) -> int | None:
        """Nobody knows."""
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None
    ) -> list[ReadTask]:
        """One for each lane."""
        nothing = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(_lane(self._desk, lane, self._lanes), nothing) for lane in range(self._lanes)]


def _lane(desk: Any, first: int, lanes: int) -> Callable[[], Iterator[pa.Table]]:
    def read() -> Iterator[pa.Table]:
        number = first
        while (payload := ray.get(desk.take.remote(number))) is not None:
            yield pa.table([[number], [payload]], schema=_BATCHES)
            number += lanes

    return read


class _Desk:
    """The desk, called from a worker."""

    def __init__(self, desk: Any) -> None:
        self._desk = desk

    def begin(self, number: int) -> Begun | None:
        """See ``Desk``."""
        begun: Begun | None = ray.get(self._desk.begin.remote(number))
        return begun

    def try_alone(self, number: int, place: int) -> bool:
        """See ``Desk``."""
        return bool(ray.get(self._desk.try_alone.remote(number, place)))

    def keep(self, number: int, place: int, result: Packed) -> None:
        """See ``Desk``."""
        ray.get(self._desk.keep.remote(number, place, result))


def _worked(batches: pa.Table, desk: Any, labour: Callable[[], Labour]) -> pa.Table:
    numbers, found = [], []
    for number, payload in zip(batches["number"].to_pylist(), batches["payload"].to_pylist(), strict=True):
        done = work(number, payload, _Desk(desk), labour) if payload else None
        if done is not None:
            numbers.append(number)
            found.append(pickle.dumps(done))
    return pa.table([numbers, found], schema=_DONE)


class TaskWork:
    """Batches by tasks. A process that Ray uses again for the same trade has its tools already."""

    def __init__(self, desk: Any, trade: Any) -> None:
        self._desk, self._trade = desk, trade

    def __call__(self, batches: pa.Table) -> pa.Table:
        """Outcomes of the batches in a block."""
        return _worked(batches, self._desk, self._labour)

    def _labour(self) -> Labour:
        global _labour
        known = self._trade.binary()
        if _labour is None or _labour[0] != known:
            trade: Trade = ray.get(self._trade)
            _labour = known, trade.labour()
        return _labour[1]


class ActorWork:
    """Batches by an actor, which keeps its engine. The engine is loaded with the first batch, so that what goes wrong
    is told as itself.
    """

    def __init__(self, desk: Any, trade: Trade) -> None:
        self._desk, self._trade = desk, trade
        self._lock = threading.Lock()
        self._labour: Labour | None = None

    def __call__(self, batches: pa.Table) -> pa.Table:
        """Outcomes of the batches in a block."""
        return _worked(batches, self._desk, self._learned)

    def _learned(self) -> Labour:
        with self._lock:
            if self._labour is None:
                self._labour = self._trade.labour()
        return self._labour
