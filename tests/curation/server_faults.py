"""Faults of a hostile server: acts, each for one chat, and the behaviour of a server as a whole."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.curation.hostile_server import Act, Behave, ChatRequest, Exchange, answers, completion


def drops(exchange: Exchange, request: ChatRequest) -> None:
    exchange.drop(reset=True)


def drops_half_way(exchange: Exchange, request: ChatRequest) -> None:
    body = completion(request, exchange.owner.respond(request.turns))
    exchange.head(200, len(body))
    exchange.wfile.write(body[: len(body) // 2])
    exchange.drop()


def broken_json(exchange: Exchange, request: ChatRequest) -> None:
    exchange.reply(200, completion(request, exchange.owner.respond(request.turns))[:-7])


def a_page(exchange: Exchange, request: ChatRequest) -> None:
    exchange.reply(200, b"<html><body>Sign in to the wireless network</body></html>", {"Content-Type": "text/html"})


def no_choices(exchange: Exchange, request: ChatRequest) -> None:
    exchange.reply(200, b'{"object": "chat.completion", "choices": [], "usage": null}')


def an_error_in_200(exchange: Exchange, request: ChatRequest) -> None:
    exchange.reply(200, b'{"error": {"message": "the upstream is overloaded", "code": 502}}')


def fails(status: int, message: str = "internal error", headers: Mapping[str, str] | None = None, **more: Any) -> Act:
    return lambda exchange, request: exchange.error(status, message, headers, **more)


def limits(retry_after: str | None = None) -> Act:
    return fails(429, "Rate limit reached", {} if retry_after is None else {"Retry-After": retry_after})


def drips(seconds: float) -> Act:
    """The answer, byte by byte: something always comes, and the end takes so many seconds."""

    def act(exchange: Exchange, request: ChatRequest) -> None:
        body = completion(request, exchange.owner.respond(request.turns))
        exchange.head(200, len(body))
        for at in range(len(body)):
            if exchange.owner.closing.wait(seconds / len(body)):
                return exchange.drop()
            exchange.wfile.write(body[at : at + 1])
        request.answered = True

    return act


def says(content: str | None, finish_reason: str = "stop") -> Act:
    """An answer that the model should not have given."""
    return lambda exchange, request: exchange.say(request, content, finish_reason)


NOT_JSON = says("Sure! Here are the captions you asked for: the liver is normal.")
WRONG_SCHEMA = says('{"organs": {"liver": 12}, "captions": "none"}')
BLANKS = says('{"captions": [' + " \n" * 400, "length")


def redirects(location: str, status: int = 307) -> Act:
    """Sends a request on, to an address or a path."""
    return lambda exchange, request: exchange.reply(status, b"", {"Location": location})


def too_large(exchange: Exchange, request: ChatRequest, megabytes: int = 64) -> None:
    """A body of blanks that never ends, as far as a client would read it."""
    exchange.send_response(200)
    exchange.send_header("Content-Type", "application/json")
    exchange.end_headers()
    for _ in range(megabytes):
        exchange.sent += exchange.wfile.write(b" " * 2**20)
    exchange.drop()


def packed(body: bytes, encoding: str = "gzip") -> Act:
    """A body as it stands, said to be packed."""
    return lambda exchange, request: exchange.reply(200, body, {"Content-Encoding": encoding})


def message(fields: Mapping[str, Any], finish_reason: Any = "stop", **more: Any) -> Act:
    """A message of any form."""

    def act(exchange: Exchange, request: ChatRequest) -> None:
        request.answered = True
        choice = {"index": 0, "message": {"role": "assistant", **fields}, "finish_reason": finish_reason}
        exchange.reply(200, json.dumps({"choices": [choice], **more}).encode())

    return act


def fenced(exchange: Exchange, request: ChatRequest) -> None:
    exchange.say(request, f"```json\n{exchange.owner.respond(request.turns)}\n```")


def cut_off(exchange: Exchange, request: ChatRequest) -> None:
    content = exchange.owner.respond(request.turns)
    exchange.say(request, content[: len(content) * 2 // 3], "length")


TROUBLES: tuple[Act, ...] = (
    drops, drops_half_way, broken_json, a_page, no_choices, an_error_in_200,
    limits("0.01"), limits(), fails(500), fails(502), fails(503),
)  # fmt: skip
"""Transient faults: the next try may succeed."""
NONSENSE: tuple[Act, ...] = (NOT_JSON, WRONG_SCHEMA, BLANKS, fenced, cut_off)
"""Answers of a model that has lost its way."""

TOO_LONG = {
    "vllm": fails(400, "This model's maximum context length is 512 tokens. However, you requested 900 tokens (400 in "
                  "the messages, 500 in the completion). Please reduce the length of the messages or completion."),
    "llama.cpp": fails(400, "request (900 tokens) exceeds the available context size (512 tokens), try increasing it",
                       type="exceed_context_size_error", n_ctx=512),
    "llama.cpp, full": fails(500, "Context size has been exceeded.", type="server_error"),
    "openai": fails(400, "Your input exceeds it.", type="invalid_request_error", code="context_length_exceeded"),
    "sglang": fails(400, "The input (900 tokens) is longer than the model's context length (512 tokens)."),
    "ollama": fails(400, "the input length exceeds the context length"),
}  # fmt: skip


# How a server behaves as a whole.


def in_turn(*acts: Act, then: Act = answers) -> Behave:
    """These acts for the first requests, one each, and another for all that follow."""
    return lambda request: acts[request.number] if request.number < len(acts) else then


def at_first(*acts: Act, then: Act = answers) -> Behave:
    """These acts for each chat, one for each time that it is sent, and another from then on."""
    return lambda request: acts[request.before] if request.before < len(acts) else then


def sometimes(share: float, acts: Sequence[Act] = TROUBLES, seed: int = 0, then: Act = answers) -> Behave:
    """Trouble in a share of the requests. It depends on the chat and on how often it was sent, not on the order."""

    def behave(request: ChatRequest) -> Act:
        chance = random.Random(f"{seed} {request.key} {request.before}")
        return chance.choice(acts) if chance.random() < share else then

    return behave


def understands(*forms: str, act: Act = answers, refusal: Act | None = None) -> Behave:
    """A server that knows these of ``json_schema``, ``json_object`` and ``text``, and refuses the others."""
    refused = refusal or fails(400, "'response_format.type' is not supported")
    return lambda request: act if request.form in forms else refused


@dataclass
class Switch:
    """Behaviour that a test changes on the way."""

    behave: Behave = field(default=lambda request: answers)

    def __call__(self, request: ChatRequest) -> Act:
        return self.behave(request)
