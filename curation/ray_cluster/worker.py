"""What a worker of the cluster does with a batch, in a process of Ray's.

A worker that dies cannot report it, so it announces each batch to the queue before it begins. Errors that must end the
run (a server that is gone, a model that does not load) come back as results, not as errors of Ray's.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from curation.engines.chat import EngineDown
from curation.extraction.recipe import PackedOutcome
from curation.extraction.text_engine import Curator, TextRecipe, failed_outcome
from curation.report import Report
from curation.runtime.errors import InputError, RunError
from curation.runtime.processes import collect_garbage_less_often
from curation.runtime.provenance import data_hashes, ovct_version

from .batch_queue import TRIES, BatchStart

MOST_GIVEN_UP = 3
"""If more reports than this are given up at the start of a batch, and none worked, the run ends."""


class BatchWorker(Protocol):
    """An engine and a verifier in one process, working on batches of reports."""

    def __call__(self, reports: Sequence[Report], cached_answers: Mapping[bytes, Any]) -> list[PackedOutcome]:
        """Return the outcome of each report. ``cached_answers`` are a model's answers that an earlier run got."""
        ...

    def drain(self) -> Any:
        """Return what the run must know beside the outcomes, since the last call; None if there is nothing."""
        ...


class ReportBatch(NamedTuple):
    """A batch on its way to a worker: reports, and a model's answers about them from an earlier run."""

    reports: list[Report]
    cached_answers: Mapping[bytes, Any]


class BatchResult(NamedTuple):
    """What a worker returns of a batch: its outcomes and ``update`` (see ``drain``), or the error that ends the run."""

    outcomes: list[PackedOutcome]
    update: Any = None
    error: Exception | None = None


class QueueClient(Protocol):
    """The queue as a worker calls it; see ``BatchQueue``."""

    def begin(self, number: int) -> BatchStart | None: ...
    def begin_alone(self, number: int, index: int) -> bool: ...
    def keep(self, number: int, index: int, result: PackedOutcome) -> None: ...


@dataclass(frozen=True)
class WorkerSpec:
    """The picklable recipe of a worker. ``build`` is called once in each process that works."""

    factory: Callable[[], BatchWorker]
    versions: Mapping[str, str] = field(default_factory=lambda: node_versions())

    def build(self) -> BatchWorker:
        """Build the worker. Raises ``InputError`` if this node would make other rows than the one that writes them."""
        here = node_versions()
        if here != dict(self.versions):
            differences = ", ".join(
                f"{name} {here[name]} for {expected}"
                for name, expected in self.versions.items()
                if here[name] != expected
            )
            raise InputError(f"a node of the cluster has another ovct: {differences}. Install the same on every node")
        collect_garbage_less_often()
        return self.factory()


def node_versions() -> dict[str, str]:
    """Return what decides the rows, of the installation on this node: the version and the data files' hashes."""
    return {"ovct": ovct_version(), **{name: value[:12] for name, value in data_hashes()._asdict().items()}}


class TextWorker:
    """Runs a text engine and the verifier on a batch."""

    def __init__(self, recipe: TextRecipe) -> None:
        self._curator = Curator(recipe)

    def __call__(self, reports: Sequence[Report], cached_answers: Mapping[bytes, Any]) -> list[PackedOutcome]:
        """Return the outcome of each report; a text engine has no answers to cache."""
        return self._curator(reports)

    def drain(self) -> None:
        """Return None: a text engine has nothing to report beside outcomes."""


def run_batch(number: int, payload: bytes, queue: QueueClient, worker: Callable[[], BatchWorker]) -> BatchResult | None:
    """Work on one batch and return its result; ``None`` if it is finished already."""
    start = queue.begin(number)
    if start is None:
        return None
    batch: ReportBatch = pickle.loads(payload)
    try:
        run = worker()
        if start.one_by_one:
            outcomes = _one_by_one(number, batch, start.results, queue, run)
        else:
            outcomes = run(batch.reports, batch.cached_answers)
        return BatchResult(outcomes, run.drain())
    except (RunError, InputError) as error:
        return BatchResult([], error=error)
    except EngineDown as error:
        return BatchResult([], error=RunError(str(error)))


def _one_by_one(
    number: int, batch: ReportBatch, results: Mapping[int, PackedOutcome], queue: QueueClient, run: BatchWorker
) -> list[PackedOutcome]:
    """Work on a batch report by report, after a worker was lost under it; give up reports that kill their workers.

    Raises ``RunError`` if workers die under every report.
    """
    outcomes: list[PackedOutcome] = []
    given_up = 0
    for index, report in enumerate(batch.reports):
        if index in results:
            outcomes.append(results[index])
            continue
        if queue.begin_alone(number, index):
            outcomes.append(run([report], batch.cached_answers)[0])
            queue.keep(number, index, outcomes[-1])
            continue
        given_up += 1
        if given_up > MOST_GIVEN_UP and given_up == len(outcomes) + 1:
            raise RunError(
                f"workers die under every report, {TRIES} times each: see Ray's logs for why (memory? the model?)"
            )
        outcome = failed_outcome(RuntimeError(f"the worker process died under this report {TRIES} times"))
        outcomes.append((outcome.pack(), outcome.failed))
    return outcomes
