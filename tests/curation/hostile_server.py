"""A server with OpenAI's interface and bad manners: real HTTP on this machine, in threads of the test.

What it does with a chat is an ``Act``, chosen for each request by ``behave`` (``server_faults.py`` has both). It keeps
a record of all requests.
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
class ChatRequest:
    """A request for a chat: its ``number`` among all, and how often the same turns had been sent before.

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


Act = Callable[["Exchange", ChatRequest], None]
Behave = Callable[[ChatRequest], Act]


class HostileServer:
    """The server. ``respond`` makes an answer from the turns; ``behave`` decides what really happens.

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
        self.behave = behave or (lambda request: answers)
        self.models = models
        self.key = key
        self.log: list[ChatRequest] = []
        self.listed = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._seen: Counter[str] = Counter()
        self._server = _ThreadedServer(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="hostile")
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def answered(self) -> list[ChatRequest]:
        """The chats that got a whole answer."""
        with self.lock:
            return [request for request in self.log if request.answered]

    def record(self, body: dict[str, Any]) -> ChatRequest:
        with self.lock:
            request = ChatRequest(len(self.log), 0, body)
            request.before = self._seen[request.key]
            self._seen[request.key] += 1
            self.log.append(request)
            return request

    def close(self) -> None:
        """Stop, in the middle of an answer where need be. Nothing listens afterwards."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> HostileServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _ThreadedServer(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = False  # closing waits for them

    def __init__(self, owner: HostileServer) -> None:
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

    server: _ThreadedServer
    sent = 0  # bytes of a body without end
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # 40 ms for each answer otherwise

    @property
    def owner(self) -> HostileServer:
        return self.server.owner

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        with self.owner.lock:
            self.owner.listed += 1
        if not self._is_authorized():
            return
        if not self.path.endswith("/models") or self.owner.models is None:
            self.error(404, "Not Found")
            return
        entries = [{"id": model} if isinstance(model, str) else model for model in self.owner.models]
        self.reply(200, json.dumps({"object": "list", "data": entries}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._is_authorized():
            return
        if not self.path.endswith("/chat/completions"):
            self.error(404, "Not Found")
            return
        request = self.owner.record(body)
        self.owner.behave(request)(self, request)

    def _is_authorized(self) -> bool:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.owner.key is not None and key != self.owner.key:
            self.error(401, f"Incorrect API key provided: {key} (starts with {key[:8]}****{key[-4:]}).")
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

    def say(self, request: ChatRequest, content: str | None, finish_reason: str = "stop") -> None:
        request.answered = True  # before it is sent: whoever has got it finds it in the log
        self.reply(200, completion(request, content, finish_reason))


def completion(request: ChatRequest, content: str | None, finish_reason: str = "stop") -> bytes:
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": sum(len(turn["content"].split()) for turn in request.turns)}
    usage["completion_tokens"] = len((content or "").split())
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def answers(exchange: Exchange, request: ChatRequest) -> None:
    exchange.say(request, exchange.owner.respond(request.turns))
