"""An engine that answers chats by batch: those that wait together go to the server as one file of requests.

Chats are gathered until none has come for a while: a round of a run (questions, their second tries, repairs) is one
batch, unless the server's limits part it. The first chat of all is asked directly, so that a form of request that the
server refuses is noticed within a second and not within a day. What was sent is in ``BatchStore``: a run that was
stopped, whenever, asks the server for the batches that it has sent, and sends none twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, cast

from curation.engines.chat import Answer, Chat, ChatEngine, ChatFailed, EngineDown, TooLong
from curation.engines.dialect import Dialect
from curation.engines.http_errors import RequestRefused, TransientError
from curation.engines.openai import CHARACTERS_PER_TOKEN, RESUME_HINT, OpenAIEngine, characters
from curation.engines.thinking.watched_engine import WatchedEngine
from curation.runtime.errors import OvctError

from ..answer_store import chat_key
from ..usage import Prices, UsageCounts
from .batch_files import TOO_LONG, request_line
from .batch_work import BatchLimits, BatchOutcome, BatchWork, lines_that_fit


class _Waiting(NamedTuple):
    chat: Chat
    answer: asyncio.Future[Answer]


class BatchEngine:
    """Answers chats by batch. It is built in the event loop that it is used in, and opened before it is asked."""

    name = "openai"

    def __init__(self, engine: OpenAIEngine, limits: BatchLimits | None = None) -> None:
        self._engine = engine
        self._limits = limits or BatchLimits()
        self.model, self.context = engine.model, engine.context
        # So many reports are made ready at once that a round of a large input fills a batch.
        self.in_flight = max(1, self._limits.requests // 2)
        self._most_requests, self._is_server_full = self._limits.requests, False
        self._work: BatchWork | None = None
        self._task: asyncio.Task[None] | None = None
        self._queue: dict[str, _Waiting] = {}
        self._sent: dict[str, _Waiting] = {}
        self._asked_at = 0.0
        self._handed_over = set[bytes]()
        self._down: str | None = None
        self._prices: Prices | None = None
        self._tell: Callable[[str], None] = lambda text: None

    def open(self, folder: Path, tell: Callable[[str], None], prices: Prices | None = None) -> None:
        """Open the store in a folder, and go on with what it says was sent. ``tell`` is told of each batch.

        Raises ``RunError`` for a damaged store.
        """
        self._tell, self._prices = tell, prices
        self._work = BatchWork(self._engine, folder, tell, self._limits)
        form = self._work.store.dialect(self._server_name)
        if form is not None:
            self._engine.dialect = Dialect(**cast("dict[str, Any]", form))
        self._is_form_known = form is not None
        self._task = asyncio.get_running_loop().create_task(self._run(self._work))

    def settle(self) -> None:
        """Forget the answers that were handed over: a run that came to its end has stored those that it can use.

        A later run that asks for one of them wants another answer.
        """
        if self._work is not None:
            self._work.store.forget_answers(key.hex() for key in self._handed_over)
            self._handed_over.clear()

    async def finish(self) -> None:
        """Stop asking about batches and close the store; what was sent stays sent."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._work is not None:
            self._work.store.close()
            self._work = None

    async def close(self) -> None:
        """Close the store and the connections."""
        await self.finish()
        await self._engine.close()

    async def answer(self, chat: Chat) -> Answer:
        """Answer one chat. Raises ``TooLong``, ``ChatFailed`` or ``EngineDown``."""
        if self._down is not None or self._work is None:
            raise EngineDown(self._down or "the batches of this run are closed")
        self._engine.check_length(chat)
        key = self._key(chat)
        known = self._work.store.request(key)
        if known is not None and known.answer is not None:
            self._handed_over.add(bytes.fromhex(key))
            return known.answer
        if known is not None and known.error is not None:
            self._work.store.forget(key)  # it failed in an earlier run: this one tries anew
        loop = asyncio.get_running_loop()
        waiting = _Waiting(chat, loop.create_future())
        (self._queue if known is None or known.batch is None else self._sent)[key] = waiting
        self._asked_at = loop.time()
        try:
            answer = await waiting.answer
            self._handed_over.add(bytes.fromhex(key))
            return answer
        finally:
            self._queue.pop(key, None)
            self._sent.pop(key, None)

    @property
    def _server_name(self) -> str:
        return f"{self._engine.client.url} {self.model}"

    def _key(self, chat: Chat) -> str:
        return chat_key(chat, f"{self._server_name} {sorted(self._engine.client.extra_fields.items())}").hex()

    async def _run(self, work: BatchWork) -> None:
        """Send what waits and fetch what is done, until the engine is closed or cannot go on."""
        loop, poll, next_poll = asyncio.get_running_loop(), self._limits.first_poll, 0.0
        try:
            await work.resume()
            while True:
                if self._is_round_complete(work, loop.time()):
                    await self._send_round(work)
                    poll = self._limits.first_poll
                    next_poll = min(next_poll, loop.time() + poll)
                if loop.time() >= next_poll and work.store.open_batches():
                    outcomes = await work.poll()
                    for outcome in outcomes:
                        self._take(outcome)
                    poll = self._limits.first_poll if outcomes else min(1.5 * poll, self._limits.longest_poll)
                    next_poll = loop.time() + poll
                await asyncio.sleep(min(0.5, self._limits.settle / 2, self._limits.first_poll))
        except (EngineDown, OvctError, OSError) as error:
            self._stop(str(error))
        except (TransientError, RequestRefused, TooLong) as error:
            self._stop(f"the server at {self._engine.client.url} does not go on with batches: {error}. {RESUME_HINT}")

    def _stop(self, reason: str) -> None:
        self._down = self._down or reason
        for waiting in (*self._queue.values(), *self._sent.values()):
            if not waiting.answer.done():
                waiting.answer.set_exception(EngineDown(self._down))

    def _is_round_complete(self, work: BatchWork, now: float) -> bool:
        if not self._queue or (self._is_server_full and work.store.open_batches()):
            return False
        return len(self._queue) >= self._most_requests or now - self._asked_at >= self._limits.settle

    async def _send_round(self, work: BatchWork) -> None:
        """Send the chats that wait, as far as they go into one batch."""
        while self._queue and not self._is_form_known:
            await self._ask_directly(work)
        lines = lines_that_fit(self._lines(), self._most_requests, self._limits.bytes)
        if not lines:
            return
        keys = [key for key, _ in lines]
        self._tell(self._announcement([self._queue[key].chat for key in keys]))
        for key in keys:
            self._sent[key] = self._queue.pop(key)
        await work.send(lines)

    def _lines(self) -> Iterator[tuple[str, bytes]]:
        """Yield the requests of the chats that wait; one that no file has room for is told so."""
        for key, waiting in list(self._queue.items()):
            body = {**self._engine.dialect.request(self.model, waiting.chat), **self._engine.client.extra_fields}
            line = request_line(key, body)
            if len(line) <= self._limits.bytes:
                yield key, line
            elif not waiting.answer.done():
                waiting.answer.set_exception(
                    TooLong(f"{len(line):,} bytes, and {self._limits.bytes:,} fit into a batch")
                )

    async def _ask_directly(self, work: BatchWork) -> None:
        """Ask one chat as a single request: the form of request that is accepted is that of the batches."""
        key, waiting = next(iter(self._queue.items()))
        try:
            answer = await self._engine.answer(waiting.chat)
        except (ChatFailed, TooLong) as error:
            self._queue.pop(key, None)
            if not waiting.answer.done():
                waiting.answer.set_exception(error)
            return
        work.store.answered_directly(key, answer)
        work.store.keep_dialect(self._server_name, asdict(self._engine.dialect))
        self._is_form_known = True
        self._queue.pop(key, None)
        if not waiting.answer.done():
            waiting.answer.set_result(answer)

    def _announcement(self, chats: Sequence[Chat]) -> str:
        """Return what a batch comes to, before it is sent."""
        tokens_in = round(sum(map(characters, chats)) / CHARACTERS_PER_TOKEN)
        tokens_out = sum(chat.max_tokens for chat in chats)
        cost = ""
        if self._prices is not None:
            least = self._prices.of(UsageCounts(prompt_tokens=tokens_in))
            most = self._prices.of(UsageCounts(prompt_tokens=tokens_in, completion_tokens=tokens_out))
            cost = f"; from {least:,.2f} to {most:,.2f} by --prices"
        return (
            f"a batch of {len(chats):,} requests goes to {self._engine.client.url}: about {tokens_in:,} tokens in, at "
            f"most {tokens_out:,} out{cost}"
        )

    def _take(self, outcome: BatchOutcome) -> None:
        """Hand results to those who wait for them; the others will find them in the store."""
        self._is_server_full = outcome.smaller is not None
        if outcome.smaller is not None:
            self._most_requests = min(self._most_requests, outcome.smaller)
        for key, answer in outcome.answers.items():
            if (future := self._waiting_for(key)) is not None:
                future.set_result(answer)
        for key, error in outcome.errors.items():
            if (future := self._waiting_for(key)) is not None:
                future.set_exception(_failure(error))
        self._requeue(outcome.again)
        if outcome.end is not None:
            raise EngineDown(outcome.end)

    def _waiting_for(self, key: str) -> asyncio.Future[Answer] | None:
        waiting = self._sent.get(key)
        return None if waiting is None or waiting.answer.done() else waiting.answer

    def _requeue(self, keys: Iterable[str]) -> None:
        for key in keys:
            if (waiting := self._sent.pop(key, None)) is not None:
                self._queue[key] = waiting


def _failure(error: str) -> Exception:
    return TooLong(error.removeprefix(TOO_LONG)) if error.startswith(TOO_LONG) else ChatFailed(error)


def batches_of(engine: ChatEngine) -> BatchEngine | None:
    """Return the engine of batches inside of an engine, None where it asks directly."""
    inner = engine.inner if isinstance(engine, WatchedEngine) else engine
    return inner if isinstance(inner, BatchEngine) else None
