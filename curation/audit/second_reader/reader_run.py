"""Has a second reader read all accepted captions of a set: what that will cost, and each reading stored as it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from curation.caption_set.audit_results import SecondReader
from curation.caption_set.kept_files import kept_site_words
from curation.caption_set.manifest import Manifest
from curation.engines.chat import ChatEngine, EngineDown
from curation.llm.batches.batch_engine import batches_of
from curation.llm.engine_thread import EngineThread, results_as_they_come
from curation.llm.pool import CHARACTERS_PER_TOKEN
from curation.runtime.errors import InputError, RunError
from curation.runtime.progress import Progress
from prompts.second_reader.reader_file import ReaderPrompt

from .chat_reader import ChatReader, TokenCount, question_groups
from .comparison import ReaderAnswer, ReadingComparison
from .readings import ReadingStore
from .results import reader_result
from .set_captions import ReportToRead, reports_to_read

USUAL_CHARACTERS_PER_TOKEN = 4
"""Of English, for what a run will about cost."""
TOKENS_OF_READING = 26
"""What a model usually writes of a caption."""

ReadReport = tuple[ReportToRead, list[ReaderAnswer]]


class SetReader(Protocol):
    """Reads reports; ``asks_said`` tells whether it says of captions that their report says them."""

    asks_said: bool

    def read(self, reports: Iterable[ReportToRead], progress: Progress) -> Iterator[ReadReport]:
        """Yield the reports, in no particular order, each with the readings of its captions."""
        ...


class ReadingCost(NamedTuple):
    """What is still to be read, and what that will about cost a language model."""

    reports: int = 0
    captions: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ReaderRun(NamedTuple):
    """The outcome of a run: captions that it has read anew, the results so far, and why captions have no reading."""

    read_now: int
    result: SecondReader
    problems: list[tuple[str, int]]
    tokens: TokenCount


class ModelReader:
    """A language model as second reader; ``tokens`` counts what that has cost so far.

    ``folder`` is where what was sent in batches is stored, for an engine that sends batches.
    """

    asks_said = True

    def __init__(
        self,
        connect: Callable[[], Awaitable[ChatEngine]],
        prompt: ReaderPrompt,
        max_tokens: int | None = None,
        folder: Path | None = None,
    ) -> None:
        self._connect, self._folder = connect, folder
        self._prompt = prompt
        self._max_tokens = max_tokens
        self.tokens = TokenCount()

    def read(self, reports: Iterable[ReportToRead], progress: Progress) -> Iterator[ReadReport]:
        """Yield the reports as the model answers. Raises ``InputError``, ``RunError`` and what the progress raises."""
        try:
            with closing(EngineThread(self._connect, progress.raise_if_interrupted)) as thread:
                _check_room(self._prompt, self._max_tokens, thread.engine.context)
                batches = batches_of(thread.engine)
                if batches is not None and self._folder is not None:
                    thread.call(batches.open, self._folder, progress.message)
                reader = ChatReader(thread.engine, self._prompt, self._max_tokens)
                jobs = (_read_report(reader, report) for report in reports)
                for result in results_as_they_come(thread, jobs, progress.raise_if_interrupted):
                    self.tokens = reader.tokens
                    yield result
                if batches is not None:
                    thread.call(batches.settle)
        except EngineDown as error:
            raise RunError(str(error)) from error


def _read_report(reader: ChatReader, report: ReportToRead) -> Coroutine[Any, Any, ReadReport]:
    async def read() -> ReadReport:
        readings = await reader.read(report.text, [caption.caption for caption in report.captions])
        return report, [readings[caption.caption] for caption in report.captions]

    return read()


def _check_room(prompt: ReaderPrompt, max_tokens: int | None, context: int | None) -> None:
    """Raise ``InputError`` where not even one caption without a report would fit into the model."""
    limit = max_tokens or prompt.max_tokens(1)
    tokens = sum(len(content) for _, content in prompt.messages("", [""])) // CHARACTERS_PER_TOKEN
    if context is not None and tokens + limit > context:
        raise InputError(
            f"the second reader's prompt alone has about {tokens:,} tokens and its answers may have {limit:,}, but the "
            f"model takes {context:,} in all: take a model of longer context (--context, if the server has more)"
        )


def reading_cost(
    root: Path, manifest: Manifest, store: ReadingStore, reader: str, prompt: ReaderPrompt, progress: Progress
) -> ReadingCost:
    """Count what a language model is still to read of a set, and estimate its tokens."""
    cost = ReadingCost()
    opening = sum(len(content) for _, content in prompt.messages("", [""]))
    check = progress.raise_if_interrupted
    for report in reports_to_read(root, manifest, lambda part: store.answered_rows(reader, part), check):
        groups = question_groups([caption.caption for caption in report.captions])
        shown = sum(opening + len(report.text) + sum(len(text) + len("10. ") + 1 for text in group) for group in groups)
        cost = ReadingCost(
            cost.reports + 1,
            cost.captions + len(report.captions),
            cost.requests + len(groups),
            cost.prompt_tokens + shown // USUAL_CHARACTERS_PER_TOKEN,
            cost.completion_tokens + TOKENS_OF_READING * sum(map(len, groups)),
        )
    return cost


def read_set(
    root: Path, manifest: Manifest, store: ReadingStore, name: str, reader: SetReader, progress: Progress
) -> ReaderRun:
    """Have a reader read the captions of a set that it has not read yet. A run that is stopped goes on where it was.

    ``name`` is what the readings are stored under. Raises ``RunError`` where the reader fails as a whole,
    ``Interrupted`` where the progress says so; what was read until then is kept.
    """
    comparison = ReadingComparison(kept_site_words(root, manifest.settings).vocabulary(), asks_said=reader.asks_said)
    reports = reports_to_read(
        root, manifest, lambda part: store.answered_rows(name, part), progress.raise_if_interrupted
    )
    tokens_before = TokenCount(*store.fact(f"tokens {name}", TokenCount()))
    tokens, read_now = TokenCount(), 0
    for report, readings in reader.read(reports, progress):
        compared = [
            comparison.compare(caption, reading) for caption, reading in zip(report.captions, readings, strict=True)
        ]
        store.save(name, compared)
        read_now += sum(reading.outcome != "unread" for reading in compared)
        if isinstance(reader, ModelReader):
            tokens = reader.tokens
            store.set_fact(f"tokens {name}", tokens_before.plus(tokens))
        progress.advance()
    return ReaderRun(read_now, reader_result(store, name, manifest), store.problems(name), tokens_before.plus(tokens))
