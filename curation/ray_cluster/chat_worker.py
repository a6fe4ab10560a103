"""A language model in a worker of the cluster: an event loop with the engine, and the verifier beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import NamedTuple

from curation.engines.chat import Answer, EngineDown
from curation.extraction.recipe import PackedOutcome
from curation.llm.engine_thread import EngineThread, ThreadedWorker
from curation.llm.pool import ChatPool, ChatRecipe, add_second_model, check_prompt_fits
from curation.llm.usage import UsageCounts
from curation.report import Report
from curation.runtime.processes import Inline
from curation.runtime.progress import Progress
from curation.runtime.terminal import say


class WorkerUpdate(NamedTuple):
    """What a worker reports beside outcomes.

    ``answers`` are new usable answers, ``spent`` what they cost, and ``judged`` how many captions of each report were
    accepted and refused.
    """

    answers: dict[bytes, Answer]
    spent: UsageCounts
    judged: list[tuple[int, int]]


class UpdateBuffer:
    """Stands in for the ledger and for the store of answers, which the process that reads and writes has.

    It buffers what a worker would write to them until ``drain`` is called, and holds the answers of an earlier run that
    came with the batches under way.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._cached: dict[bytes, Answer] = {}
        self._update = WorkerUpdate({}, UsageCounts(), [])

    def add_cached(self, answers: Mapping[bytes, Answer]) -> None:
        """Add the answers of an earlier run for a batch that is about to begin."""
        self._cached.update(answers)

    def remove_cached(self, answers: Mapping[bytes, Answer]) -> None:
        """Remove the answers of an earlier run for a batch that is finished."""
        for key in answers:
            self._cached.pop(key, None)

    def get(self, key: bytes) -> Answer | None:
        """Return the answer to a chat, if there is one already."""
        return self._cached.get(key) or self._update.answers.get(key)

    def keep(self, key: bytes, answer: Answer) -> None:
        """Buffer a usable answer."""
        with self._lock:
            self._update.answers[key] = answer

    def begin(self) -> None:
        """Do nothing when a chat begins: the process that submits batches measures how long the model works."""

    def end(self, spent: UsageCounts) -> None:
        """Buffer what a chat cost."""
        with self._lock:
            self._update = self._update._replace(spent=self._update.spent.plus(spent))

    def judge(self, accepted: int, refused: int) -> None:
        """Buffer how many captions of a report were accepted and refused."""
        with self._lock:
            self._update.judged.append((accepted, refused))

    def line(self) -> str:
        """Return nothing to show: the process that submits batches shows the progress."""
        return ""

    def drain(self) -> WorkerUpdate:
        """Return the buffer and empty it."""
        with self._lock:
            update, self._update = self._update, WorkerUpdate({}, UsageCounts(), [])
        return update


class ChatWorker:
    """Runs a language model in an event loop, and the verifier in a thread beside it. Raises what loading it raises."""

    def __init__(self, recipe: ChatRecipe) -> None:
        self._recipe = recipe
        self._host = EngineThread(recipe.connect, lambda: None)
        check_prompt_fits(recipe, self._host.engine.context)
        add_second_model(recipe, self._host, lambda: None)
        self._buffer = UpdateBuffer()
        inline = Inline(recipe.build_verifier)
        verifier = ThreadedWorker(ThreadPoolExecutor(1), inline)
        self._pool = ChatPool(recipe, self._host, verifier, self._buffer, self._buffer, Progress())

    def __call__(self, reports: Sequence[Report], cached_answers: Mapping[bytes, Answer]) -> list[PackedOutcome]:
        """Return the outcome of each report. Raises ``EngineDown`` if the server is gone."""
        self._buffer.add_cached(cached_answers)
        try:
            return self._host.begin(self._pool.work(list(reports))).result()
        except EngineDown as error:
            if self._recipe.made_by.engine != "vllm":
                raise
            # A single report may have killed the model: when this process dies, Ray loads it anew and tries again.
            say(f"ovct: {error}", err=True)
            os._exit(1)
        finally:
            self._buffer.remove_cached(cached_answers)

    def drain(self) -> WorkerUpdate:
        """Return what is new since the last call."""
        return self._buffer.drain()
