"""The engine for servers, against real ones that misbehave."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import pytest

from curation.engines.chat import Answer, ChatFailed, EngineDown, TooLong
from curation.engines.openai import OpenAIEngine
from tests.curation import server_faults
from tests.curation.engines.server_chats import SCHEMA, ask, ask_one, chat, echo, server, use_engine
from tests.curation.engines.server_chats import no_server_known as no_server_known
from tests.curation.hostile_server import Act, Behave, ChatRequest, HostileServer, answers
from tests.curation.server_faults import at_first, fails, in_turn, limits, sometimes

pytestmark = pytest.mark.usefixtures("no_server_known")


def test_a_chat_is_asked_and_answered() -> None:
    with HostileServer(echo) as hostile:
        answer = ask_one(hostile)
        body = hostile.log[0].body
    assert answer == Answer("you said: Report: the liver is normal.", "stop", 7, 7)
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Report: the liver is normal."},
    ]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("hostile-1", 0, 64)
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "captions", "strict": True, "schema": SCHEMA},
    }


@pytest.mark.parametrize(
    "act",
    [*server_faults.TROUBLES, fails(408), fails(409), fails(425), fails(504, "<html>")],
    ids=lambda act: getattr(act, "__name__", None),
)
def test_what_may_pass_is_tried_again(act: Act) -> None:
    with HostileServer(echo, in_turn(act, act)) as hostile:
        assert ask_one(hostile).content.startswith("you said")
        assert len(hostile.log) == 3


def test_every_chat_is_answered_once_though_a_third_of_the_requests_fail() -> None:
    with HostileServer(echo, sometimes(0.3, seed=3)) as hostile:
        questions = [f"Report {number}." for number in range(120)]
        outcomes = ask(hostile, *questions, concurrency=8, attempts=12)
        assert [answer.content for answer in outcomes if isinstance(answer, Answer)] == [
            f"you said: {q}" for q in questions
        ]
        assert sorted(request.question for request in hostile.answered) == sorted(questions)
        assert len(hostile.log) > 140


def test_what_does_not_fit_into_the_stated_context_is_not_sent() -> None:
    """Ollama would cut it silently."""
    with HostileServer(echo) as hostile:
        short, long = ask(hostile, "Short.", "A long report. " * 40, context=200)
        assert isinstance(short, Answer) and isinstance(long, TooLong)
        assert [request.question for request in hostile.log] == ["Short."]


def test_the_tokens_that_a_server_counts_are_believed() -> None:
    text = "x y z " * 50  # the server counts its words: 2 characters each

    async def use(engine: OpenAIEngine) -> None:
        assert (await engine.answer(chat(text))).prompt_tokens > 150
        with pytest.raises(TooLong, match="--context"):
            await engine.answer(chat(text + "and more"))

    with HostileServer(echo) as hostile:
        use_engine(server(hostile, context=210), use)


def test_no_more_chats_at_once_than_are_wanted() -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def respond(turns: list[dict[str, str]]) -> str:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1
        return ""

    with HostileServer(respond) as hostile:
        ask(hostile, *map(str, range(20)), concurrency=4)
    assert most == 4


def test_a_chat_that_is_never_answered_is_given_up_alone() -> None:
    def behave(request: ChatRequest) -> Act:
        return fails(500, "it hurts") if "bad" in request.question else answers

    with HostileServer(echo, behave) as hostile:
        first, bad, last = ask(hostile, "first", "bad", "last", attempts=3)
        assert [request.question for request in hostile.log].count("bad") == 3
    assert isinstance(first, Answer) and isinstance(last, Answer)
    assert isinstance(bad, ChatFailed) and str(bad) == "no answer after 3 tries, the last: 500: it hurts"


def test_one_bad_chat_alone_does_not_bring_the_run_down() -> None:
    """It is the only one under way, but the server still lists its models."""
    with HostileServer(echo, in_turn(*[server_faults.drops] * 3)) as hostile:
        (error,) = ask(hostile, "bad", attempts=3)
    assert isinstance(error, ChatFailed) and "connection lost" in str(error)


def test_retry_after_holds_back_the_others_too() -> None:
    seen: list[float] = []

    def behave(request: ChatRequest) -> Act:
        seen.append(time.monotonic())
        return limits("0.5") if request.number == 0 else answers

    async def use(engine: OpenAIEngine) -> None:
        first = asyncio.ensure_future(engine.answer(chat("first")))
        await asyncio.sleep(0.2)
        await asyncio.gather(first, *(engine.answer(chat(f"later {number}")) for number in range(4)))

    with HostileServer(echo, behave) as hostile:
        use_engine(server(hostile), use)
    assert len(seen) == 6
    assert min(seen[1:]) - seen[0] >= 0.45


def test_a_limited_rate_costs_no_attempts_while_others_are_answered() -> None:
    """One answer for every three requests: chats that come late are told to wait more often than they have attempts."""

    def behave(request: ChatRequest) -> Act:
        return answers if request.number % 3 == 2 else limits()

    with HostileServer(echo, behave) as hostile:
        outcomes = ask(hostile, *map(str, range(30)), attempts=4, concurrency=30)
        most = max(request.before for request in hostile.log) + 1
    assert all(isinstance(answer, Answer) for answer in outcomes), outcomes
    assert most > 4


def test_a_server_that_is_gone_ends_the_run_and_no_chat_is_blamed() -> None:
    async def use(engine: OpenAIEngine) -> list[Answer | BaseException]:
        await engine.answer(chat("before"))
        hostile.close()
        return await asyncio.gather(*(engine.answer(chat(str(at))) for at in range(3)), return_exceptions=True)

    hostile = HostileServer(echo)
    outcomes = use_engine(server(hostile, attempts=3), use)
    assert all(isinstance(error, EngineDown) for error in outcomes), outcomes
    assert "no server answers" in str(outcomes[0]) and "run the same command to go on" in str(outcomes[0])


def test_a_run_of_failures_ends_the_run() -> None:
    """The list of models still comes, as from a proxy whose server is gone."""
    with HostileServer(echo, in_turn(then=fails(503, "no backend"))) as hostile:
        outcomes = ask(hostile, *map(str, range(12)), attempts=2, concurrency=2)
        requests = len(hostile.log)
    assert Counter(map(type, outcomes)) == {ChatFailed: 7, EngineDown: 5}
    assert "8 chats in a row" in str(outcomes[-1]) and "503: no backend" in str(outcomes[-1])
    assert requests <= 18  # who comes later does not even ask


def test_failures_between_answers_do_not_end_the_run() -> None:
    def behave(request: ChatRequest) -> Act:
        return fails(500) if "bad" in request.question else answers

    with HostileServer(echo, behave) as hostile:
        outcomes = ask(hostile, *["bad", "good"] * 12, attempts=1, concurrency=1)
    assert Counter(map(type, outcomes)) == {ChatFailed: 12, Answer: 12}


@pytest.mark.parametrize("style", server_faults.TOO_LONG)
def test_a_chat_that_does_not_fit(style: str) -> None:
    with HostileServer(echo, in_turn(server_faults.TOO_LONG[style])) as hostile:
        with pytest.raises(TooLong):
            ask_one(hostile)
        assert len(hostile.log) == 1


def test_a_chat_that_is_refused_in_every_form_fails_at_once() -> None:
    with HostileServer(echo, in_turn(then=fails(400, "the content was flagged"))) as hostile:
        (error,) = ask(hostile, "bad")
        assert len(hostile.log) == 4
    assert isinstance(error, ChatFailed) and str(error) == "refused: 400: the content was flagged"


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (fails(401, "no"), "wants a key"),
        (fails(402, "Insufficient balance"), "nothing left to spend"),
        (fails(429, "You exceeded your quota", code="insufficient_quota"), "nothing left to spend"),
        (fails(403, "not in your country"), "wants a key"),
        (fails(404, "The model `x` does not exist"), "correct --model or --base-url"),
    ],
)
def test_what_holds_for_all_chats_ends_the_run(act: Act, words: str) -> None:
    with HostileServer(echo, in_turn(then=act)) as hostile, pytest.raises(EngineDown, match=words):
        ask_one(hostile, attempts=2)


def test_one_forbidden_chat_among_others_is_given_up_alone() -> None:
    def behave(request: ChatRequest) -> Act:
        return fails(403, "flagged") if "bad" in request.question else answers

    async def use(engine: OpenAIEngine) -> None:
        await engine.answer(chat("good"))
        with pytest.raises(ChatFailed, match="403: flagged"):
            await engine.answer(chat("bad"))
        await engine.answer(chat("other"))

    with HostileServer(echo, behave) as hostile:
        use_engine(server(hostile), use)


@pytest.mark.parametrize("behave", [in_turn(), at_first(fails(500))])
def test_the_server_of_the_tests_counts(behave: Behave) -> None:
    with HostileServer(echo, behave) as hostile:
        ask(hostile, "a", "b", "b")
        assert len(hostile.answered) == 3
        assert hostile.listed == 1
