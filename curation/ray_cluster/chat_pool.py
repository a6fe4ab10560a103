"""The pool for language models on a cluster: workers ask and verify, answers and costs are kept in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from curation.engines.chat import Answer
from curation.extraction.recipe import PackedOutcome
from curation.llm.answer_store import chat_key
from curation.llm.dialogue import first_chats
from curation.llm.pool import ChatRecipe
from curation.llm.usage import UsageMeter
from curation.report import Report
from curation.runtime.progress import Progress

from .chat_worker import ChatWorker, WorkerUpdate
from .pool import Placement, RayPool
from .worker import WorkerSpec


class RayChatPool:
    """Sends batches to language models on a cluster, and keeps their answers in a store and their costs in a meter."""

    def __init__(
        self, recipe: ChatRecipe, ray: Any, placement: Placement, store: Any, meter: UsageMeter, progress: Progress
    ) -> None:
        self._recipe, self._store, self._meter, self._progress = recipe, store, meter, progress
        self._resumes = not store.empty
        self._updates: SimpleQueue[WorkerUpdate] = SimpleQueue()
        spec = WorkerSpec(partial(ChatWorker, recipe))
        self._pool = RayPool(ray, spec, placement, self._cached_answers, self._updates.put)
        self.ahead = self._pool.ahead

    def submit(self, reports: list[Report]) -> Future[list[PackedOutcome]]:
        """Begin a batch. Raises ``RunError`` if the cluster is lost."""
        self.record_updates()
        self._meter.begin()
        return self._pool.submit(reports)

    def record_updates(self) -> None:
        """Record what workers have reported since the last call. To be called in the thread that opened the store."""
        while True:
            try:
                update = self._updates.get_nowait()
            except Empty:
                return
            for key, answer in update.answers.items():
                self._store.keep(key, answer)
            self._meter.end(update.spent)
            for accepted, refused in update.judged:
                self._meter.judge(accepted, refused)
            self._progress.set_status(self._meter.line())

    def restarts(self) -> int:
        """Return how many times a batch was begun again because its worker was lost."""
        return self._pool.restarts()

    def close(self, *, finished: bool) -> None:
        """End the job: when all is ``finished`` by letting it run out, otherwise at once."""
        self._pool.close(finished=finished)

    def _cached_answers(self, report: Report) -> Mapping[bytes, Answer]:
        """Return the answers about a report that an earlier run got."""
        if not self._resumes:
            return {}
        stored_answer: Callable[[bytes], Answer | None] = self._store.get
        try:
            any_language = self._recipe.language == "any"
            chats = first_chats(self._recipe.prompt, self._recipe.max_tokens, report, any_language)
            keys = [chat_key(chat) for chat in chats]
        except Exception:  # a template is a program, and not ours; the worker reports what is wrong with it
            return {}
        return {key: answer for key in keys if (answer := stored_answer(key)) is not None}
