"""The queue of batches, without Ray."""

from __future__ import annotations

import asyncio

from curation.ray_cluster.batch_queue import BatchQueue


def test_a_batch_is_taken_when_it_comes_and_is_empty_when_it_is_finished() -> None:
    async def story() -> None:
        queue = BatchQueue()
        waiting = asyncio.create_task(queue.take(1))
        await queue.put(b"first")
        assert await queue.take(0) == b"first" and not waiting.done()
        await queue.put(b"second")
        assert await waiting == b"second"
        await queue.finish(0)
        assert await queue.take(0) == b"" and await queue.take(1) == b"second" and await queue.begin(0) is None
        last = asyncio.create_task(queue.take(2))
        await asyncio.sleep(0)
        await queue.end()
        assert await last is None and await queue.take(7) is None

    asyncio.run(story())
