"""Worker processes: each builds its tools once and answers jobs; none outlives the run that started it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, TypeVar

from .errors import RunError

Job = TypeVar("Job")
Answer = TypeVar("Answer")
Worker = Callable[[Job], Answer]


def available_cores() -> int:
    """Cores this process may use, which in a container or a batch job are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_build: Callable[[], Worker[Any, Any]] | None = None
_worker: Worker[Any, Any] | None = None


def _start(build: Callable[[], Worker[Any, Any]]) -> None:
    global _build
    _build = build
    gc.set_threshold(100_000, 50, 50)  # what is kept from report to report is no garbage; looking for it takes a third
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent decides
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _answer(job: Any) -> Any:
    global _worker
    if _worker is None:  # built here and not in _start, so that what goes wrong reaches the parent as itself
        assert _build is not None
        _worker = _build()
    return _worker(job)


AHEAD = 4
"""Jobs under way for each process: enough to keep it busy while its results are being written."""


class Inline:
    """No processes: a job is done when it is handed in. For inputs too small to be worth starting any."""

    ahead = 0

    def __init__(self, build: Callable[[], Worker[Job, Answer]]) -> None:
        self._worker = build()

    def submit(self, job: Any) -> Future[Any]:
        """Do the job now."""
        future: Future[Any] = Future()
        future.set_result(self._worker(job))
        return future


class Processes:
    """A pool of processes, each started afresh (never forked: the parent may hold threads and locks)."""

    def __init__(self, build: Callable[[], Worker[Job, Answer]], count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.ahead = AHEAD * count
        self.pool = ProcessPoolExecutor(count, context, initializer=_start, initargs=(build,))

    def submit(self, job: Any) -> Future[Any]:
        """Hand a job to the next free process.

        A process is started here when all are busy. It inherits the blocked SIGINT, so that Ctrl-C does not kill it
        while it is still importing.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self.pool.submit(_answer, job)
        except BrokenProcessPool as error:
            raise _lost_worker() from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _lost_worker() -> RunError:
    return RunError(
        "a worker process died (killed, or out of memory?); run the same command again, or with fewer --workers"
    )


@contextmanager
def workers(build: Callable[[], Worker[Job, Answer]], count: int) -> Iterator[Inline | Processes]:
    """``count`` processes, or with 0 this one. Jobs not yet begun are dropped when the block ends."""
    if count == 0:
        yield Inline(build)
        return
    processes = Processes(build, count)
    try:
        yield processes
    finally:
        processes.pool.shutdown(wait=True, cancel_futures=True)


def result_of(future: Future[Answer], check: Callable[[], None]) -> Answer:
    """The future's result; ``check`` is called while it is awaited and may raise to give up."""
    while not future.done():
        wait_for([future], timeout=0.2)
        check()
    try:
        return future.result()
    except BrokenProcessPool as error:
        check()  # a signal to the whole process group reaches workers too: then it is a stop, not a loss
        raise _lost_worker() from error
