"""The text in the message of a completion, wherever a server puts it: in parts, in a call of a tool, among thoughts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .thoughts import as_thought

THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "thoughts")
"""Where vLLM, DeepSeek and SGLang; vLLM and OpenRouter; Ollama; OpenRouter; and others put thoughts."""
THOUGHT_TYPES = ("thinking", "reasoning", "thought", "redacted_thinking")
MOST_PARTS = 10_000


def message_text(message: Any) -> str | None:
    """Return the answer in a message; marked thoughts where it has nothing else; "" where it is empty.

    None for what is no message.
    """
    if not isinstance(message, Mapping):
        return None
    content = message.get("content")
    if content is not None and not isinstance(content, str | list | Mapping):
        return None
    texts: list[str] = []
    thoughts: list[str] = []
    for is_thought, text in _parts(content):
        (thoughts if is_thought else texts).append(text)
    answer = "".join(texts)
    if answer.strip():
        return answer
    instead = _tool_arguments(message.get("tool_calls")) or _string(message.get("refusal"))
    if instead.strip():
        return instead
    for name in THOUGHT_FIELDS:
        thoughts += [text for _, text in _parts(message.get(name))]
        if any(map(str.strip, thoughts)):
            return as_thought("".join(thoughts))
    return answer


def _parts(content: Any, depth: int = 0) -> Iterator[tuple[bool, str]]:
    """Yield the texts of a message's content in order, each with whether it is a thought."""
    if isinstance(content, str):
        yield False, content
    elif isinstance(content, list) and depth < 3:
        for part in content[:MOST_PARTS]:
            yield from _parts(part, depth + 1)
    elif isinstance(content, Mapping):
        kind = _string(content.get("type"))
        is_thought = kind.startswith(THOUGHT_TYPES)
        values = [
            content[name] for name in ("text", "content", "value", *THOUGHT_TYPES, "summary") if content.get(name)
        ]
        if not values and not kind:
            yield False, json.dumps(content)  # the answer itself, read already
        for value in values[:1]:
            yield from ((is_thought or inner, text) for inner, text in _parts(value, depth + 1))


def _tool_arguments(calls: Any) -> str:
    """Return the arguments of the first call of a tool: some servers make a schema into a tool."""
    call = calls[0] if isinstance(calls, list) and calls else None
    function = call.get("function") if isinstance(call, Mapping) else None
    arguments = function.get("arguments") if isinstance(function, Mapping) else None
    return json.dumps(arguments) if isinstance(arguments, Mapping) else _string(arguments)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
