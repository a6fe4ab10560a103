"""The interface of a language model that answers chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol


class Message(NamedTuple):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Chat(NamedTuple):
    """A request to a model: the turns, the JSON schema of the answer, and the most tokens the answer may have.

    ``schema`` is the same object for all chats of one kind, so that an engine can cache what it derives from it.
    """

    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    max_tokens: int


class Answer(NamedTuple):
    """A model's answer to a chat.

    ``finish_reason`` is ``stop``, ``length`` (cut off), ``repetition`` (stopped because it repeated itself), or
    another word of the server's.
    """

    content: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class TooLong(Exception):
    """A chat and its answer do not fit into the model's context: ask about less."""


class ChatFailed(Exception):
    """One chat got no answer and will get none; others may. The message says why and holds no key."""


class EngineDown(Exception):
    """No chat will get an answer (server gone, key refused, out of memory): the run stops, and can be resumed."""


class ChatEngine(Protocol):
    """A language model behind some interface. It is built and used in one event loop.

    ``in_flight`` is the number of chats it works on at once, so that callers can prepare enough of them in advance;
    ``context`` is the number of tokens that a chat and its answer may have together, None where it is not known.
    """

    name: str
    model: str
    in_flight: int
    context: int | None

    async def answer(self, chat: Chat) -> Answer:
        """Answer one chat. Raises ``TooLong``, ``ChatFailed`` or ``EngineDown``; may be called concurrently."""
        ...

    async def close(self) -> None:
        """Release the model or the connections."""
        ...
