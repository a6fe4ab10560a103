"""The engine for servers, against real ones that misbehave."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter

import pytest

from curation.engines.chat import Answer, ChatFailed, EngineDown, TooLong
from curation.engines.openai import OpenAIEngine
from tests.curation import mischief
from tests.curation.hostile import Act, Asked, Behave, Hostile, answers
from tests.curation.llm.asking import SCHEMA, ask, chat, echo, one, server, within
from tests.curation.llm.asking import no_server_known as no_server_known
from tests.curation.mischief import at_first, fails, in_turn, limits, sometimes, understands

pytestmark = pytest.mark.usefixtures("no_server_known")


def test_a_chat_is_asked_and_answered() -> None:
    with Hostile(echo) as hostile:
        answer = one(hostile)
        asked = hostile.log[0].body
    assert answer == Answer("you said: Report: the liver is normal.", "stop", 7, 7)
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Report: the liver is normal."},
    ]
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("hostile-1", 0, 64)
    assert asked["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "captions", "strict": True, "schema": SCHEMA},
    }


@pytest.mark.parametrize(
    "act",
    [*mischief.TROUBLES, fails(408), fails(409), fails(425), fails(504, "<html>")],
    ids=lambda act: getattr(act, "__name__", None),
)
def test_what_may_pass_is_tried_again(act: Act) -> None:
    with Hostile(echo, in_turn(act, act)) as hostile:
        assert one(hostile).content.startswith("you said")
        assert len(hostile.log) == 3


def test_every_chat_is_answered_once_though_a_third_of_the_requests_fail() -> None:
    with Hostile(echo, sometimes(0.3, seed=3)) as hostile:
        questions = [f"Report {number}." for number in range(120)]
        found = ask(hostile, *questions, concurrency=8, attempts=12)
        assert [answer.content for answer in found if isinstance(answer, Answer)] == [
            f"you said: {q}" for q in questions
        ]
        assert sorted(asked.question for asked in hostile.answered) == sorted(questions)
        assert len(hostile.log) > 140


def test_what_does_not_fit_into_the_stated_context_is_not_sent() -> None:
    """Ollama would cut it silently."""
    with Hostile(echo) as hostile:
        short, long = ask(hostile, "Short.", "A long report. " * 40, context=200)
        assert isinstance(short, Answer) and isinstance(long, TooLong)
        assert [asked.question for asked in hostile.log] == ["Short."]


def test_the_tokens_that_a_server_counts_are_believed() -> None:
    text = "x y z " * 50  # the server counts its words: 2 characters each

    async def use(engine: OpenAIEngine) -> None:
        assert (await engine.answer(chat(text))).prompt_tokens > 150
        with pytest.raises(TooLong, match="--context"):
            await engine.answer(chat(text + "and more"))

    with Hostile(echo) as hostile:
        within(server(hostile, context=210), use)


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

    with Hostile(respond) as hostile:
        ask(hostile, *map(str, range(20)), concurrency=4)
    assert most == 4


def test_slow_bytes_do_not_outlive_the_time_out() -> None:
    with Hostile(echo, in_turn(mischief.drips(30.0))) as hostile:
        start = time.monotonic()
        assert one(hostile, timeout=0.3).content.startswith("you said")
        assert time.monotonic() - start < 3.0


def test_a_chat_that_is_never_answered_is_given_up_alone() -> None:
    def behave(asked: Asked) -> Act:
        return fails(500, "it hurts") if "bad" in asked.question else answers

    with Hostile(echo, behave) as hostile:
        good, bad, other = ask(hostile, "good", "bad", "other", attempts=3)
        assert [asked.question for asked in hostile.log].count("bad") == 3
    assert isinstance(good, Answer) and isinstance(other, Answer)
    assert isinstance(bad, ChatFailed) and str(bad) == "no answer after 3 tries, the last: 500: it hurts"


def test_one_bad_chat_alone_does_not_bring_the_run_down() -> None:
    """It is the only one under way, but the server still lists its models."""
    with Hostile(echo, in_turn(*[mischief.drops] * 3)) as hostile:
        (found,) = ask(hostile, "bad", attempts=3)
    assert isinstance(found, ChatFailed) and "connection lost" in str(found)


def test_retry_after_holds_back_the_others_too() -> None:
    seen: list[float] = []

    def behave(asked: Asked) -> Act:
        seen.append(time.monotonic())
        return limits("0.5") if asked.number == 0 else answers

    async def use(engine: OpenAIEngine) -> None:
        first = asyncio.ensure_future(engine.answer(chat("first")))
        await asyncio.sleep(0.2)
        await asyncio.gather(first, *(engine.answer(chat(f"later {number}")) for number in range(4)))

    with Hostile(echo, behave) as hostile:
        within(server(hostile), use)
    assert len(seen) == 6
    assert min(seen[1:]) - seen[0] >= 0.45


def test_a_limited_rate_costs_no_attempts_while_others_are_answered() -> None:
    """One answer for every three requests: chats that come late are told to wait more often than they have attempts."""

    def behave(asked: Asked) -> Act:
        return answers if asked.number % 3 == 2 else limits()

    with Hostile(echo, behave) as hostile:
        found = ask(hostile, *map(str, range(30)), attempts=4, concurrency=30)
        most = max(asked.before for asked in hostile.log) + 1
    assert all(isinstance(answer, Answer) for answer in found), found
    assert most > 4


def test_a_server_that_is_gone_ends_the_run_and_no_chat_is_blamed() -> None:
    async def use(engine: OpenAIEngine) -> list[Answer | BaseException]:
        await engine.answer(chat("before"))
        hostile.close()
        return await asyncio.gather(*(engine.answer(chat(str(at))) for at in range(3)), return_exceptions=True)

    hostile = Hostile(echo)
    found = within(server(hostile, attempts=3), use)
    assert all(isinstance(error, EngineDown) for error in found), found
    assert "no server answers" in str(found[0]) and "run the same command to go on" in str(found[0])


def test_a_run_of_failures_ends_the_run() -> None:
    """The list of models still comes, as from a proxy whose server is gone."""
    with Hostile(echo, in_turn(then=fails(503, "no backend"))) as hostile:
        found = ask(hostile, *map(str, range(12)), attempts=2, concurrency=2)
        asked = len(hostile.log)
    assert Counter(map(type, found)) == {ChatFailed: 7, EngineDown: 5}
    assert "8 chats in a row" in str(found[-1]) and "503: no backend" in str(found[-1])
    assert asked <= 18  # who comes later does not even ask


def test_failures_between_answers_do_not_end_the_run() -> None:
    def behave(asked: Asked) -> Act:
        return fails(500) if "bad" in asked.question else answers

    with Hostile(echo, behave) as hostile:
        found = ask(hostile, *["bad", "good"] * 12, attempts=1, concurrency=1)
    assert Counter(map(type, found)) == {ChatFailed: 12, Answer: 12}


@pytest.mark.parametrize("style", mischief.TOO_LONG)
def test_a_chat_that_does_not_fit(style: str) -> None:
    with Hostile(echo, in_turn(mischief.TOO_LONG[style])) as hostile:
        with pytest.raises(TooLong):
            one(hostile)
        assert len(hostile.log) == 1


@pytest.mark.parametrize(
    ("forms", "asked"),
    [
        (("json_object", "text"), ["json_schema", "json_schema", "json_object", "json_object"]),
        (("text",), ["json_schema", "json_schema", "json_object", "text", "text"]),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 415, 422, 501])
def test_a_server_without_schemas(
    forms: tuple[str, ...], asked: list[str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(engine: OpenAIEngine) -> None:
        await engine.answer(chat("first"))
        await engine.answer(chat("second"))

    refusal = fails(status, "unknown field")
    with Hostile(echo, understands(*forms, refusal=refusal)) as hostile, caplog.at_level(logging.WARNING, "ovct"):
        within(server(hostile), use)
        assert [one.form for one in hostile.log] == asked  # it is remembered
        last = hostile.log[-1].question
    assert last.startswith("second\n\nAnswer with one JSON object") and '"maxLength":200' in last
    assert len(caplog.messages) == 1 and "lacks a response format" in caplog.messages[0]


def test_a_schema_without_bounds_comes_before_none() -> None:
    def behave(asked: Asked) -> Act:
        refused = "maxLength" in str(asked.body.get("response_format"))
        return fails(400, "Invalid schema for response_format: maxLength is not permitted") if refused else answers

    with Hostile(echo, behave) as hostile:
        assert one(hostile).content == "you said: Report: the liver is normal."
        assert hostile.log[-1].form == "json_schema"


def test_one_chat_that_is_refused_does_not_cost_the_others_their_schema(caplog: pytest.LogCaptureFixture) -> None:
    def behave(asked: Asked) -> Act:
        return fails(400) if "odd" in asked.question and asked.form == "json_schema" else answers

    async def use(engine: OpenAIEngine) -> None:
        for question in ("a", "odd", "b"):
            await engine.answer(chat(question))

    with Hostile(echo, behave) as hostile, caplog.at_level(logging.WARNING, "ovct"):
        within(server(hostile), use)
        assert hostile.log[-1].form == "json_schema"
    assert not caplog.messages


def test_a_form_given_up_too_soon_comes_back() -> None:
    """The very first chat is refused for a reason of its own, while another is on its way."""

    def behave(asked: Asked) -> Act:
        if "slow" in asked.question:
            return mischief.drips(0.4)
        return fails(400) if "odd" in asked.question and asked.form == "json_schema" else answers

    async def use(engine: OpenAIEngine) -> tuple[str, str]:
        slow = asyncio.ensure_future(engine.answer(chat("slow")))
        await asyncio.sleep(0.05)
        await engine.answer(chat("odd"))
        between = engine.dialect.form
        await slow
        return between, engine.dialect.form

    with Hostile(echo, behave) as hostile:
        assert within(server(hostile), use) == ("any JSON", "schema")


def test_a_server_without_the_role_system(caplog: pytest.LogCaptureFixture) -> None:
    def behave(asked: Asked) -> Act:
        return fails(400, "System role not supported") if asked.turns[0]["role"] == "system" else answers

    with Hostile(echo, behave) as hostile, caplog.at_level(logging.WARNING, "ovct"):
        assert one(hostile).content == "you said: Be brief.\n\nReport: the liver is normal."
        assert hostile.log[-1].form == "json_schema"
    assert "role system" in caplog.text


def test_a_reasoning_model_of_openai() -> None:
    def behave(asked: Asked) -> Act:
        if "max_tokens" in asked.body:
            return fails(400, "Unsupported parameter: 'max_tokens' is not supported with this model. "
                              "Use 'max_completion_tokens' instead.")  # fmt: skip
        if "temperature" in asked.body:
            return fails(400, "Unsupported value: 'temperature' does not support 0 with this model.")
        return answers

    with Hostile(echo, behave) as hostile:
        one(hostile)
        assert hostile.log[-1].body["max_completion_tokens"] == 64
        assert hostile.log[-1].form == "json_schema"


def test_a_chat_that_is_refused_in_every_form_fails_at_once() -> None:
    with Hostile(echo, in_turn(then=fails(400, "the content was flagged"))) as hostile:
        (found,) = ask(hostile, "bad")
        assert len(hostile.log) == 4
    assert isinstance(found, ChatFailed) and str(found) == "refused: 400: the content was flagged"


@pytest.mark.parametrize(
    ("act", "content", "finish_reason"),
    [
        (mischief.says("{", "length"), "{", "length"),
        (mischief.says(None, "content_filter"), "", "content_filter"),
        (mischief.says(None, "tool_calls"), "", "tool_calls"),
        (mischief.NOT_JSON, "Sure! Here are the captions you asked for: the liver is normal.", "stop"),
        (mischief.says("***Liver***: sk-no-secret"), "***Liver***: sk-no-secret", "stop"),
    ],
)
def test_what_a_model_says_is_passed_on(act: Act, content: str, finish_reason: str) -> None:
    with Hostile(echo, in_turn(act)) as hostile:
        assert one(hostile)[:2] == (content, finish_reason)
        assert len(hostile.log) == 1


def test_a_server_that_counts_no_tokens() -> None:
    body = b'{"choices": [{"message": {"content": "x"}}]}'
    with Hostile(echo, in_turn(lambda exchange, asked: exchange.reply(200, body))) as hostile:
        assert one(hostile) == Answer("x", "stop", 0, 0)


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
    with Hostile(echo, in_turn(then=act)) as hostile, pytest.raises(EngineDown, match=words):
        one(hostile, attempts=2)


def test_one_forbidden_chat_among_others_is_given_up_alone() -> None:
    def behave(asked: Asked) -> Act:
        return fails(403, "flagged") if "bad" in asked.question else answers

    async def use(engine: OpenAIEngine) -> None:
        await engine.answer(chat("good"))
        with pytest.raises(ChatFailed, match="403: flagged"):
            await engine.answer(chat("bad"))
        await engine.answer(chat("other"))

    with Hostile(echo, behave) as hostile:
        within(server(hostile), use)


@pytest.mark.parametrize("behave", [in_turn(), at_first(fails(500))])
def test_the_server_of_the_tests_counts(behave: Behave) -> None:
    with Hostile(echo, behave) as hostile:
        ask(hostile, "a", "b", "b")
        assert len(hostile.answered) == 3
        assert hostile.listed == 1
