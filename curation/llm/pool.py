"""Reports in, outcomes out, by a language model: it is asked in one process, and its answers are verified in others.

An event loop in a thread of its own talks to the model. Batches that are handed in wait for nothing but their own
answers, so while the model works, the next chats are made and the last answers are verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

from curation.caption import MadeBy
from curation.caption_set.set_files import RESPONSES_FILE
from curation.caption_set.writer import CaptionSetWriter
from curation.engines.chat import ChatEngine, EngineDown
from curation.extraction.recipe import BATCH_REPORTS, OpenPool, Options
from curation.report import Report
from curation.report_language.languages import LanguageChoice
from curation.runtime.errors import InputError, RunError
from curation.runtime.processes import Inline, Processes, workers
from curation.runtime.progress import Progress
from prompts.prompt_file import Prompt

from .answer_store import AnswerCache, AnswerStore
from .answer_verification import AnsweredReport, AnswerVerifier, VerifiedReport, not_yet_sent
from .chat_client import ChatClient
from .dialogue import Dialogue
from .engine_thread import EngineThread, ThreadedWorker
from .usage import Prices, UsageMeter, UsageRecorder

REPORTS_PER_PART = 1_000
"""Fewer than with the rules: so that some can be looked at before the day is over."""
CHARACTERS_PER_TOKEN = 5
"""More than English has: what is refused for its length is too long for certain."""


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
        """The options that decide the answers, next to model and prompt."""
        return {"max_tokens": self.max_tokens, "repair": self.repair, **self.engine_options}

    @property
    def prompt_file(self) -> bytes:
        """The content of the prompt file."""
        return self.prompt.source

    @property
    def language(self) -> LanguageChoice:
        """Captions of reports in any language are made where the prompt asks for quotes."""
        return "any" if self.prompt.quotes else "en"

    @contextmanager
    def started(self, progress: Progress) -> Iterator[OpenPool]:
        """Load the model, or connect to the server; yield the function that opens a pool."""
        with closing(EngineThread(self.connect, progress.raise_if_interrupted)) as thread:
            check_prompt_fits(self, thread.engine.context)
            yield partial(_open_pool, self, thread, progress)


def check_prompt_fits(recipe: ChatRecipe, context: int | None) -> None:
    """Raise ``InputError`` where not even an empty report would fit into a context of so many tokens."""
    tokens = sum(len(content) for _, content in recipe.prompt.messages("")) // CHARACTERS_PER_TOKEN
    if context is not None and tokens + recipe.max_tokens > context:
        raise InputError(
            f"the prompt {recipe.prompt.name} alone has about {tokens:,} tokens and its answers may have "
            f"{recipe.max_tokens:,}, but the model takes {context:,} in all: lower --max-tokens, take a shorter prompt "
            "(see `ovct prompts`), or a model of longer context (--context, if the server has more)"
        )


@contextmanager
def _open_pool(
    recipe: ChatRecipe, thread: EngineThread, progress: Progress, captions: CaptionSetWriter, count: int
) -> Iterator[ChatPool]:
    with ExitStack() as stack:
        pool = stack.enter_context(workers(partial(AnswerVerifier, recipe.prompt, recipe.repair > 0), count))
        if isinstance(pool, Inline):
            verifiers: ThreadedWorker | Processes = ThreadedWorker(stack.enter_context(ThreadPoolExecutor(1)), pool)
        else:
            verifiers = pool
        owner = captions.manifest.settings.answers_digest()
        store = thread.call(AnswerStore, captions.work / RESPONSES_FILE, owner)
        stack.callback(thread.call, store.close)
        stack.callback(thread.cancel_all)
        meter = UsageMeter(thread.call(store.usage), recipe.prices, store.add_usage, progress.warning)
        stack.callback(thread.call, meter.flush)
        captions.usage = meter.usage
        yield ChatPool(recipe, thread, verifiers, store, meter, progress)


class ChatPool:
    """Works on batches of reports: asks the model, has answers verified, and sends back what may be repaired.

    ``verifiers`` run an ``AnswerVerifier``.
    """

    def __init__(
        self,
        recipe: ChatRecipe,
        thread: EngineThread,
        verifiers: ThreadedWorker | Processes,
        cache: AnswerCache,
        recorder: UsageRecorder,
        progress: Progress,
    ) -> None:
        self._repair_rounds = recipe.repair
        self._thread = thread
        self._verifiers = verifiers
        self._recorder = recorder
        self._progress = progress
        self._dialogue = Dialogue(recipe.prompt, recipe.max_tokens, ChatClient(thread.engine, cache, recorder))
        # Twice what the model works on at once: while it does, as many again are made ready.
        self.ahead = verifiers.ahead + 2 * -(-thread.engine.in_flight // BATCH_REPORTS)

    def submit(self, reports: list[Report]) -> Future[list[tuple[bytes, bool]]]:
        """Begin a batch."""
        return self._thread.begin(self._work(reports))

    async def _work(self, reports: Sequence[Report]) -> list[tuple[bytes, bool]]:
        try:
            return await self.work(reports)
        except EngineDown as error:
            raise RunError(str(error)) from error

    async def work(self, reports: Sequence[Report]) -> list[tuple[bytes, bool]]:
        """Return the packed outcome of each report, and whether the engine failed on it. Raises ``EngineDown``."""
        responses = await asyncio.gather(*map(self._dialogue.about, reports))
        answered = [AnsweredReport(report, rows) for report, rows in zip(reports, responses, strict=True)]
        verified = await self._verify(answered)
        sent: list[set[tuple[str, str]]] = [set() for _ in reports]
        for number in range(self._repair_rounds):
            verified = await self._repair(answered, verified, sent, number)
        for report in verified:
            self._recorder.judge(report.accepted, report.refused)
        self._progress.set_status(self._recorder.line())
        return [(report.packed, report.failed) for report in verified]

    async def _verify(self, answered: list[AnsweredReport]) -> list[VerifiedReport]:
        verified: list[VerifiedReport] = await asyncio.wrap_future(self._verifiers.submit(answered))
        return verified

    async def _repair(
        self,
        answered: list[AnsweredReport],
        verified: list[VerifiedReport],
        sent: list[set[tuple[str, str]]],
        number: int,
    ) -> list[VerifiedReport]:
        """Send the refused captions back that have not gone back yet; verify the reports anew that this changes.

        ``answered`` and ``sent`` are updated.
        """
        unsent = [not_yet_sent(report.repairable, pairs) for report, pairs in zip(verified, sent, strict=True)]
        repairs = await asyncio.gather(*(self._dialogue.repair(refused, number) for refused in unsent))
        changed = [index for index, rows in enumerate(repairs) if rows]
        for index in changed:
            sent[index].update((row.organ, row.caption) for row in unsent[index])
            report, responses = answered[index]
            answered[index] = AnsweredReport(report, [*responses, *repairs[index]])
        if not changed:
            return verified
        renewed = dict(zip(changed, await self._verify([answered[index] for index in changed]), strict=True))
        return [renewed.get(index, report) for index, report in enumerate(verified)]
