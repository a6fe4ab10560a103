"""The queue of batches under way: workers take them by number; it counts how often each was begun.

It lives in an actor of its own, but nothing here knows Ray. Methods that wait are coroutines, so that one actor serves
all read tasks and workers at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

TRIES = 3
"""A report may be begun alone so often: workers that die under it every time do not die by chance."""


class BatchStart(NamedTuple):
    """How a worker is to work on a batch that it begins.

    ``one_by_one``: report by report, because a worker was lost under this batch before. ``results`` has what earlier
    tries got, by the index of the report in the batch.
    """

    one_by_one: bool
    results: dict[int, Any]


@dataclass
class _QueuedBatch:
    """A batch with the number of times it was begun, and by a report's index the tries and results of it alone."""

    payload: bytes
    starts: int = 0
    tries: dict[int, int] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)


class BatchQueue:
    """Holds batches by number, from 0 on, until they are finished."""

    def __init__(self) -> None:
        self._batches: dict[int, _QueuedBatch] = {}
        self._count = 0
        self._ended = False
        self._changed = asyncio.Condition()
        self._restarts = 0

    async def put(self, payload: bytes) -> None:
        """Add the next batch."""
        self._batches[self._count] = _QueuedBatch(payload)
        self._count += 1
        await self._notify()

    async def end(self) -> None:
        """Declare that no more batches will come."""
        self._ended = True
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def take(self, number: int) -> bytes | None:
        """Wait for a batch and return it: ``b""`` if it is finished, ``None`` if there will be no such batch."""
        async with self._changed:
            await self._changed.wait_for(lambda: number < self._count or self._ended)
        if number >= self._count:
            return None
        batch = self._batches.get(number)
        return batch.payload if batch else b""

    async def begin(self, number: int) -> BatchStart | None:
        """Count that a worker begins a batch, and return how to work on it; ``None`` if it is finished."""
        batch = self._batches.get(number)
        if batch is None:
            return None
        batch.starts += 1
        self._restarts += batch.starts > 1
        return BatchStart(batch.starts > 1, batch.results)

    async def begin_alone(self, number: int, index: int) -> bool:
        """Count that a report is begun alone; return False if workers were lost under it ``TRIES`` times."""
        batch = self._batches.get(number)
        if batch is None:
            return True
        if batch.tries.get(index, 0) >= TRIES:
            return False
        batch.tries[index] = batch.tries.get(index, 0) + 1
        return True

    async def keep(self, number: int, index: int, result: Any) -> None:
        """Keep the result of a report that was begun alone, so that it is not lost with the next worker."""
        if number in self._batches:
            self._batches[number].results[index] = result

    async def finish(self, number: int) -> None:
        """Remove a batch whose outcome has arrived."""
        self._batches.pop(number, None)

    async def restarts(self) -> int:
        """Return how many times a batch was begun again because its worker was lost."""
        return self._restarts
