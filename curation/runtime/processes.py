"""Worker processes: each builds its worker once and runs jobs with it; none outlives the run that started it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, TypeVar

from .errors import RunError

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")
Worker = Callable[[JobT], ResultT]


def available_cores() -> int:
    """Return how many cores this process may use: in a container or a batch job fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_build: Callable[[], Worker[Any, Any]] | None = None
_worker: Worker[Any, Any] | None = None


def collect_garbage_less_often() -> None:
    """Let the garbage collector run less often: what a worker keeps from report to report is no garbage.

    Looking for garbage in it takes a fifth of the time.
    """
    gc.set_threshold(100_000, 50, 50)


@contextmanager
def garbage_collected_less_often() -> Iterator[None]:
    """Let the garbage collector of this process run less often meanwhile."""
    before = gc.get_threshold()
    collect_garbage_less_often()
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _initialise(build: Callable[[], Worker[Any, Any]]) -> None:
    global _build
    _build = build
    collect_garbage_less_often()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent decides
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _run(job: Any) -> Any:
    global _worker
    if _worker is None:  # built here and not in _initialise, so that the parent gets the error that building raises
        assert _build is not None
        _worker = _build()
    result = _worker(job)
    gc.freeze()  # what it keeps is no garbage later on either
    return result


AHEAD = 4
"""Jobs under way for each process: enough to keep it busy while its results are being written."""


class Inline:
    """Runs jobs in this process, each as soon as it is submitted: for inputs too small to start processes for."""

    ahead = 0

    def __init__(self, build: Callable[[], Worker[JobT, ResultT]]) -> None:
        self._worker = build()

    def submit(self, job: Any) -> Future[Any]:
        """Run the job now and return a finished future. Raises what the worker raises."""
        future: Future[Any] = Future()
        future.set_result(self._worker(job))
        return future


class Processes:
    """Runs jobs in a pool of processes, each spawned and never forked: the parent may hold threads and locks."""

    def __init__(self, build: Callable[[], Worker[JobT, ResultT]], count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.ahead = AHEAD * count
        self.pool = ProcessPoolExecutor(count, context, initializer=_initialise, initargs=(build,))

    def submit(self, job: Any) -> Future[Any]:
        """Hand a job to the next free process. Raises ``RunError`` if a worker process has died.

        A process is started here when all are busy. It inherits the blocked SIGINT, so that Ctrl-C does not kill it
        while it is still importing.
        """
        with _interrupts_held_back():
            try:
                return self.pool.submit(_run, job)
            except BrokenProcessPool as error:
                raise _lost_worker() from error


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Block SIGINT in this thread meanwhile; Windows cannot, and Ctrl-C there ends a process that still imports."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _lost_worker() -> RunError:
    if script := _unguarded_script():
        return RunError(
            f"the worker processes import {script}, and would run it again: put what it does under "
            '`if __name__ == "__main__":`'
        )
    return RunError(
        "a worker process died (killed, or out of memory?); run the same command again, or with fewer --workers"
    )


def _unguarded_script() -> str | None:
    """Return the script that is run where it does not ask for its own name, as one that starts processes has to."""
    path = getattr(sys.modules["__main__"], "__file__", None)
    if path is None or getattr(sys.modules["__main__"], "__spec__", None) is not None:
        return None
    try:
        text = Path(path).read_text(encoding="utf-8", errors="ignore")
    except OSError:
        return None
    return None if "__main__" in text else path


@contextmanager
def workers(build: Callable[[], Worker[JobT, ResultT]], count: int) -> Iterator[Inline | Processes]:
    """Yield a pool of ``count`` processes, or of this one with 0. Jobs not yet begun are dropped at the end."""
    if count == 0:
        with garbage_collected_less_often():
            yield Inline(build)
        return
    processes = Processes(build, count)
    try:
        yield processes
    finally:
        processes.pool.shutdown(wait=True, cancel_futures=True)


def result_of(future: Future[ResultT], check: Callable[[], None]) -> ResultT:
    """Wait for a future and return its result; ``check`` is called meanwhile and may raise to give up."""
    while not future.done():
        wait_for([future], timeout=0.2)
        check()
    try:
        return future.result()
    except BrokenProcessPool as error:
        check()  # a signal to the whole process group reaches workers too: then it is a stop, not a loss
        raise _lost_worker() from error


def in_thread(request: Callable[[], ResultT], check: Callable[[], None]) -> ResultT:
    """Return the result of a request that may take long, from a thread that nobody joins.

    ``check`` is called meanwhile and may raise to give up: an interruption does not wait for a slow server.
    """
    future: Future[ResultT] = Future()

    def call() -> None:
        try:
            future.set_result(request())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=call, name="request", daemon=True).start()
    return result_of(future, check)


def ordered_results(
    jobs: Iterable[JobT],
    submit: Callable[[JobT], Future[ResultT]],
    ahead: int,
    check: Callable[[], None],
) -> Iterator[tuple[JobT, ResultT]]:
    """Submit jobs and yield each with its result, in the order of the jobs.

    ``ahead`` jobs are under way before the first result is awaited; the next job is taken from ``jobs`` only when the
    result before it has been consumed, so memory does not grow with the input. ``check`` is called before each job and
    while a result is awaited, and may raise to give up.
    """
    window: deque[tuple[JobT, Future[ResultT]]] = deque()
    for job in jobs:
        check()
        window.append((job, submit(job)))
        if len(window) > ahead:
            yield _first_result(window, check)
    while window:
        yield _first_result(window, check)


def _first_result(window: deque[tuple[JobT, Future[ResultT]]], check: Callable[[], None]) -> tuple[JobT, ResultT]:
    job, future = window.popleft()
    return job, result_of(future, check)
