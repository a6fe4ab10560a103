"""Batches under way and what is known of them, and a worker's part, without Ray."""

from __future__ import annotations

import asyncio
import pickle
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import pytest

from curation.caption import OutcomeColumns
from curation.engines.chat import EngineDown
from curation.ray_cluster.batch_queue import TRIES, Begun, Desk
from curation.ray_cluster.recipe import connected
from curation.ray_cluster.worker import Batch, Done, Packed, Trade, versions, work
from curation.report import Report
from curation.runtime.errors import InputError, RunError

Result = TypeVar("Result")


def reports(count: int) -> list[Report]:
    return [Report(f"r{number}", f"text {number}", (), {}, number + 1) for number in range(count)]


class Near:
    """A desk in the same process."""

    def __init__(self, count: int = 4) -> None:
        self.desk = Desk()
        self.payload = pickle.dumps(Batch(reports(count), {}))
        run(self.desk.put(self.payload))

    def begin(self, number: int) -> Begun | None:
        return run(self.desk.begin(number))

    def try_alone(self, number: int, place: int) -> bool:
        return run(self.desk.try_alone(number, place))

    def keep(self, number: int, place: int, result: Packed) -> None:
        run(self.desk.keep(number, place, result))


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(coroutine)


class Lost(BaseException):
    """The process is gone."""


class Hand:
    """Packs the ids of reports; dies under those that it is told to."""

    def __init__(self, dies: Callable[[Sequence[str]], bool] = lambda ids: False) -> None:
        self.dies, self.asked = dies, list[list[str]]()

    def __call__(self, reports: Sequence[Report], known: Mapping[bytes, Any]) -> list[Packed]:
        self.asked.append([report.report_id for report in reports])
        if self.dies(self.asked[-1]):
            raise Lost
        return [(report.report_id.encode(), False) for report in reports]

    def drain(self) -> str:
        return f"{len(self.asked)} calls"


def worked(near: Near, hand: Hand, tries: int = 100) -> Done:
    """As Ray has it: again and again until no worker is lost."""
    for _ in range(tries):
        try:
            done = work(0, near.payload, near, lambda: hand)
        except Lost:
            continue
        assert done is not None
        return done
    raise AssertionError("no end")


def test_a_batch_is_taken_when_it_comes_and_looks_empty_when_it_is_done() -> None:
    async def story() -> None:
        desk = Desk()
        waiting = asyncio.create_task(desk.take(1))
        await desk.put(b"first")
        assert await desk.take(0) == b"first" and not waiting.done()
        await desk.put(b"second")
        assert await waiting == b"second"
        await desk.done(0)
        assert await desk.take(0) == b"" and await desk.take(1) == b"second" and await desk.begin(0) is None
        last = asyncio.create_task(desk.take(2))
        await asyncio.sleep(0)
        await desk.end()
        assert await last is None and await desk.take(7) is None

    asyncio.run(story())


def test_a_batch_goes_at_once_where_no_worker_is_lost() -> None:
    near, hand = Near(), Hand()
    done = worked(near, hand)
    assert done.packed == [(b"r0", False), (b"r1", False), (b"r2", False), (b"r3", False)]
    assert hand.asked == [["r0", "r1", "r2", "r3"]] and done.more == "1 calls" and run(near.desk.lost()) == 0
    run(near.desk.done(0))
    assert work(0, near.payload, near, lambda: hand) is None


def test_a_worker_that_is_lost_once_costs_nothing_but_time() -> None:
    near = Near()
    hand = Hand(lambda ids: len(ids) > 1)
    done = worked(near, hand)
    assert [packed for packed, _ in done.packed] == [b"r0", b"r1", b"r2", b"r3"]
    assert hand.asked[1:] == [["r0"], ["r1"], ["r2"], ["r3"]] and run(near.desk.lost()) == 1


def test_a_report_that_kills_is_given_up_and_the_others_are_not_asked_again() -> None:
    near = Near()
    hand = Hand(lambda ids: "r2" in ids)
    done = worked(near, hand)
    assert [packed for packed, failed in done.packed if not failed] == [b"r0", b"r1", b"r3"]
    packed, failed = done.packed[2]
    assert failed
    refused = OutcomeColumns.unpack(packed).rows().refused[0]
    assert refused.reason == "engine_error" and f"died under this report {TRIES} times" in refused.detail
    assert hand.asked == [["r0", "r1", "r2", "r3"], ["r0"], ["r1"], *[["r2"]] * TRIES, ["r3"]]


def test_workers_that_die_under_everything_end_the_run() -> None:
    done = worked(Near(40), Hand(lambda ids: True))
    assert isinstance(done.error, RunError) and "die under every report" in str(done.error)


@pytest.mark.parametrize("error", [RunError("no server"), InputError("no model"), EngineDown("no server")])
def test_what_ends_the_run_comes_back_as_itself(error: Exception) -> None:
    def learn() -> Hand:
        raise error

    near = Near()
    done = work(0, near.payload, near, learn)
    expected = RunError if isinstance(error, EngineDown) else type(error)
    assert done is not None and type(done.error) is expected and str(done.error) == str(error)


def test_a_node_with_another_ovct_is_refused() -> None:
    assert Trade(Hand).labour().drain() == "0 calls"
    other = versions() | {"ovct": "0.0.1"}
    with pytest.raises(InputError, match=r"another ovct: ovct .* for 0\.0\.1\. Install the same on every node"):
        Trade(Hand, other).labour()


def test_without_ray_the_flag_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--ray needs Ray Data .*pip install 'ovct\[ray\]'"), connected("local", 1):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:1", "head", "127.0.0.1:99999999"])
def test_an_address_where_nothing_answers_is_told_at_once(address: str) -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.raises(InputError, match=f"--ray {address}: nothing answers there"), connected(address, None):
        pass
