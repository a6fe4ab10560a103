"""What is under way: batches that workers fetch by number, and how often each was begun. Lives in an actor of its own.

Nothing here knows Ray. Methods that wait are coroutines, so that one actor serves all lanes at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

TRIES = 3
"""So often a report may be begun alone: workers that die under it so often do not die by chance."""


class Begun(NamedTuple):
    """What a worker is told when it begins a batch.

    ``alone``: go report by report, for a worker was lost under this batch before; ``known`` are results of reports, by
    their place, that an earlier try got to.
    """

    alone: bool
    known: dict[int, Any]


@dataclass
class _Batch:
    payload: bytes
    begun: int = 0
    tries: dict[int, int] = field(default_factory=dict)
    known: dict[int, Any] = field(default_factory=dict)


class Desk:
    """Batches by number, from 0 on. A batch that is done is forgotten, and looks empty to whoever asks again."""

    def __init__(self) -> None:
        self._batches: dict[int, _Batch] = {}
        self._count = 0
        self._ended = False
        self._news = asyncio.Condition()
        self._lost = 0

    async def put(self, payload: bytes) -> None:
        """The next batch."""
        self._batches[self._count] = _Batch(payload)
        self._count += 1
        await self._tell()

    async def end(self) -> None:
        """There will be no more."""
        self._ended = True
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def take(self, number: int) -> bytes | None:
        """A batch, once it is here: empty where it is done, ``None`` where there will be none."""
        async with self._news:
            await self._news.wait_for(lambda: number < self._count or self._ended)
        if number >= self._count:
            return None
        batch = self._batches.get(number)
        return batch.payload if batch else b""

    async def begin(self, number: int) -> Begun | None:
        """Say that a batch is begun; ``None`` where it is done already."""
        batch = self._batches.get(number)
        if batch is None:
            return None
        batch.begun += 1
        self._lost += batch.begun > 1
        return Begun(batch.begun > 1, batch.known)

    async def try_alone(self, number: int, place: int) -> bool:
        """Say that the report at a place is begun alone. Not when workers were lost under it ``TRIES`` times."""
        batch = self._batches.get(number)
        if batch is None:
            return True
        if batch.tries.get(place, 0) >= TRIES:
            return False
        batch.tries[place] = batch.tries.get(place, 0) + 1
        return True

    async def keep(self, number: int, place: int, result: Any) -> None:
        """The result of a report that was begun alone, so that it is not lost with the next worker."""
        if number in self._batches:
            self._batches[number].known[place] = result

    async def done(self, number: int) -> None:
        """The outcome of a batch is where it belongs."""
        self._batches.pop(number, None)

    async def lost(self) -> int:
        """How many times a batch was begun once more."""
        return self._lost
