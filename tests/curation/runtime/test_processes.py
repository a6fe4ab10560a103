import os
import signal
import time
from collections.abc import Callable
from functools import partial

import pytest

from curation.runtime.errors import Interrupted, RunError
from curation.runtime.processes import available_cores, result_of, workers
from curation.runtime.progress import StopRequest


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


def test_cores() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
