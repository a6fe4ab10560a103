"""How a chat is put to a server, and its answer read: OpenAI's own way first, with less where a server lacks it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from .chat import Answer, Chat, TooLong
from .http_errors import TOO_LONG, Passing, words

Form = Literal["schema", "schema without bounds", "any JSON", "free text"]
FORMS: tuple[Form, ...] = ("schema", "schema without bounds", "any JSON", "free text")
BOUNDS = frozenset(("minLength", "maxLength", "minItems", "maxItems"))
"""What some clouds do not take in a schema."""
INSTRUCTION = "Answer with one JSON object and nothing else. It must follow this JSON schema:\n"

# OpenAI's reasoning models.
_LIMIT = re.compile(r"max_tokens.{0,80}\bmax_completion_tokens", re.IGNORECASE | re.DOTALL)
_TEMPERATURE = re.compile(r"\btemperature\W{1,3}(?:is (?:not supported|deprecated)|does not support)", re.IGNORECASE)
# Chat templates without a place for it (Gemma, older Mistral), as vLLM, llama.cpp, SGLang and Gemini put it.
_SYSTEM = re.compile(
    r"\bsystem (?:role|message|prompt|instruction)s?.{0,30}\bnot (?:supported|allowed|enabled)|developer instruction"
    r"|(?:not support|unsupported|unexpected|invalid|unknown).{0,30}\bsystem\b|roles must alternate|only user and as",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server is asked to understand. The default is all there is; ``after`` leads to less."""

    form: Form = "schema"
    system: bool = True
    temperature: bool = True
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    @property
    def concessions(self) -> int:
        """How far this is from the default."""
        own = (self.system, self.temperature, self.limit == "max_tokens")
        return FORMS.index(self.form) + own.count(False)

    def after(self, refusal: str) -> Dialect | None:
        """What to try once this was refused in these words; None when there is nothing left."""
        if self.limit == "max_tokens" and _LIMIT.search(refusal):
            return replace(self, limit="max_completion_tokens")
        if self.temperature and _TEMPERATURE.search(refusal):
            return replace(self, temperature=False)
        if self.system and _SYSTEM.search(refusal):
            return replace(self, system=False)
        left = FORMS[FORMS.index(self.form) + 1 :]
        return replace(self, form=left[0]) if left else None

    def request(self, model: str, chat: Chat) -> dict[str, Any]:
        """The body of a request."""
        messages = [{"role": turn.role, "content": turn.content} for turn in chat.messages]
        if not self.system:
            messages = _folded(messages)
        if self.form in ("any JSON", "free text"):
            _instruct(messages, chat.schema)
        body: dict[str, Any] = {"model": model, "messages": messages, self.limit: chat.max_tokens}
        if self.temperature:
            body["temperature"] = 0
        return body | _response_format(self.form, chat.schema)

    def notice(self) -> str:
        """What the server lacks, for people to read."""
        lacks = {
            "form": f"a response format with our schema (asking for {self.form})",
            "system": "the role system (its text goes into the first turn)",
            "temperature": "temperature 0 (answers differ from run to run)",
            "limit": "max_tokens (max_completion_tokens is used)",
        }
        default = Dialect()
        changed = (one.name for one in fields(self) if getattr(self, one.name) != getattr(default, one.name))
        return " and ".join(lacks[name] for name in changed)


def _response_format(form: Form, schema: Mapping[str, Any]) -> dict[str, Any]:
    if form == "free text":
        return {}
    if form == "any JSON":
        return {"response_format": {"type": "json_object"}}
    wanted = dict(schema) if form == "schema" else _without_bounds(schema)
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "captions", "strict": True, "schema": wanted},
        }
    }


def _without_bounds(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        kept = {name: value for name, value in schema.items() if name not in BOUNDS or not isinstance(value, int)}
        return {name: _without_bounds(value) for name, value in kept.items()}
    return [_without_bounds(one) for one in schema] if isinstance(schema, list | tuple) else schema


def _folded(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """What the system says, at the head of the first turn of the user."""
    said = [turn["content"] for turn in messages if turn["role"] == "system"]
    others = [dict(turn) for turn in messages if turn["role"] != "system"]
    first = next((turn for turn in others if turn["role"] == "user"), None)
    if first is not None:
        first["content"] = "\n\n".join([*said, first["content"]])
    return others


def _instruct(messages: list[dict[str, str]], schema: Mapping[str, Any]) -> None:
    """Put the schema into the last turn of the user: nothing else tells the model of it."""
    last = next((turn for turn in reversed(messages) if turn["role"] == "user"), None)
    if last is not None:
        last["content"] += f"\n\n{INSTRUCTION}{json.dumps(schema, ensure_ascii=False, separators=(',', ':'))}"


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


def read_completion(body: str) -> Answer:
    """The answer in a completion. Raises ``Passing`` for what is none, ``TooLong`` where an error says so."""
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError:
        raise Passing(f"an answer that cannot be read: {words(body)[:80]}") from None
    if not completion.choices:
        if TOO_LONG.search(body):
            raise TooLong(words(body))
        raise Passing(f"an answer without a choice: {words(body)[:160]}")
    choice, usage = completion.choices[0], completion.usage or _Usage()
    tokens = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return Answer(choice.message.content or "", choice.finish_reason or "stop", *tokens)
