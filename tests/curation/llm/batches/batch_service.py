"""A server with OpenAI's batch interface: real HTTP on this machine, with files and batches, which can fail as told."""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Body = dict[str, Any]
# What becomes of a request in a batch: the text of an answer, "expired", a status with an error, or no line at all.
Outcome = str | tuple[int, str] | None
Act = Callable[["Exchange"], bool]
"""Done before a request is answered; whether it was answered by that."""


class BatchService:
    """The server. ``respond`` decides on each request of a batch; ``states`` are those that a batch goes through.

    ``faults`` has for a kind of request (upload, create, status, list, content, chat) what is done instead, in turn.
    """

    def __init__(self, respond: Callable[[Body], Outcome]) -> None:
        self.respond = respond
        self.states = ["validating", "in_progress", "completed"]
        self.faults: dict[str, list[Act]] = defaultdict(list)
        self.files: dict[str, tuple[str, bytes]] = {}
        self.batches: dict[str, Body] = {}
        self.asked: list[Body] = []
        self.chats: list[Body] = []
        self.lists_batches = True
        self.lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Exchange,), {"service": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def sizes(self) -> list[int]:
        """How many requests each batch has that was made."""
        return [len(batch["lines"]) for batch in self.batches.values()]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def keep_file(self, name: str, content: bytes) -> str:
        with self.lock:
            number = f"file-{len(self.files) + 1}"
            self.files[number] = (name, content)
            return number

    def make_batch(self, request: Body) -> Body:
        with self.lock:
            lines = [json.loads(line) for line in self.files[request["input_file_id"]][1].splitlines()]
            batch_id = f"batch_{len(self.batches) + 1}"
            self.batches[batch_id] = {**request, "id": batch_id, "lines": lines, "left": list(self.states)}
            return self.shown(batch_id)

    def shown(self, batch_id: str, *, step: bool = False) -> Body:
        """The batch as it is told; with ``step`` it goes on to its next state first."""
        with self.lock:
            batch = self.batches[batch_id]
            status = batch["left"][0]
            if step and len(batch["left"]) > 1:
                batch["left"].pop(0)
                status = batch["left"][0]
            if status in ("completed", "expired", "cancelled") and "output_file_id" not in batch:
                self._end(batch, status)
            kept = ("id", "input_file_id", "metadata", "output_file_id", "error_file_id", "errors", "request_counts")
            return {"object": "batch", "status": status, **{name: batch[name] for name in kept if name in batch}}

    def _end(self, batch: Body, status: str) -> None:
        done, failed = [], []
        for line in reversed(batch["lines"]):  # in no order of ours
            outcome = self.respond(line["body"])
            self.asked.append(line["body"])
            row: Body = {"id": "x", "custom_id": line["custom_id"], "response": None, "error": None}
            if outcome is None:
                continue
            if outcome == "expired":
                row["error"] = {"code": "batch_expired", "message": "This request could not be executed in time."}
                failed.append(row)
            elif isinstance(outcome, tuple):
                row["response"] = {"status_code": outcome[0], "body": {"error": {"message": outcome[1]}}}
                failed.append(row)
            else:
                row["response"] = {"status_code": 200, "body": completion(outcome)}
                done.append(row)
        for name, rows in (("output_file_id", done), ("error_file_id", failed)):
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            batch[name] = self.keep_file("results.jsonl", lines.encode()) if rows else None
        batch["request_counts"] = {"total": len(batch["lines"]), "completed": len(done), "failed": len(failed)}


def completion(text: str) -> Body:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    return {"object": "chat.completion", "choices": [choice], "usage": usage}


class Exchange(BaseHTTPRequestHandler):
    """One request and its answer."""

    service: BatchService
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.serve("GET")

    def do_POST(self) -> None:
        self.serve("POST")

    def do_DELETE(self) -> None:
        self.serve("DELETE")

    def serve(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            self.content = b"".join(chunks)
        else:
            self.content = self.rfile.read(length)
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        kind, name = self.kind(method, parts.path)
        faults = self.service.faults[kind]
        if faults and faults.pop(0)(self):
            return
        getattr(self, f"do_{kind}")(name)

    def kind(self, method: str, path: str) -> tuple[str, str]:
        for wanted, pattern, kind in (
            ("GET", "/v1/models", "models"),
            ("POST", "/v1/chat/completions", "chat"),
            ("POST", "/v1/files", "upload"),
            ("GET", "/v1/files", "files"),
            ("GET", "/v1/files/([^/]+)/content", "content"),
            ("DELETE", "/v1/files/([^/]+)", "delete"),
            ("POST", "/v1/batches", "create"),
            ("GET", "/v1/batches", "list"),
            ("GET", "/v1/batches/([^/]+)", "status"),
        ):
            if method == wanted and (match := re.fullmatch(pattern, path)):
                return kind, match[1] if match.groups() else ""
        return "unknown", path

    def reply(self, value: Any, status: int = 200) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status: int, message: str) -> bool:
        self.reply({"error": {"message": message}}, status)
        return True

    def hang_up(self) -> bool:
        self.close_connection = True
        self.connection.close()
        return True

    def do_unknown(self, path: str) -> None:
        self.error(404, f"no {path} here")

    def do_models(self, _: str) -> None:
        self.reply({"data": [{"id": "model-1"}]})

    def do_chat(self, _: str) -> None:
        body = json.loads(self.content)
        self.service.chats.append(body)
        outcome = self.service.respond(body)
        if isinstance(outcome, tuple):
            self.error(*outcome)
        else:
            self.reply(completion(str(outcome)))

    def do_upload(self, _: str) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.content)
        fields = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
        assert fields["purpose"].get_content().strip() == "batch"
        file = fields["file"]
        content = file.get_payload(decode=True)
        assert isinstance(content, bytes)
        number = self.service.keep_file(file.get_filename() or "", content)
        self.reply({"id": number, "object": "file"})

    def do_files(self, _: str) -> None:
        self.reply({"data": [{"id": number, "filename": name} for number, (name, _) in self.service.files.items()]})

    def do_content(self, number: str) -> None:
        if number in self.service.files:
            self.reply(self.service.files[number][1])
        else:
            self.error(404, "no such file")

    def do_delete(self, number: str) -> None:
        self.service.files.pop(number, None)
        self.reply({"id": number, "deleted": True})

    def do_create(self, _: str) -> None:
        self.reply(self.service.make_batch(json.loads(self.content)))

    def do_list(self, _: str) -> None:
        if not self.service.lists_batches:
            self.error(404, "not here")
            return
        names = list(reversed(self.service.batches))
        after, limit = self.query.get("after"), int(self.query["limit"])
        begin = names.index(after) + 1 if after else 0
        page = [self.service.shown(name) for name in names[begin : begin + limit]]
        self.reply({"data": page, "has_more": begin + limit < len(names)})

    def do_status(self, name: str) -> None:
        if name in self.service.batches:
            self.reply(self.service.shown(name, step=True))
        else:
            self.error(404, "no such batch")
