"""A server with OpenAI's interface and bad manners: real HTTP on this machine, in threads of the test.

What it does with a chat is an ``Act``, chosen for each request by ``behave`` (``mischief.py`` has both). It keeps
a record of all that was asked.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Turns = list[dict[str, str]]


@dataclass
class Asked:
    """A request for a chat: its ``number`` among all, and how often the same turns had been asked before.

    ``answered`` once a whole answer went out, whatever it said.
    """

    number: int
    before: int
    body: dict[str, Any]
    answered: bool = False

    @property
    def turns(self) -> Turns:
        turns: Turns = self.body["messages"]
        return turns

    @property
    def question(self) -> str:
        return self.turns[-1]["content"]

    @property
    def form(self) -> str:
        """``json_schema``, ``json_object`` or ``text``."""
        return str(self.body.get("response_format", {}).get("type", "text"))

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(self.turns).encode()).hexdigest()


Act = Callable[["Exchange", Asked], None]
Behave = Callable[[Asked], Act]


class Hostile:
    """The server. ``respond`` makes an answer of the turns; ``behave`` decides what really happens.

    ``models`` is what it lists, names or whole entries; None for a server without a list. With ``key``, whoever does
    not bring it is turned away, and shown it.
    """

    def __init__(
        self,
        respond: Callable[[Turns], str] = lambda turns: '{"captions": []}',
        behave: Behave | None = None,
        *,
        models: Sequence[str | Mapping[str, Any]] | None = ("hostile-1",),
        key: str | None = None,
    ) -> None:
        self.respond = respond
        self.behave = behave or (lambda asked: answers)
        self.models = models
        self.key = key
        self.log: list[Asked] = []
        self.listed = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._seen: Counter[str] = Counter()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="hostile")
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def answered(self) -> list[Asked]:
        """The chats that got a whole answer."""
        with self.lock:
            return [asked for asked in self.log if asked.answered]

    def note(self, body: dict[str, Any]) -> Asked:
        with self.lock:
            asked = Asked(len(self.log), 0, body)
            asked.before = self._seen[asked.key]
            self._seen[asked.key] += 1
            self.log.append(asked)
            return asked

    def close(self) -> None:
        """Stop, in the middle of an answer where need be. Nothing listens afterwards."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> Hostile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = False  # closing waits for them

    def __init__(self, owner: Hostile) -> None:
        self.owner = owner
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), Exchange)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that has gone is nothing new
            super().handle_error(request, client_address)


class Exchange(BaseHTTPRequestHandler):
    """One connection; an ``Act`` answers through it."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # 40 ms for each answer otherwise

    @property
    def owner(self) -> Hostile:
        return self.server.owner

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        with self.owner.lock:
            self.owner.listed += 1
        if not self._let_in():
            return
        if not self.path.endswith("/models") or self.owner.models is None:
            self.error(404, "Not Found")
            return
        entries = [{"id": model} if isinstance(model, str) else model for model in self.owner.models]
        self.reply(200, json.dumps({"object": "list", "data": entries}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._let_in():
            return
        if not self.path.endswith("/chat/completions"):
            self.error(404, "Not Found")
            return
        asked = self.owner.note(body)
        self.owner.behave(asked)(self, asked)

    def _let_in(self) -> bool:
        brought = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.owner.key is not None and brought != self.owner.key:
            self.error(401, f"Incorrect API key provided: {brought} (starts with {brought[:8]}****{brought[-4:]}).")
            return False
        return True

    def reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.head(status, len(body), headers)
        self.wfile.write(body)

    def head(self, status: int, length: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        self.reply(status, json.dumps({"error": {"message": message, **more}}).encode(), headers)

    def drop(self, *, reset: bool = False) -> None:
        """Close the connection; with ``reset``, as a process that was killed does."""
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def say(self, asked: Asked, content: str | None, finish_reason: str = "stop") -> None:
        asked.answered = True  # before it is sent: whoever has got it finds it in the log
        self.reply(200, completion(asked, content, finish_reason))


def completion(asked: Asked, content: str | None, finish_reason: str = "stop") -> bytes:
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": sum(len(turn["content"].split()) for turn in asked.turns)}
    usage["completion_tokens"] = len((content or "").split())
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def answers(exchange: Exchange, asked: Asked) -> None:
    exchange.say(asked, exchange.owner.respond(asked.turns))
