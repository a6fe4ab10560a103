"""Batches on their way: made once and not twice, asked about, and what they came to, each step stored."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from curation.caption_set.set_files import BATCHES_FILE
from curation.engines.chat import Answer, EngineDown
from curation.engines.http_errors import RequestRefused, TransientError
from curation.engines.openai import RESUME_HINT, OpenAIEngine

from .batch_files import read_results, write_lines
from .batch_server import ENDED, BatchServer, ServerBatch
from .batch_store import BatchStore, StoredBatch

REQUESTS_FILE, RESULTS_FILE = "batch-requests.jsonl", "batch-results.jsonl"
MOST_SHOWN_PROBLEMS = 3


@dataclass(frozen=True)
class BatchLimits:
    """The server's limits of a batch, and how long is waited.

    ``settle``: seconds without a new chat after which those that wait are sent. ``first_poll`` and ``longest_poll``:
    seconds between two questions how far a batch is, which grow. ``tries``: how often a request is sent that gets
    neither an answer nor a refusal.
    """

    requests: int = 50_000
    bytes: int = 200_000_000
    settle: float = 5.0
    first_poll: float = 5.0
    longest_poll: float = 120.0
    tries: int = 3


class BatchOutcome(NamedTuple):
    """What a batch came to: answers, errors that stay, and requests that are to be sent again.

    ``smaller`` is the number of requests that the server takes at once, where it was too many. ``end`` is why the run
    is to stop, None where it goes on.
    """

    answers: dict[str, Answer]
    errors: dict[str, str]
    again: set[str]
    smaller: int | None = None
    end: str | None = None


class BatchWork:
    """Sends batches and fetches their results; ``tell`` is told of each. It is used in one event loop."""

    def __init__(self, engine: OpenAIEngine, folder: Path, tell: Callable[[str], None], limits: BatchLimits) -> None:
        self.store = BatchStore(folder / BATCHES_FILE)
        self._settings, self._client, self._server = engine.settings, engine.client, BatchServer(engine)
        self._folder, self._tell, self._limits = folder, tell, limits
        self._seen: dict[str, str] = {}
        # Of these nothing was made: what they hold is sent anew, as soon as it is asked.
        for batch in self.store.open_batches():
            if batch.state == "written":
                self.store.release(batch)

    async def resume(self) -> None:
        """Take up the batches of an earlier run, each at the step that it had come to."""
        for batch in self.store.open_batches():
            if batch.state == "written":
                await self._server.delete_named(batch.mark)
                self.store.drop(batch)
            elif batch.state == "uploaded":
                await self._ensure_created(batch, is_first=False)
        if pending := sum(len(self.store.keys_of(batch)) for batch in self.store.open_batches()):
            self._tell(f"{pending:,} requests of an earlier run are with {self._client.url}: their answers are awaited")

    async def send(self, lines: Sequence[tuple[str, bytes]]) -> None:
        """Send requests as one batch. Raises ``EngineDown`` where none can be made."""
        batch = self.store.begin(secrets.token_hex(8), [key for key, _ in lines])
        path = self._folder / REQUESTS_FILE
        try:
            write_lines(path, (line for _, line in lines))
            file = await self._server.upload(path, batch.mark)
        except RequestRefused as error:
            self.store.drop(batch)
            raise self._without_batches(error) from None
        finally:
            path.unlink(missing_ok=True)
        await self._ensure_created(self.store.uploaded(batch, file), is_first=True)

    async def _ensure_created(self, batch: StoredBatch, *, is_first: bool) -> None:
        """Have a batch made of an uploaded file, once: whoever does not know whether it was made looks first."""
        failure = ""
        for attempt in range(self._settings.attempts):
            if attempt or not is_first:
                await asyncio.sleep(self._settings.first_wait * attempt)
                if (found := await self._find(batch)) is not None:
                    self.store.created(batch, found.id)
                    return
            try:
                made = await self._server.create(batch.file or "", batch.mark)
            except TransientError as error:
                failure = str(error)
                continue
            except RequestRefused as error:
                self.store.drop(batch)
                await self._server.delete(batch.file)
                raise self._without_batches(error) from None
            self.store.created(batch, made.id)
            return
        raise EngineDown(f"no batch was made of the file {batch.file}: {failure}. {RESUME_HINT}")

    def _without_batches(self, error: RequestRefused) -> EngineDown:
        return EngineDown(f"{self._client.url} makes no batch ({error}): leave --batch out for single requests")

    async def _find(self, batch: StoredBatch) -> ServerBatch | None:
        try:
            return await self._server.find(batch.file or "", batch.mark)
        except RequestRefused as error:
            raise EngineDown(
                f"{self._client.url} does not list its batches ({error}), so that nobody knows whether one was made of "
                f"the file {batch.file}: look there, and if there is none, delete {self._folder / BATCHES_FILE}"
            ) from None

    async def poll(self) -> list[BatchOutcome]:
        """Ask how far the batches are, and return what those came to that have ended since."""
        outcomes = []
        for batch in self.store.open_batches():
            if batch.id is None:
                continue
            try:
                now = await self._server.status(batch.id)
            except TransientError:
                continue  # a batch takes hours: its server may be away for a while
            except RequestRefused as error:
                raise EngineDown(
                    f"{self._client.url} knows no batch {batch.id} ({error}): it was sent with another key or address, "
                    f"or deleted. {RESUME_HINT}"
                ) from None
            if now.status in ENDED:
                outcomes.append(await self._take(batch, now))
            elif self._seen.get(now.id) != now.status:
                self._seen[now.id] = now.status
                self._tell(f"batch {now.id}, {batch.requests:,} requests: {now.status}")
        return outcomes

    async def _take(self, batch: StoredBatch, ended: ServerBatch) -> BatchOutcome:
        """Take what a batch came to, store it, and delete its files on the server."""
        if ended.status == "failed" and not ended.output:
            return await self._take_failed(batch, ended)
        keys = self.store.keys_of(batch)
        answers, errors = await self._results(keys, ended)
        for key in keys - answers.keys() - errors.keys():
            if ended.status != "cancelled" and self._is_last_try(key):
                errors[key] = f"no answer in {self._limits.tries} batches, the last of which was {ended.status}"
        self.store.finish(batch, answers, errors)
        await self._server.delete(batch.file, ended.output, ended.error_file)
        again = keys - answers.keys() - errors.keys()
        counts = f"{len(answers):,} answers, {len(errors):,} requests failed, {len(again):,} have neither"
        self._tell(f"batch {ended.id} is {ended.status}: {counts}")
        end = None
        if ended.status == "cancelled" and again:
            end = f"batch {ended.id} was cancelled on the server: {counts}; the same command sends these again"
        return BatchOutcome(answers, errors, again, end=end)

    async def _results(self, keys: set[str], ended: ServerBatch) -> tuple[dict[str, Answer], dict[str, str]]:
        """Return the answers, and the errors that another try would not change."""
        answers: dict[str, Answer] = {}
        errors: dict[str, str] = {}
        path = self._folder / RESULTS_FILE
        for file in filter(None, (ended.output, ended.error_file)):
            try:
                await self._server.download(file, path)
                for result in read_results(path, self._client.secrets.redact_answer):
                    if result.key in keys and result.answer is not None:
                        answers.setdefault(result.key, result.answer)
                    elif result.key in keys and (not result.again or self._is_last_try(result.key)):
                        errors[result.key] = result.error
            finally:
                path.unlink(missing_ok=True)
        return answers, {key: error for key, error in errors.items() if key not in answers}

    async def _take_failed(self, batch: StoredBatch, ended: ServerBatch) -> BatchOutcome:
        """Take a batch that the server has not begun: with less at once where its queue is full, else told."""
        told = "; ".join(f"{message} ({code})" for code, message in ended.problems[:MOST_SHOWN_PROBLEMS])
        told = told or "the server does not say why"
        keys = self.store.keys_of(batch)
        self.store.drop(batch)
        await self._server.delete(batch.file)
        is_queue_full = any("token_limit" in code for code, _ in ended.problems)
        if not is_queue_full or (batch.requests == 1 and not self.store.open_batches()):
            return BatchOutcome({}, {}, keys, end=f"batch {ended.id} failed as a whole: {told}. {RESUME_HINT}")
        smaller = max(1, batch.requests // 2)
        self._tell(f"batch {ended.id} is more than the server takes at once ({told}): {smaller:,} are sent at a time")
        return BatchOutcome({}, {}, keys, smaller=smaller)

    def _is_last_try(self, key: str) -> bool:
        known = self.store.request(key)
        return known is not None and known.tries >= self._limits.tries


def lines_that_fit(lines: Iterable[tuple[str, bytes]], most_requests: int, most_bytes: int) -> list[tuple[str, bytes]]:
    """Return the first lines that go into one batch."""
    fitting: list[tuple[str, bytes]] = []
    size = 0
    for key, line in lines:
        size += len(line)
        if size > most_bytes or len(fitting) == most_requests:
            break
        fitting.append((key, line))
    return fitting
