"""Chats by batch: rounds, limits, what fails, and a run that is stopped at each step."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from curation.engines.chat import Answer, Chat, ChatFailed, EngineDown, Message, TooLong
from curation.engines.openai import OpenAIEngine
from curation.engines.server import ServerSettings
from curation.llm.batches import batch_server
from curation.llm.batches.batch_engine import BatchEngine
from curation.llm.batches.batch_store import BatchStore
from curation.llm.batches.batch_work import BatchLimits
from curation.llm.usage import Prices
from tests.curation.llm.batches.batch_service import BatchService, Body, Exchange, Outcome

QUICK = BatchLimits(settle=0.05, first_poll=0.01, longest_poll=0.02)


def echo(body: Body) -> Outcome:
    return f"to {body['messages'][-1]['content']}"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchService]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    service = BatchService(echo)
    yield service
    service.close()


def chats(count: int, length: int = 0) -> list[Chat]:
    return [Chat((Message("user", f"{number}{'x' * length}"),), {"type": "object"}, 50) for number in range(count)]


class Run:
    """One run of an engine, with what it told."""

    def __init__(self, service: BatchService, folder: Path, limits: BatchLimits = QUICK, **settings: Any) -> None:
        self.server = ServerSettings(
            service.url, "model-1", first_wait=0.01, longest_wait=0.02, **{"timeout": 5.0, "attempts": 3, **settings}
        )
        self.folder, self.limits = folder, limits
        self.told: list[str] = []
        self.prices: Prices | None = None

    def __call__(self, use: Callable[[BatchEngine], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with asyncio.timeout(30):
                engine = BatchEngine(await OpenAIEngine.connect(self.server), self.limits)
                engine.open(self.folder, self.told.append, self.prices)
                try:
                    return await use(engine)
                finally:
                    await engine.close()

        return asyncio.run(run())

    def ask(self, asked: Sequence[Chat]) -> list[Answer | BaseException]:
        async def use(engine: BatchEngine) -> Any:
            return await asyncio.gather(*map(engine.answer, asked), return_exceptions=True)

        answers: list[Answer | BaseException] = self(use)
        return answers

    def stopped(self, asked: Sequence[Chat], when: Callable[[], bool]) -> None:
        """Ask, and stop as soon as something holds."""

        async def use(engine: BatchEngine) -> None:
            tasks = [asyncio.ensure_future(engine.answer(chat)) for chat in asked]
            while not when():
                await asyncio.sleep(0.005)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self(use)


def texts(answers: Sequence[Answer | BaseException]) -> list[str]:
    return [answer.content if isinstance(answer, Answer) else repr(answer) for answer in answers]


def asked_of(service: BatchService) -> list[str]:
    return sorted(body["messages"][-1]["content"] for body in service.asked)


def test_a_round_is_one_batch_behind_one_direct_request(service: BatchService, tmp_path: Path) -> None:
    run = Run(service, tmp_path)
    run.prices = Prices(1_000_000, 2_000_000)
    answers = run.ask(chats(20, 100))
    assert texts(answers) == [f"to {chat.messages[0].content}" for chat in chats(20, 100)]
    assert isinstance(answers[3], Answer) and answers[3][1:] == ("stop", 100, 10)
    assert service.sizes == [19] and len(service.chats) == 1
    (batch,) = service.batches.values()
    assert batch["endpoint"] == "/v1/chat/completions" and batch["completion_window"] == "24h"
    body = batch["lines"][0]["body"]
    assert body["model"] == "model-1" and body["max_tokens"] == 50 and body["response_format"]["type"] == "json_schema"
    assert (
        "19 requests" in run.told[0] and "at most 950 out" in run.told[0] and "from 551.00 to 2,451.00" in run.told[0]
    )
    assert any("in_progress" in told for told in run.told) and "19 answers" in run.told[-1]
    assert service.files == {}, "files with reports are deleted on the server"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["batches.sqlite"]


def test_later_chats_are_a_batch_of_their_own_and_known_ones_are_not_sent(
    service: BatchService, tmp_path: Path
) -> None:
    async def use(engine: BatchEngine) -> None:
        await asyncio.gather(*map(engine.answer, chats(5)))
        await asyncio.gather(*map(engine.answer, chats(8)))

    Run(service, tmp_path)(use)
    assert service.sizes == [4, 3] and len(service.chats) == 1
    assert texts(Run(service, tmp_path).ask(chats(8))) == [f"to {number}" for number in range(8)]
    assert service.sizes == [4, 3] and len(service.chats) == 1


def test_a_run_that_came_to_its_end_asks_anew_for_what_is_asked_again(service: BatchService, tmp_path: Path) -> None:
    async def use(engine: BatchEngine) -> None:
        await asyncio.gather(*map(engine.answer, chats(4)))
        engine.settle()

    Run(service, tmp_path)(use)
    service.respond = lambda body: "another"
    assert texts(Run(service, tmp_path).ask(chats(6)[2:])) == ["another"] * 4 and service.sizes == [3, 4]


def test_limits_of_requests_and_bytes_part_a_round(service: BatchService, tmp_path: Path) -> None:
    limits = BatchLimits(requests=4, settle=0.05, first_poll=0.01)
    (tmp_path / "a").mkdir()
    assert len(set(texts(Run(service, tmp_path / "a", limits).ask(chats(10))))) == 10
    assert max(service.sizes) <= 4 and sum(service.sizes) == 9
    service.batches.clear()
    limits = BatchLimits(bytes=2_000, settle=0.05, first_poll=0.01)
    (tmp_path / "b").mkdir()
    answers = Run(service, tmp_path / "b", limits).ask([*chats(10), *chats(1, 3_000)])
    assert isinstance(answers[-1], TooLong) and len(set(texts(answers))) == 11
    for batch in service.batches.values():
        assert sum(len(json.dumps(line)) + 1 for line in batch["lines"]) <= 2_000
    assert sum(service.sizes) == 9


def test_what_expired_is_sent_again_and_given_up_after_some_tries(service: BatchService, tmp_path: Path) -> None:
    seen: dict[str, int] = {}

    def respond(body: Body) -> Outcome:
        text = body["messages"][-1]["content"]
        seen[text] = seen.get(text, 0) + 1
        if text == "7":
            return "expired"
        if text == "8":
            return None  # its line is missing
        return "expired" if text in "3456" and seen[text] == 1 else f"to {text}"

    service.respond = respond
    service.states = ["in_progress", "expired"]
    answers = Run(service, tmp_path).ask(chats(9))
    assert texts(answers)[:7] == [f"to {number}" for number in range(7)]
    assert isinstance(answers[7], ChatFailed) and "in time" in str(answers[7])
    assert isinstance(answers[8], ChatFailed) and "no answer in 3 batches" in str(answers[8])
    assert service.sizes == [8, 6, 2] and seen["7"] == 3 and seen["1"] == 1


def test_errors_of_single_requests(service: BatchService, tmp_path: Path) -> None:
    tried: list[str] = []

    def respond(body: Body) -> Outcome:
        text = body["messages"][-1]["content"]
        tried.append(text)
        if text == "1":
            return 400, "This model's maximum context length is 10 tokens"
        if text == "2":
            return 400, "content policy"
        if text == "3" and tried.count("3") == 1:
            return 429, "slow down"
        return f"to {text}"

    service.respond = respond
    answers = Run(service, tmp_path).ask(chats(5))
    assert isinstance(answers[1], TooLong) and "maximum context" in str(answers[1])
    assert isinstance(answers[2], ChatFailed) and "refused: 400: content policy" in str(answers[2])
    assert texts(answers)[3:] == ["to 3", "to 4"] and service.sizes == [4, 1]
    answers = Run(service, tmp_path).ask(chats(5))  # another run tries anew what failed
    assert isinstance(answers[2], ChatFailed) and service.sizes == [4, 1, 2]


def test_a_form_that_is_refused_is_noticed_by_the_direct_request(service: BatchService, tmp_path: Path) -> None:
    def respond(body: Body) -> Outcome:
        if "max_tokens" in body:
            return 400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return echo(body)

    service.respond = respond
    assert texts(Run(service, tmp_path).ask(chats(4)))[3] == "to 3"
    assert len(service.chats) == 2
    Run(service, tmp_path).ask(chats(6))
    assert len(service.chats) == 2, "the form is known from the run before"
    assert all("max_completion_tokens" in line["body"] for batch in service.batches.values() for line in batch["lines"])


def test_a_batch_that_failed_as_a_whole_ends_the_run_with_the_reason(service: BatchService, tmp_path: Path) -> None:
    service.states = ["validating", "failed"]
    made = service.make_batch
    errors = {"data": [{"code": "model_not_found", "message": "The model is not for batches"}]}

    def make(request: Body) -> Body:
        shown = made(request)
        service.batches[shown["id"]]["errors"] = errors
        return shown

    service.make_batch = make  # type: ignore[method-assign]
    answers = Run(service, tmp_path).ask(chats(3))
    assert isinstance(answers[2], EngineDown) and "The model is not for batches (model_not_found)" in str(answers[2])
    service.states, service.make_batch = ["completed"], made  # type: ignore[method-assign]
    assert texts(Run(service, tmp_path).ask(chats(3))) == ["to 0", "to 1", "to 2"] and service.sizes == [2, 2]


def test_a_full_queue_makes_batches_smaller(service: BatchService, tmp_path: Path) -> None:
    made = service.make_batch

    def make(request: Body) -> Body:
        shown = made(request)
        batch = service.batches[shown["id"]]
        if len(batch["lines"]) > 3:
            batch["left"] = ["validating", "failed"]
            batch["errors"] = {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]}
        return shown

    service.make_batch = make  # type: ignore[method-assign]
    assert texts(Run(service, tmp_path).ask(chats(11))) == [f"to {number}" for number in range(11)]
    assert service.sizes[:2] == [10, 5] and max(service.sizes[2:]) == 2
    assert asked_of(service) == sorted(map(str, range(1, 11)))


def test_a_cancelled_batch_keeps_its_answers_and_ends_the_run(service: BatchService, tmp_path: Path) -> None:
    service.respond = lambda body: echo(body) if body["messages"][-1]["content"] in "012" else None
    service.states = ["in_progress", "cancelled"]
    answers = Run(service, tmp_path).ask(chats(6))
    assert texts(answers)[:3] == ["to 0", "to 1", "to 2"]
    assert isinstance(answers[4], EngineDown) and "was cancelled" in str(answers[4]) and "2 answers" in str(answers[4])
    service.respond, service.states = echo, ["completed"]
    assert texts(Run(service, tmp_path).ask(chats(6))) == [f"to {number}" for number in range(6)]
    assert service.sizes == [5, 3]


@pytest.mark.parametrize("state", ["validating", "in_progress", "finalizing"])
def test_a_run_that_is_stopped_while_a_batch_is_out_awaits_it_in_the_next(
    service: BatchService, tmp_path: Path, state: str
) -> None:
    service.states = [state]
    Run(service, tmp_path).stopped(chats(6), lambda: bool(service.batches))
    for batch in service.batches.values():
        batch["left"] = ["completed"]
    run = Run(service, tmp_path)
    assert texts(run.ask(chats(6))) == [f"to {number}" for number in range(6)]
    assert service.sizes == [5] and "5 requests of an earlier run" in run.told[0]


def test_answers_that_nobody_asks_for_now_are_there_later(service: BatchService, tmp_path: Path) -> None:
    service.states = ["in_progress"]
    Run(service, tmp_path).stopped(chats(6), lambda: bool(service.batches))
    service.batches["batch_1"]["left"] = ["completed"]
    assert texts(Run(service, tmp_path).ask(chats(2))) == ["to 0", "to 1"]
    service.respond = lambda body: "another"
    assert texts(Run(service, tmp_path).ask(chats(6)))[5] == "to 5" and service.sizes == [5]


def stop_at(kind: str, after: bool) -> Callable[[BatchService], Callable[[], bool]]:
    """Have a request of a kind never answered, before or after the server has done it; tell when it has come."""

    def prepare(service: BatchService) -> Callable[[], bool]:
        come: list[str] = []

        def act(exchange: Exchange) -> bool:
            if after:
                exchange.reply = lambda *arguments: None  # type: ignore[method-assign]
                getattr(exchange, f"do_{kind}")("")
            come.append(kind)
            return exchange.hang_up()

        service.faults[kind] = [act] * 100
        return lambda: bool(come)

    return prepare


@pytest.mark.parametrize("kind", ["upload", "create"])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_is_stopped_while_it_sends_sends_once(
    service: BatchService, tmp_path: Path, kind: str, after: bool
) -> None:
    stopped = stop_at(kind, after)(service)
    Run(service, tmp_path).stopped(chats(6), stopped)
    made = len(service.batches)
    assert made == (1 if (kind, after) == ("create", True) else 0)
    service.faults.clear()
    assert texts(Run(service, tmp_path).ask(chats(6))) == [f"to {number}" for number in range(6)]
    assert service.sizes == [5] and asked_of(service) == ["1", "2", "3", "4", "5"]
    assert service.files == {}


def test_an_answer_that_is_lost_does_not_make_a_second_batch(service: BatchService, tmp_path: Path) -> None:
    def lose(exchange: Exchange) -> bool:
        exchange.service.make_batch(json.loads(exchange.content))
        return exchange.hang_up()

    service.faults["create"] = [lambda exchange: exchange.error(500, "busy"), lose]
    service.faults["status"] = [lambda exchange: exchange.error(503, "away")] * 4
    service.faults["content"] = [lambda exchange: exchange.error(429, "slow down")]
    service.faults["upload"] = [lambda exchange: exchange.error(429, "slow down")]
    assert texts(Run(service, tmp_path).ask(chats(6))) == [f"to {number}" for number in range(6)]
    assert service.sizes == [5]


def test_the_list_of_batches_is_read_page_by_page(
    service: BatchService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_server, "LISTED_AT_ONCE", 2)
    Run(service, tmp_path).stopped(chats(6), stop_at("create", True)(service))
    file = service.keep_file("other.jsonl", b"")
    for _ in range(5):
        service.make_batch({"input_file_id": file, "metadata": None})
    service.faults.clear()
    assert texts(Run(service, tmp_path).ask(chats(6)))[5] == "to 5" and service.sizes == [5, 0, 0, 0, 0, 0]


def test_where_batches_are_not_listed_nothing_is_sent_twice(service: BatchService, tmp_path: Path) -> None:
    service.lists_batches = False
    Run(service, tmp_path).stopped(chats(6), stop_at("create", True)(service))
    service.faults.clear()
    answers = Run(service, tmp_path).ask(chats(6))
    assert isinstance(answers[5], EngineDown) and "does not list its batches" in str(answers[5])
    assert service.sizes == [5]


def test_a_server_without_batches_is_told(service: BatchService, tmp_path: Path) -> None:
    service.faults["upload"] = [lambda exchange: exchange.error(404, "not found")]
    answers = Run(service, tmp_path).ask(chats(3))
    assert isinstance(answers[2], EngineDown) and "leave --batch out" in str(answers[2])
    service.faults["create"] = [lambda exchange: exchange.error(400, "no batches for this model")]
    answers = Run(service, tmp_path).ask(chats(3))
    assert isinstance(answers[2], EngineDown) and "no batches for this model" in str(answers[2])
    assert texts(Run(service, tmp_path).ask(chats(3)))[2] == "to 2" and service.sizes == [2]


def test_a_batch_that_the_server_no_longer_knows_is_told(service: BatchService, tmp_path: Path) -> None:
    service.states = ["in_progress"]
    first = Run(service, tmp_path)
    first.stopped(chats(3), lambda: any("in_progress" in told for told in first.told))
    service.batches.clear()
    answers = Run(service, tmp_path).ask(chats(3))
    assert isinstance(answers[2], EngineDown) and "knows no batch batch_1" in str(answers[2])


def test_a_damaged_store_is_told_and_kept(tmp_path: Path) -> None:
    from curation.runtime.errors import RunError

    (tmp_path / "batches.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(RunError, match="look for them on the server before you delete it"):
        BatchStore(tmp_path / "batches.sqlite")
    assert (tmp_path / "batches.sqlite").exists()
