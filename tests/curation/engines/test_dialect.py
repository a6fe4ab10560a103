"""How chats are put to servers that lack this or that, and what is read out of their answers."""

from __future__ import annotations

import pytest

from curation.engines.chat import Chat, Message, TooLong
from curation.engines.dialect import Dialect, read_completion
from curation.engines.http_errors import TransientError

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
