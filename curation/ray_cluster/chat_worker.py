"""A language model in a worker of the cluster: an event loop with the engine, and the verifier beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import NamedTuple

from curation.engines.chat import Answer, EngineDown
from curation.llm.pool import Aside, ChatPool, ChatRecipe, Host, check_room
from curation.llm.settling import Settler
from curation.llm.usage import Spent
from curation.report import Report
from curation.runtime.processes import Inline
from curation.runtime.progress import Progress

from .worker import Packed


class Told(NamedTuple):
    """What a worker has to tell beside outcomes: new usable answers, what was spent, and captions accepted and refused
    of each report.
    """

    answers: dict[bytes, Answer]
    spent: Spent
    judged: list[tuple[int, int]]


class Notes:
    """Takes the place of the ledger and of the store of answers, which are with the process that reads and writes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[bytes, Answer] = {}
        self._told = Told({}, Spent(), [])

    def learn(self, known: Mapping[bytes, Answer]) -> None:
        """Answers of an earlier run, for the batch that is about to begin."""
        self._known.update(known)

    def forget(self, known: Mapping[bytes, Answer]) -> None:
        """The batch is done."""
        for key in known:
            self._known.pop(key, None)

    def get(self, key: bytes) -> Answer | None:
        """The answer to a chat, if it is known."""
        return self._known.get(key) or self._told.answers.get(key)

    def keep(self, key: bytes, answer: Answer) -> None:
        """Note a usable answer."""
        with self._lock:
            self._told.answers[key] = answer

    def begin(self) -> None:
        """A chat was handed to the model. How long it works is counted where batches are handed out."""

    def end(self, spent: Spent) -> None:
        """A chat came back."""
        with self._lock:
            self._told = self._told._replace(spent=self._told.spent.plus(spent))

    def judge(self, accepted: int, refused: int) -> None:
        """So many captions of a report hold, and so many do not."""
        with self._lock:
            self._told.judged.append((accepted, refused))

    def line(self) -> str:
        """Progress is shown where batches are handed out."""
        return ""

    def drain(self) -> Told:
        """All of it, once."""
        with self._lock:
            told, self._told = self._told, Told({}, Spent(), [])
        return told


class ChatLabour:
    """Of a language model. Raises what loading it does."""

    def __init__(self, recipe: ChatRecipe) -> None:
        self._recipe = recipe
        self._host = Host(recipe.connect, lambda: None)
        check_room(recipe, self._host.engine.context)
        self._notes = Notes()
        settler = Aside(ThreadPoolExecutor(1), Inline(lambda: Settler(recipe.prompt, recipe.repair > 0)))
        self._pool = ChatPool(recipe, self._host, settler, self._notes, self._notes, Progress())

    def __call__(self, reports: Sequence[Report], known: Mapping[bytes, Answer]) -> list[Packed]:
        """The packed outcome of each report."""
        self._notes.learn(known)
        try:
            return self._host.begin(self._pool.work(list(reports))).result()
        except EngineDown as error:
            if self._recipe.made_by.engine != "vllm":
                raise
            # What kills the model may be a single report: dying tells Ray to load it anew and to try again.
            print(f"ovct: {error}", flush=True)
            os._exit(1)
        finally:
            self._notes.forget(known)

    def drain(self) -> Told:
        """What is new since the last time."""
        return self._notes.drain()
