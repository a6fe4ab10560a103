"""Runs threads beside the main one: an event loop with a chat engine, and a worker that does not block the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from curation.engines.chat import ChatEngine
from curation.runtime.processes import Inline, result_of

ResultT = TypeVar("ResultT")


class EngineThread:
    """Runs an event loop in a thread, and the engine that lives in the loop.

    ``connect`` makes the engine; ``check`` is called meanwhile and may raise to give up. Raises what ``connect`` does.
    """

    def __init__(self, connect: Callable[[], Awaitable[ChatEngine]], check: Callable[[], None]) -> None:
        self.second_engine: ChatEngine | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chats", daemon=True)
        self._thread.start()
        try:
            self.engine = result_of(self.begin(_connect(connect)), check)
        except BaseException:
            self.cancel_all()
            self._stop_loop()
            raise

    def add_second(self, connect: Callable[[], Awaitable[ChatEngine]], check: Callable[[], None]) -> None:
        """Make a second engine in the same loop, as the first one was made."""
        self.second_engine = result_of(self.begin(_connect(connect)), check)

    def begin(self, work: Coroutine[Any, Any, ResultT]) -> Future[ResultT]:
        """Begin some work in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, function: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Call a function in the loop's thread and return its result."""

        async def call_function() -> ResultT:
            return function(*arguments)

        return self.begin(call_function()).result()

    def cancel_all(self) -> None:
        """Cancel all work under way."""
        self.begin(_cancel_other_tasks()).result()

    def close(self) -> None:
        """Cancel all work under way and close the engine."""
        try:
            self.cancel_all()
            for engine in filter(None, (self.engine, self.second_engine)):
                self.begin(engine.close()).result()
        finally:
            self._stop_loop()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def results_as_they_come(
    thread: EngineThread, jobs: Iterable[Coroutine[Any, Any, ResultT]], check: Callable[[], None]
) -> Iterator[ResultT]:
    """Run jobs in the loop, a few at a time, and yield their results in no particular order.

    ``check`` is called meanwhile and may raise. Raises what a job does.
    """
    done: SimpleQueue[Future[ResultT]] = SimpleQueue()
    under_way, limit = 0, 2 * thread.engine.in_flight  # while the model works on some, as many again are made ready
    for job in jobs:
        thread.begin(job).add_done_callback(done.put)
        under_way += 1
        check()
        while under_way >= limit or not done.empty():
            yield _next_result(done, check)
            under_way -= 1
    for _ in range(under_way):
        yield _next_result(done, check)


def _next_result(done: SimpleQueue[Future[ResultT]], check: Callable[[], None]) -> ResultT:
    while True:
        check()
        try:
            return done.get(timeout=0.2).result()
        except Empty:
            continue


async def _connect(connect: Callable[[], Awaitable[ChatEngine]]) -> ChatEngine:
    return await connect()


async def _cancel_other_tasks() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class ThreadedWorker:
    """Runs a worker of this process in a thread, so that it does not block the event loop."""

    ahead = 0

    def __init__(self, thread: ThreadPoolExecutor, worker: Inline) -> None:
        self._thread = thread
        self._worker = worker

    def submit(self, job: Any) -> Future[Any]:
        """Begin a job."""
        return self._thread.submit(lambda: self._worker.submit(job).result())
