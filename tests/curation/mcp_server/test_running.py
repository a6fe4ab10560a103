"""Work in a thread: progress that grows, calls that are cancelled, errors that are told or kept back."""

import threading
import time
from typing import Any

import anyio
import pytest
from mcp.server.mcpserver.exceptions import ToolError

from curation.mcp_server.running import ClientProgress, run_work
from curation.runtime.errors import InputError


class FakeContext:
    """Notes what is reported."""

    def __init__(self) -> None:
        self.notes: list[tuple[float, float | None, str | None]] = []

    async def report_progress(self, done: float, total: float | None, message: str | None) -> None:
        self.notes.append((done, total, message))


def run(work: Any, context: Any = None) -> Any:
    async def call() -> Any:
        return await run_work(context or FakeContext(), work)  # type: ignore[arg-type]

    return anyio.run(call)


def test_progress_grows_and_carries_messages() -> None:
    context = FakeContext()

    def work(progress: ClientProgress) -> list[str]:
        progress.message("reading")
        progress.start(3, 0)
        progress.message("once more")
        progress.start(3, 0)
        for _ in range(3):
            progress.advance()
        for text in ("odd", "odd", *map(str, range(50))):
            progress.warning(text)
        return progress.warnings

    warnings = run(work, context)
    assert [message for _, _, message in context.notes if message] == ["reading", "once more"]
    counts = [done for done, _, _ in context.notes]
    assert counts == sorted(set(counts)) and counts[0] == 0 and counts[-1] == 3
    assert warnings[:2] == ["odd", "0"] and len(warnings) == 20


def test_our_errors_are_told_and_others_are_not() -> None:
    def full(progress: ClientProgress) -> None:
        raise OSError(28, "No space left")

    def lacking(progress: ClientProgress) -> None:
        raise ModuleNotFoundError("no torch", name="torch")

    def wrong(progress: ClientProgress) -> None:
        raise InputError("reports.csv: no column \x1b[31m")

    with pytest.raises(ToolError, match=r"^reports\.csv: no column \\x1b\[31m$"):
        run(wrong)
    with pytest.raises(ToolError, match="No space left"):
        run(full)
    with pytest.raises(ToolError, match=r"torch is not installed: .*\[train\]"):
        run(lacking)
    with pytest.raises(ZeroDivisionError):
        run(lambda progress: 1 // 0)


def test_a_cancelled_call_ends_its_thread_before_the_next_one_of_its_kind_begins() -> None:
    running = threading.Event()
    order: list[str] = []

    def long(progress: ClientProgress) -> None:
        running.set()
        try:
            while True:
                time.sleep(0.01)
                progress.raise_if_interrupted()
        finally:
            time.sleep(0.2)
            order.append("ended")

    async def scenario() -> None:
        lock = anyio.Lock()
        context: Any = FakeContext()
        async with anyio.create_task_group() as group:
            group.start_soon(run_work, context, long, lock)
            while not running.is_set():
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        await run_work(context, lambda progress: order.append("next"), lock)

    anyio.run(scenario)
    assert order == ["ended", "next"]
