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
from curation.language.site_words import OURS, SiteWords
from curation.report import Report
from curation.report_language.languages import LanguageChoice
from curation.runtime.errors import InputError, RunError
from curation.runtime.processes import Inline, Processes, workers
from curation.runtime.progress import Progress
from prompts.prompt_file import Prompt

from .answer_store import AnswerCache, AnswerStore
from .answer_verification import AnsweredReport, AnswerVerifier, VerifiedReport
from .batches.batch_engine import batches_of
from .chat_client import ChatClient
from .dialogue import Dialogue
from .engine_thread import EngineThread, ThreadedWorker
from .opinions import SecondOpinion
from .repairs import not_yet_sent
from .responses import ModelResponse
from .usage import Prices, UsageMeter, UsageRecorder

REPORTS_PER_PART = 1_000
"""Fewer than with the rules: so that some can be looked at before the day is over."""
CHARACTERS_PER_TOKEN = 5
"""More than English has: what is refused for its length is too long for certain."""


@dataclass(frozen=True, slots=True)
class SecondModel:
    """The model that is asked for second opinions: its engine and name, and what makes it.

    ``connect`` is None where it is the model that makes the captions.
    """

    name: str
    connect: Callable[[], Awaitable[ChatEngine]] | None = None


@dataclass(frozen=True, slots=True)
class ChatRecipe:
    """Captions by a language model. ``connect`` makes the engine, in the event loop that it will be used in.

    ``repair`` is how many times refused captions may go back to the model, each of them once; ``gpus`` how many GPUs an
    engine takes where there are any. ``second`` is asked about captions that are refused for words alone. With
    ``language`` "any" the model is asked about reports in any language. ``words`` are those of a site that the verifier
    knows beside ours.
    """

    made_by: MadeBy
    prompt: Prompt
    connect: Callable[[], Awaitable[ChatEngine]]
    max_tokens: int
    repair: int = 0
    prices: Prices | None = None
    second: SecondModel | None = None
    engine_options: Options = field(default_factory=dict)
    gpus: int = 0
    language: LanguageChoice = "en"
    words: SiteWords = OURS
    reports_per_part: int = REPORTS_PER_PART
    batch_reports: int = BATCH_REPORTS

    @property
    def options(self) -> Options:
        """The options that decide the answers, next to model and prompt."""
        second: Options = {"second_opinion": self.second.name} if self.second else {}
        return {"max_tokens": self.max_tokens, "repair": self.repair, **second, **self.engine_options}

    @property
    def build_verifier(self) -> Callable[[], AnswerVerifier]:
        """What builds the verifier of the answers, in the process that it works in."""
        opinions = self.second is not None
        return partial(
            AnswerVerifier, self.prompt, self.repair > 0, opinions=opinions, language=self.language, words=self.words
        )

    @property
    def prompt_file(self) -> bytes:
        """The content of the prompt file."""
        return self.prompt.source

    @contextmanager
    def started(self, progress: Progress) -> Iterator[OpenPool]:
        """Load the model, or connect to the server; yield the function that opens a pool."""
        with closing(EngineThread(self.connect, progress.raise_if_interrupted)) as thread:
            check_prompt_fits(self, thread.engine.context)
            add_second_model(self, thread, progress.raise_if_interrupted)
            yield partial(_open_pool, self, thread, progress)


def add_second_model(recipe: ChatRecipe, thread: EngineThread, check: Callable[[], None]) -> None:
    """Load the model for second opinions too, where it is another one."""
    if recipe.second is not None and recipe.second.connect is not None:
        thread.add_second(recipe.second.connect, check)


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
        pool = stack.enter_context(workers(recipe.build_verifier, count))
        if isinstance(pool, Inline):
            verifiers: ThreadedWorker | Processes = ThreadedWorker(stack.enter_context(ThreadPoolExecutor(1)), pool)
        else:
            verifiers = pool
        owner = captions.manifest.settings.answers_digest()
        store = thread.call(AnswerStore, captions.work / RESPONSES_FILE, owner)
        stack.callback(thread.call, store.close)
        if (batches := batches_of(thread.engine)) is not None:
            stack.callback(lambda: thread.begin(batches.finish()).result())
            thread.call(batches.open, captions.work, progress.message, recipe.prices)
        stack.callback(thread.cancel_all)
        meter = UsageMeter(thread.call(store.usage), recipe.prices, store.add_usage, progress.warning)
        stack.callback(thread.call, meter.flush)
        captions.usage = meter.usage
        yield ChatPool(recipe, thread, verifiers, store, meter, progress)
        if batches is not None:
            thread.call(batches.settle)


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
        client = ChatClient(thread.engine, cache, recorder)
        self._dialogue = Dialogue(recipe.prompt, recipe.max_tokens, client, recipe.language == "any")
        self._second: SecondOpinion | None = None
        if recipe.second is not None:
            if thread.second_engine is not None:
                client = ChatClient(thread.second_engine, cache, recorder, recipe.second.name)
            self._second = SecondOpinion(recipe.second.name, client)
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
        verified = await self._second_opinions(answered, await self._verify(answered), 0)
        sent: list[set[tuple[str, str]]] = [set() for _ in reports]
        for number in range(self._repair_rounds):
            verified = await self._repair(answered, verified, sent, number)
            verified = await self._second_opinions(answered, verified, number + 1)
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
        for rows, requests, pairs in zip(repairs, unsent, sent, strict=True):
            if rows:
                pairs.update((request.organ, request.caption) for request in requests)
        return await self._with_answers(answered, verified, repairs)

    async def _second_opinions(
        self, answered: list[AnsweredReport], verified: list[VerifiedReport], number: int
    ) -> list[VerifiedReport]:
        """Ask about the captions that are refused for words alone; verify the reports anew that this may change.

        ``answered`` is updated.
        """
        if self._second is None:
            return verified
        opinions = await asyncio.gather(*(self._second.about(report.questionable, number) for report in verified))
        return await self._with_answers(answered, verified, opinions)

    async def _with_answers(
        self, answered: list[AnsweredReport], verified: list[VerifiedReport], answers: Sequence[list[ModelResponse]]
    ) -> list[VerifiedReport]:
        """Return the reports with more answers, verified anew where there are any; ``answered`` is updated."""
        changed = [index for index, rows in enumerate(answers) if rows]
        for index in changed:
            report, responses = answered[index]
            answered[index] = AnsweredReport(report, [*responses, *answers[index]])
        if not changed:
            return verified
        renewed = dict(zip(changed, await self._verify([answered[index] for index in changed]), strict=True))
        return [renewed.get(index, report) for index, report in enumerate(verified)]
