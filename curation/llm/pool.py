"""Reports in, outcomes out, by a language model: it is asked in one process, and what it says is verified in others.

An event loop in a thread of its own talks to the model. Batches that are handed in wait for nothing but their own
answers, so while the model works, the next chats are made and the last answers are verified.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from curation.caption import MadeBy
from curation.caption_set.writer import RESPONSES, CaptionSetWriter
from curation.engines.chat import ChatEngine, EngineDown
from curation.extraction.recipe import BATCH_REPORTS, OpenPool, Options
from curation.report import Report
from curation.runtime.errors import InputError, RunError
from curation.runtime.processes import Inline, Processes, result_of, workers
from curation.runtime.progress import Progress
from prompts.prompt_file import Prompt

from .dialogue import Asker, Dialogue
from .responses import Answers, ResponseStore
from .settling import Asked, Settled, Settler, unsent
from .usage import Ledger, Meter, Prices

Result = TypeVar("Result")

REPORTS_PER_PART = 1_000
"""Fewer than of the rules: so that some are there to be looked at before the day is over."""
CHARACTERS_PER_TOKEN = 5
"""More than English has: what is refused for its length is too long for certain."""


class Host:
    """An event loop in a thread, and the engine that lives in it."""

    def __init__(self, connect: Callable[[], Awaitable[ChatEngine]], check: Callable[[], None]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chats", daemon=True)
        self._thread.start()
        try:
            self.engine = result_of(self.begin(_call(connect)), check)
        except BaseException:
            self.drop()
            self._end()
            raise

    def begin(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Begin some work in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function in the loop's thread."""

        async def called() -> Result:
            return function(*arguments)

        return self.begin(called()).result()

    def drop(self) -> None:
        """Give up what is under way."""
        self.begin(_cancel_others()).result()

    def close(self) -> None:
        """Give up what is under way, and the engine."""
        try:
            self.drop()
            self.begin(self.engine.close()).result()
        finally:
            self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _call(connect: Callable[[], Awaitable[ChatEngine]]) -> ChatEngine:
    return await connect()


@dataclass(frozen=True, slots=True)
class ChatRecipe:
    """Captions by a language model. ``connect`` makes the engine, in the event loop that it will be used in.

    ``repair`` is how many times refused captions may go back to the model, each of them once; ``gpus`` how many GPUs an
    engine takes where there are any.
    """

    made_by: MadeBy
    prompt: Prompt
    connect: Callable[[], Awaitable[ChatEngine]]
    max_tokens: int
    repair: int = 0
    prices: Prices | None = None
    engine_options: Options = field(default_factory=dict)
    gpus: int = 0
    reports_per_part: int = REPORTS_PER_PART
    batch_reports: int = BATCH_REPORTS

    @property
    def options(self) -> Options:
        """What decides the answers, next to model and prompt."""
        return {"max_tokens": self.max_tokens, "repair": self.repair, **self.engine_options}

    @property
    def prompt_file(self) -> bytes:
        """The prompt file as it is."""
        return self.prompt.source

    @contextmanager
    def started(self, progress: Progress) -> Iterator[OpenPool]:
        """With the model loaded, or the server known to answer."""
        with closing(Host(self.connect, progress.raise_if_interrupted)) as host:
            check_room(self, host.engine.context)
            yield partial(_open, self, host, progress)


def check_room(recipe: ChatRecipe, context: int | None) -> None:
    """Raise ``InputError`` where not even a report without words would fit."""
    tokens = sum(len(content) for _, content in recipe.prompt.messages("")) // CHARACTERS_PER_TOKEN
    if context is not None and tokens + recipe.max_tokens > context:
        raise InputError(
            f"the prompt {recipe.prompt.name} alone has about {tokens:,} tokens and its answers may have "
            f"{recipe.max_tokens:,}, but the model takes {context:,} in all: lower --max-tokens, take a shorter prompt "
            "(see `ovct prompts`), or a model of longer context (--context, if the server has more)"
        )


@contextmanager
def _open(
    recipe: ChatRecipe, host: Host, progress: Progress, captions: CaptionSetWriter, count: int
) -> Iterator[ChatPool]:
    with ExitStack() as stack:
        pool = stack.enter_context(workers(partial(Settler, recipe.prompt, recipe.repair > 0), count))
        settlers = Aside(stack.enter_context(ThreadPoolExecutor(1)), pool) if isinstance(pool, Inline) else pool
        owner = captions.manifest.settings.answers_digest()
        store = host.call(ResponseStore, captions.work / RESPONSES, owner)
        stack.callback(host.call, store.close)
        stack.callback(host.drop)
        meter = Meter(host.call(store.spent), recipe.prices, store.spend, progress.message)
        stack.callback(host.call, meter.flush)
        captions.usage = meter.usage
        yield ChatPool(recipe, host, settlers, store, meter, progress)


class Aside:
    """Work of this process, in a thread beside the event loop."""

    ahead = 0

    def __init__(self, thread: ThreadPoolExecutor, worker: Inline) -> None:
        self._thread = thread
        self._worker = worker

    def submit(self, job: Any) -> Future[Any]:
        """Begin a job."""
        return self._thread.submit(lambda: self._worker.submit(job).result())


class ChatPool:
    """Works on batches of reports: asks, settles, and sends back what may be repaired."""

    def __init__(
        self,
        recipe: ChatRecipe,
        host: Host,
        settlers: Aside | Processes,
        store: Answers,
        meter: Ledger,
        progress: Progress,
    ) -> None:
        self._rounds = recipe.repair
        self._host = host
        self._settlers = settlers
        self._meter = meter
        self._progress = progress
        self._dialogue = Dialogue(recipe.prompt, recipe.max_tokens, Asker(host.engine, store, meter))
        # Twice what the model works on at once: while it does, as many again are made ready.
        self.ahead = settlers.ahead + 2 * -(-host.engine.in_flight // BATCH_REPORTS)

    def submit(self, reports: list[Report]) -> Future[list[tuple[bytes, bool]]]:
        """Begin a batch."""
        return self._host.begin(self._work(reports))

    async def _work(self, reports: Sequence[Report]) -> list[tuple[bytes, bool]]:
        try:
            return await self.work(reports)
        except EngineDown as error:
            raise RunError(str(error)) from error

    async def work(self, reports: Sequence[Report]) -> list[tuple[bytes, bool]]:
        """The packed outcome of each report, and whether the engine failed on it. Raises ``EngineDown``."""
        found = await asyncio.gather(*map(self._dialogue.about, reports))
        asked = [Asked(report, rows) for report, rows in zip(reports, found, strict=True)]
        settled = await self._settle(asked)
        sent: list[set[tuple[str, str]]] = [set() for _ in reports]
        for number in range(self._rounds):
            settled = await self._repaired(asked, settled, sent, number)
        for one in settled:
            self._meter.judge(one.accepted, one.refused)
        self._progress.set_status(self._meter.line())
        return [(one.packed, one.failed) for one in settled]

    async def _settle(self, asked: list[Asked]) -> list[Settled]:
        settled: list[Settled] = await asyncio.wrap_future(self._settlers.submit(asked))
        return settled

    async def _repaired(
        self, asked: list[Asked], settled: list[Settled], sent: list[set[tuple[str, str]]], number: int
    ) -> list[Settled]:
        """One round: what was refused and has not gone back yet does; the reports that this changes settle again."""
        todo = [unsent(one.repairable, known) for one, known in zip(settled, sent, strict=True)]
        found = await asyncio.gather(*(self._dialogue.repair(refused, number) for refused in todo))
        changed = [at for at, rows in enumerate(found) if rows]
        for at in changed:
            sent[at].update((row.organ, row.caption) for row in todo[at])
            asked[at] = Asked(asked[at].report, [*asked[at].responses, *found[at]])
        again = dict(zip(changed, await self._settle([asked[at] for at in changed]), strict=True)) if changed else {}
        return [again.get(at, one) for at, one in enumerate(settled)]
