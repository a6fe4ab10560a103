"""Runs the work of a tool in a thread: progress goes to the client, a call that is cancelled ends, errors are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from curation.runtime.errors import Interrupted, extra_hint
from curation.runtime.progress import Progress
from curation.runtime.terminal import log, on_one_line

# Seconds between two notes of progress.
INTERVAL = 0.2
NOTICED_WITHIN = 0.05
LONGEST_MESSAGE = 500
MOST_WARNINGS = 20
LONGEST_ERROR = 4_000

ResultT = TypeVar("ResultT")
CallContext = Context[Any, Any]


class ClientProgress(Progress):
    """Sends progress to the client of a call, and interrupts the work where the call was cancelled.

    Each note has a higher count than the one before, as the protocol asks; messages go with the next one. ``warnings``
    keeps the first warnings for the answer.
    """

    def __init__(self, context: CallContext) -> None:
        self.cancelled = False
        self.warnings: list[str] = []
        self._context = context
        self._total: int | None = None
        self._done, self._told = 0, -1
        self._status = ""
        self._sent = 0.0

    def start(self, total: int | None, done: int) -> None:
        """Start counting."""
        self._total, self._done = total, done
        self._send()

    def advance(self) -> None:
        """Count one finished item, and tell the client if it was last told some time ago."""
        self._done += 1
        if self._done == self._total or time.monotonic() - self._sent >= INTERVAL:
            self._send()

    def set_status(self, status: str) -> None:
        """Tell the client this with the next count."""
        self._status = status

    def message(self, text: str) -> None:
        """Tell the client this with the next count."""
        self._status = text

    def warning(self, text: str) -> None:
        """Keep a warning for the answer."""
        if len(self.warnings) < MOST_WARNINGS and text not in self.warnings:
            self.warnings.append(text[:LONGEST_MESSAGE])

    def raise_if_interrupted(self) -> None:
        """Raise ``Interrupted`` where the call was cancelled."""
        if self.cancelled:
            raise Interrupted

    def flush(self) -> None:
        """Tell the client the last count."""
        self._send()

    def _send(self) -> None:
        self.raise_if_interrupted()
        if self._done <= self._told:
            return
        self._sent, self._told = time.monotonic(), self._done
        text, self._status = self._status[:LONGEST_MESSAGE] or None, ""
        anyio.from_thread.run(self._context.report_progress, self._done, self._total, text)


async def run_work(
    context: CallContext, work: Callable[[ClientProgress], ResultT], lock: anyio.Lock | None = None
) -> ResultT:
    """Do the work of a call in a thread and return its result; those that share a lock go one after the other.

    Raises ``ToolError``, with our own text, for what the caller can put right.
    """
    progress = ClientProgress(context)
    if lock is None:
        return await _run(progress, work)
    async with lock:
        return await _run(progress, work)


async def _run(progress: ClientProgress, work: Callable[[ClientProgress], ResultT]) -> ResultT:
    ended = threading.Event()

    def guarded() -> ResultT:
        try:
            result = work(progress)
            progress.flush()
            return result
        except Exception as error:
            raise _told(error) from error
        finally:
            ended.set()

    try:
        return await anyio.to_thread.run_sync(guarded, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        progress.cancelled = True
        # The lock is held, and what is written stays this call's, until the thread has noticed.
        with anyio.CancelScope(shield=True):
            while not ended.is_set():
                await anyio.sleep(NOTICED_WITHIN)
        raise


def _told(error: Exception) -> Exception:
    """Return the error that the client is told: our errors and those of files with their text, no others."""
    if isinstance(error, Interrupted):
        return ToolError("stopped; the same call goes on where it stopped")
    if isinstance(error, ModuleNotFoundError):
        return ToolError(f"{error.name} is not installed: {extra_hint('train')}")
    if isinstance(error, OSError) or isinstance(getattr(error, "exit_code", None), int):
        log.info("a call failed: %s", error)
        return ToolError(on_one_line(str(error))[:LONGEST_ERROR])
    return error
