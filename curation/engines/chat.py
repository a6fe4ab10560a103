"""The interface of a language model that answers chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol


class Message(NamedTuple):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Chat(NamedTuple):
    """What a model is asked: the turns, and the JSON schema of its answer.

    ``schema`` is the same object for all chats of one kind, so that what an engine works out for it can be kept.
    """

    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    max_tokens: int


class Answer(NamedTuple):
    """What a model said.

    ``finish_reason`` is ``stop``, ``length`` (cut off), ``repetition`` (stopped, for it went round in circles), or what
    else the server calls it.
    """

    content: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class TooLong(Exception):
    """A chat and its answer do not fit into the model's context: ask about less."""


class ChatFailed(Exception):
    """One chat got no answer and will get none; others may. The message says why, without any key."""


class EngineDown(Exception):
    """No chat will get an answer (server gone, key refused, out of memory): the run stops, and can be resumed."""


class ChatEngine(Protocol):
    """A language model behind some interface. Made and used in one event loop.

    ``in_flight`` is how many chats it works on at once, so that enough others can be made ready meanwhile; ``context``
    how many tokens a chat and its answer may have together, where that is known.
    """

    name: str
    model: str
    in_flight: int
    context: int | None

    async def answer(self, chat: Chat) -> Answer:
        """Answer one chat. Raises ``TooLong``, ``ChatFailed`` or ``EngineDown``; may be called many times at once."""
        ...

    async def close(self) -> None:
        """Let go of the model or the connections."""
        ...
