"""Writes chats as requests and reads their answers: in OpenAI's format, or a simpler one where a server lacks it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from curation.runtime.terminal import without_surrogates

from .chat import Answer, Chat, TooLong
from .http_errors import SEARCHED_CHARACTERS, TOO_LONG, TransientError, error_text
from .thinking.message_text import message_text

ResponseForm = Literal["schema", "schema without bounds", "any JSON", "free text"]
RESPONSE_FORMS: tuple[ResponseForm, ...] = ("schema", "schema without bounds", "any JSON", "free text")
BOUNDS = frozenset(("minLength", "maxLength", "minItems", "maxItems"))
"""Keywords of a JSON schema that some clouds reject."""
LONGEST_ENDING = 40
"""Characters of a finish reason."""
CUT_OFF = frozenset(("max_tokens", "max_output_tokens", "max_length", "token_limit", "model_length"))
"""Finish reasons that stand for OpenAI's ``length``, as proxies of other interfaces pass them on."""
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
    """The features of OpenAI's interface that a request uses: by default all of them, fewer after ``fallback``."""

    form: ResponseForm = "schema"
    system: bool = True
    temperature: bool = True
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    @property
    def concessions(self) -> int:
        """The number of steps between the default and this dialect."""
        defaults = (self.system, self.temperature, self.limit == "max_tokens")
        return RESPONSE_FORMS.index(self.form) + defaults.count(False)

    def fallback(self, refusal: str) -> Dialect | None:
        """Return the dialect to try after a refusal with this text; None when there is no simpler one."""
        if self.limit == "max_tokens" and _LIMIT.search(refusal):
            return replace(self, limit="max_completion_tokens")
        if self.temperature and _TEMPERATURE.search(refusal):
            return replace(self, temperature=False)
        if self.system and _SYSTEM.search(refusal):
            return replace(self, system=False)
        simpler_forms = RESPONSE_FORMS[RESPONSE_FORMS.index(self.form) + 1 :]
        return replace(self, form=simpler_forms[0]) if simpler_forms else None

    def request(self, model: str, chat: Chat) -> dict[str, Any]:
        """Return the body of the request for a chat."""
        messages = [{"role": turn.role, "content": turn.content} for turn in chat.messages]
        if not self.system:
            messages = _fold_system(messages)
        if self.form in ("any JSON", "free text"):
            _append_schema(messages, chat.schema)
        body: dict[str, Any] = {"model": model, "messages": messages, self.limit: chat.max_tokens}
        if self.temperature:
            body["temperature"] = 0
        return body | _response_format(self.form, chat.schema)

    def notice(self) -> str:
        """Return what the server lacks, as text for people."""
        texts = {
            "form": f"a response format with our schema (asking for {self.form})",
            "system": "the role system (its text goes into the first turn)",
            "temperature": "temperature 0 (answers differ from run to run)",
            "limit": "max_tokens (max_completion_tokens is used)",
        }
        default = Dialect()
        names = (field.name for field in fields(self))
        return " and ".join(texts[name] for name in names if getattr(self, name) != getattr(default, name))


def _response_format(form: ResponseForm, schema: Mapping[str, Any]) -> dict[str, Any]:
    if form == "free text":
        return {}
    if form == "any JSON":
        return {"response_format": {"type": "json_object"}}
    sent_schema = dict(schema) if form == "schema" else _without_bounds(schema)
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "captions", "strict": True, "schema": sent_schema},
        }
    }


def _without_bounds(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        unbounded = {name: value for name, value in schema.items() if name not in BOUNDS or not isinstance(value, int)}
        return {name: _without_bounds(value) for name, value in unbounded.items()}
    return [_without_bounds(item) for item in schema] if isinstance(schema, list | tuple) else schema


def _fold_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Move the system text to the beginning of the first user turn."""
    system_texts = [turn["content"] for turn in messages if turn["role"] == "system"]
    turns = [dict(turn) for turn in messages if turn["role"] != "system"]
    first = next((turn for turn in turns if turn["role"] == "user"), None)
    if first is not None:
        first["content"] = "\n\n".join([*system_texts, first["content"]])
    return turns


def _append_schema(messages: list[dict[str, str]], schema: Mapping[str, Any]) -> None:
    """Append the schema to the last user turn: nothing else tells the model about it."""
    last = next((turn for turn in reversed(messages) if turn["role"] == "user"), None)
    if last is not None:
        last["content"] += f"\n\n{INSTRUCTION}{json.dumps(schema, ensure_ascii=False, separators=(',', ':'))}"


def read_completion(body: str) -> Answer:
    """Return the answer in a completion; thoughts that came apart from it only where there is no answer beside them.

    Raises ``TransientError`` for what is no completion, ``TooLong`` where it is an error that says so.
    """
    try:
        completion = json.loads(body)
    except (ValueError, RecursionError):
        raise TransientError(f"an answer that cannot be read: {error_text(body)[:80]}") from None
    choices = completion.get("choices") if isinstance(completion, dict) else None
    if not isinstance(choices, list) or not choices:
        if TOO_LONG.search(body[:SEARCHED_CHARACTERS]):
            raise TooLong(error_text(body))
        raise TransientError(f"an answer without a choice: {error_text(body)[:160]}")
    choice = choices[0] if isinstance(choices[0], dict) else {}
    content = message_text(choice.get("message"))
    if content is None:
        raise TransientError(f"an answer that cannot be read: {error_text(body)[:80]}")
    reason, usage = choice.get("finish_reason"), completion.get("usage")
    ending = without_surrogates(reason)[:LONGEST_ENDING] if isinstance(reason, str) and reason else "stop"
    counts = usage if isinstance(usage, dict) else {}
    tokens = _count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens"))
    return Answer(without_surrogates(content), "length" if ending.lower() in CUT_OFF else ending, *tokens)


def _count(value: Any) -> int:
    is_count = isinstance(value, int | float) and math.isfinite(value) and value > 0
    return int(value) if is_count else 0
