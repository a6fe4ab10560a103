"""Requests to servers that lack a feature, and the reading of their answers."""

from __future__ import annotations

import asyncio
import logging

import pytest

from curation.engines.chat import Chat, Message, TooLong
from curation.engines.dialect import Dialect, read_completion
from curation.engines.http_errors import TransientError
from curation.engines.openai import OpenAIEngine
from tests.curation import server_faults
from tests.curation.engines.server_chats import ask_one, chat, echo, server, use_engine
from tests.curation.engines.server_chats import no_server_known as no_server_known
from tests.curation.hostile_server import Act, ChatRequest, HostileServer, answers
from tests.curation.server_faults import fails, understands

pytestmark = pytest.mark.usefixtures("no_server_known")

SCHEMA = {
    "type": "object",
    "properties": {"liver": {"type": "array", "maxItems": 3, "items": {"type": "string", "minLength": 1}}},
    "required": ["liver"],
}
TURNS = (
    Message("system", "Be brief."),
    Message("user", "first"),
    Message("assistant", "{}"),
    Message("user", "second"),
)
CHAT = Chat(TURNS, SCHEMA, 32)


def test_a_refusal_without_a_reason_leads_down_to_free_text() -> None:
    dialect: Dialect | None = Dialect()
    forms = []
    while dialect is not None:
        forms.append((dialect.form, dialect.concessions))
        dialect = dialect.fallback("bad request")
    assert forms == [("schema", 0), ("schema without bounds", 1), ("any JSON", 2), ("free text", 3)]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ("System role not supported", Dialect(system=False)),
        ("Developer instruction is not enabled for models/gemma", Dialect(system=False)),
        ("Conversation roles must alternate user/assistant/user/assistant/...", Dialect(system=False)),
        ("Unsupported parameter: 'temperature' is not supported with this model.", Dialect(temperature=False)),
        ("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
         Dialect(limit="max_completion_tokens")),
        # A refusal that shows the request gives no reason to drop what is in it.
        ('{"detail": [{"loc": ["response_format"], "input": {"temperature": 0, "messages": [{"role": "system"}], '
         '"max_tokens": 3}}]}', Dialect("schema without bounds")),
    ],
)  # fmt: skip
def test_a_refusal_with_a_reason(refusal: str, expected: Dialect) -> None:
    assert Dialect().fallback(refusal) == expected


def test_nothing_is_given_up_twice() -> None:
    refusal = "System role not supported"
    assert Dialect(system=False).fallback(refusal) == Dialect("schema without bounds", system=False)


def test_a_schema_loses_nothing_but_its_bounds() -> None:
    body = Dialect("schema without bounds").request("m", CHAT)
    assert body["response_format"]["json_schema"]["schema"] == {
        "type": "object",
        "properties": {"liver": {"type": "array", "items": {"type": "string"}}},
        "required": ["liver"],
    }
    assert Dialect().request("m", CHAT)["response_format"]["json_schema"]["schema"] == SCHEMA


def test_what_no_format_says_stands_in_the_last_turn() -> None:
    body = Dialect("free text", system=False, temperature=False, limit="max_completion_tokens").request("m", CHAT)
    assert body.keys() == {"model", "messages", "max_completion_tokens"}
    first, _, last = (turn["content"] for turn in body["messages"])
    assert first == "Be brief.\n\nfirst"
    assert last.startswith("second\n\nAnswer with one JSON object") and '"maxItems":3' in last
    assert Dialect("any JSON").request("m", CHAT)["response_format"] == {"type": "json_object"}
    assert CHAT.messages == TURNS


def test_the_notice_names_what_is_missing() -> None:
    assert Dialect("any JSON", temperature=False).notice() == (
        "a response format with our schema (asking for any JSON) and temperature 0 (answers differ from run to run)"
    )


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "[]", "{}", '{"choices": null}', '{"choices": [{}]}', '{"choices": [{"message": {"content": 3}}]}'],
)
def test_what_is_no_completion_may_pass(body: str) -> None:
    with pytest.raises(TransientError):
        read_completion(body)


def test_an_error_in_a_success() -> None:
    with pytest.raises(TooLong):
        read_completion('{"error": {"message": "prompt too long; exceeded max context length by 5 tokens"}}')
    with pytest.raises(TransientError, match="overloaded"):
        read_completion('{"error": {"message": "overloaded"}}')


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        (("json_object", "text"), ["json_schema", "json_schema", "json_object", "json_object"]),
        (("text",), ["json_schema", "json_schema", "json_object", "text", "text"]),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 415, 422, 501])
def test_a_server_without_schemas(
    forms: tuple[str, ...], expected: list[str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def use(engine: OpenAIEngine) -> None:
        await engine.answer(chat("first"))
        await engine.answer(chat("second"))

    refusal = fails(status, "unknown field")
    with HostileServer(echo, understands(*forms, refusal=refusal)) as hostile, caplog.at_level(logging.WARNING, "ovct"):
        use_engine(server(hostile), use)
        assert [request.form for request in hostile.log] == expected  # it is remembered
        last = hostile.log[-1].question
    assert last.startswith("second\n\nAnswer with one JSON object") and '"maxLength":200' in last
    assert len(caplog.messages) == 1 and "lacks a response format" in caplog.messages[0]


def test_a_schema_without_bounds_comes_before_none() -> None:
    def behave(request: ChatRequest) -> Act:
        refused = "maxLength" in str(request.body.get("response_format"))
        return fails(400, "Invalid schema for response_format: maxLength is not permitted") if refused else answers

    with HostileServer(echo, behave) as hostile:
        assert ask_one(hostile).content == "you said: Report: the liver is normal."
        assert hostile.log[-1].form == "json_schema"


def test_one_chat_that_is_refused_does_not_cost_the_others_their_schema(caplog: pytest.LogCaptureFixture) -> None:
    def behave(request: ChatRequest) -> Act:
        return fails(400) if "odd" in request.question and request.form == "json_schema" else answers

    async def use(engine: OpenAIEngine) -> None:
        for question in ("a", "odd", "b"):
            await engine.answer(chat(question))

    with HostileServer(echo, behave) as hostile, caplog.at_level(logging.WARNING, "ovct"):
        use_engine(server(hostile), use)
        assert hostile.log[-1].form == "json_schema"
    assert not caplog.messages


def test_a_form_given_up_too_soon_comes_back() -> None:
    """The very first chat is refused for a reason of its own, while another is on its way."""

    def behave(request: ChatRequest) -> Act:
        if "slow" in request.question:
            return server_faults.drips(0.4)
        return fails(400) if "odd" in request.question and request.form == "json_schema" else answers

    async def use(engine: OpenAIEngine) -> tuple[str, str]:
        slow = asyncio.ensure_future(engine.answer(chat("slow")))
        await asyncio.sleep(0.05)
        await engine.answer(chat("odd"))
        between = engine.dialect.form
        await slow
        return between, engine.dialect.form

    with HostileServer(echo, behave) as hostile:
        assert use_engine(server(hostile), use) == ("any JSON", "schema")


def test_a_server_without_the_role_system(caplog: pytest.LogCaptureFixture) -> None:
    def behave(request: ChatRequest) -> Act:
        return fails(400, "System role not supported") if request.turns[0]["role"] == "system" else answers

    with HostileServer(echo, behave) as hostile, caplog.at_level(logging.WARNING, "ovct"):
        assert ask_one(hostile).content == "you said: Be brief.\n\nReport: the liver is normal."
        assert hostile.log[-1].form == "json_schema"
    assert "role system" in caplog.text


def test_a_reasoning_model_of_openai() -> None:
    def behave(request: ChatRequest) -> Act:
        if "max_tokens" in request.body:
            return fails(400, "Unsupported parameter: 'max_tokens' is not supported with this model. "
                              "Use 'max_completion_tokens' instead.")  # fmt: skip
        if "temperature" in request.body:
            return fails(400, "Unsupported value: 'temperature' does not support 0 with this model.")
        return answers

    with HostileServer(echo, behave) as hostile:
        ask_one(hostile)
        assert hostile.log[-1].body["max_completion_tokens"] == 64
        assert hostile.log[-1].form == "json_schema"
