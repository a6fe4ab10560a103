import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from curation.runtime.errors import Interrupted, RunError
from curation.runtime.processes import available_cores, ordered_results, result_of, workers
from curation.runtime.progress import StopRequest

ROOT = Path(__file__).resolve().parents[3]


def never() -> None:
    pass


def squares() -> Callable[[int], tuple[int, int]]:
    return lambda number: (number * number, os.getpid())


def broken() -> Callable[[int], int]:
    raise LookupError("no vocabulary")


def suicide(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def late(number: int) -> int:
    raise TimeoutError(f"job {number}")


@pytest.mark.parametrize("count", [0, 2])
def test_answers_come_back(count: int) -> None:
    with workers(squares, count) as pool:
        answers = [result_of(future, never) for future in [pool.submit(number) for number in range(20)]]
    assert [square for square, _ in answers] == [number * number for number in range(20)]
    processes = {process for _, process in answers}
    assert processes == {os.getpid()} if count == 0 else os.getpid() not in processes


def test_the_collector_of_garbage_is_set_back_where_the_work_is_done_in_this_process() -> None:
    before = gc.get_threshold()
    with workers(squares, 0):
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before


def test_what_goes_wrong_while_building_is_told() -> None:
    with workers(broken, 1) as pool, pytest.raises(LookupError, match="no vocabulary"):
        result_of(pool.submit(1), never)


def test_an_error_of_the_job_is_not_taken_for_waiting() -> None:
    with workers(partial(partial, late), 1) as pool, pytest.raises(TimeoutError, match="job 7"):
        result_of(pool.submit(7), never)


def test_a_worker_that_dies_ends_the_run() -> None:
    with workers(partial(partial, suicide), 1) as pool, pytest.raises(RunError, match="worker process died"):
        result_of(pool.submit(1), never)


def test_waiting_can_be_given_up() -> None:
    with StopRequest() as stop, workers(partial(partial, time.sleep), 1) as pool:
        future = pool.submit(1.0)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted):
            result_of(future, stop.raise_if_interrupted)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted_and_the_second_acts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with StopRequest() as stop:
        stop.raise_if_interrupted()
        os.kill(os.getpid(), number)
        with pytest.raises(Interrupted):
            stop.raise_if_interrupted()
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before


def times_ten(number: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(10 * number)
    return future


@pytest.mark.parametrize("count", [0, 2])
def test_ordered_results_stand_beside_their_jobs(count: int) -> None:
    with workers(squares, count) as pool:
        pairs = list(ordered_results(range(20), pool.submit, pool.ahead, never))
    assert [(job, square) for job, (square, _) in pairs] == [(number, number * number) for number in range(20)]


def test_ordered_results_wait_for_the_first_job_and_not_for_the_fastest() -> None:
    futures = [Future[str](), Future[str]()]
    futures[1].set_result("second")
    threading.Timer(0.05, futures[0].set_result, ["first"]).start()
    results = ordered_results([0, 1], futures.__getitem__, 1, never)
    assert list(results) == [(0, "first"), (1, "second")]


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_ordered_results_take_no_more_jobs_than_are_to_be_under_way(ahead: int) -> None:
    taken = list[int]()

    def jobs() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    results = ordered_results(jobs(), times_ten, ahead, never)
    assert taken == []
    for number, (job, result) in enumerate(results):
        assert (job, result) == (number, 10 * number)
        assert len(taken) == min(number + 1 + ahead, 10)


def test_ordered_results_of_no_jobs_are_none() -> None:
    assert list(ordered_results([], times_ten, 3, never)) == []


def test_an_error_of_a_job_comes_in_its_turn() -> None:
    with workers(partial(partial, late), 1) as pool:
        results = ordered_results([7, 8], pool.submit, pool.ahead, never)
        with pytest.raises(TimeoutError, match="job 7"):
            next(results)


def test_ordered_results_can_be_given_up() -> None:
    checks = list[int]()

    def check() -> None:
        checks.append(1)
        if len(checks) == 3:
            raise Interrupted

    unfinished = list[Future[int]]()

    def submit(number: int) -> Future[int]:
        unfinished.append(Future())
        return unfinished[-1]

    with pytest.raises(Interrupted):
        next(ordered_results(range(9), submit, 1, check))
    assert len(unfinished) == 2, "two jobs are under way, and the first is being waited for"


def test_cores() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


def test_a_script_that_does_not_ask_for_its_own_name_is_told(tmp_path: Path) -> None:
    """Each worker imports the script that started it, which would start workers again."""
    script = tmp_path / "script.py"
    script.write_text(
        "from curation.runtime.processes import result_of, workers\n"
        "from tests.curation.runtime.test_processes import squares\n"
        "with workers(squares, 1) as pool:\n"
        "    result_of(pool.submit(1), lambda: None)\n"
    )
    done = subprocess.run([sys.executable, str(script)], cwd=ROOT, capture_output=True, text=True)
    assert f"RunError: the worker processes import {script}" in done.stderr
