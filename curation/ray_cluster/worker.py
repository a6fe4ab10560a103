"""What a worker of the cluster does with a batch. Runs where Ray puts it, in a process of Ray's.

A worker that dies tells nothing, so each batch is announced to the desk before it is begun. What the run must end for
(a server that is gone, a model that does not load) comes back as a result like any other, not as an error of Ray's.
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from curation.engines.chat import EngineDown
from curation.extraction.text_engine import Curator, TextRecipe, failed_outcome
from curation.report import Report
from curation.runtime.errors import InputError, RunError
from curation.runtime.provenance import data_hashes, ovct_version

from .batch_queue import TRIES, Begun

Packed = tuple[bytes, bool]
GIVEN_UP_AT_MOST = 3


class Labour(Protocol):
    """An engine and a verifier at work, in one process."""

    def __call__(self, reports: Sequence[Report], known: Mapping[bytes, Any]) -> list[Packed]:
        """The packed outcome of each report. ``known`` are answers that an earlier run got."""
        ...

    def drain(self) -> Any:
        """What else there is to tell since the last time."""
        ...


class Batch(NamedTuple):
    """What is sent to a worker."""

    reports: list[Report]
    known: Mapping[bytes, Any]


class Done(NamedTuple):
    """What comes back: the outcomes with what else is told, or why the run must end."""

    packed: list[Packed]
    more: Any = None
    error: Exception | None = None


class TellDesk(Protocol):
    """The desk, as a worker calls it; see ``Desk``."""

    def begin(self, number: int) -> Begun | None: ...
    def try_alone(self, number: int, place: int) -> bool: ...
    def keep(self, number: int, place: int, result: Packed) -> None: ...


@dataclass(frozen=True)
class Trade:
    """How a worker learns its trade. Pickled once; ``learn`` is called once in each process that takes it up."""

    learn: Callable[[], Labour]
    versions: Mapping[str, str] = field(default_factory=lambda: versions())

    def labour(self) -> Labour:
        """Raises ``InputError`` where this node would make other rows than the one that reads and writes."""
        here = versions()
        if here != dict(self.versions):
            found = ", ".join(
                f"{name} {here[name]} for {said}" for name, said in self.versions.items() if here[name] != said
            )
            raise InputError(f"a node of the cluster has another ovct: {found}. Install the same on every node")
        # What is kept from report to report is no garbage; looking for it takes a third.
        gc.set_threshold(100_000, 50, 50)
        return self.learn()


def versions() -> dict[str, str]:
    """What decides the rows, of this installation."""
    return {"ovct": ovct_version(), **{name: value[:12] for name, value in data_hashes()._asdict().items()}}


class TextLabour:
    """Of an engine that works on the text itself."""

    def __init__(self, recipe: TextRecipe) -> None:
        self._curator = Curator(recipe)

    def __call__(self, reports: Sequence[Report], known: Mapping[bytes, Any]) -> list[Packed]:
        """The packed outcome of each report."""
        return self._curator(reports)

    def drain(self) -> None:
        """There is nothing else to tell."""


def work(number: int, payload: bytes, desk: TellDesk, labour: Callable[[], Labour]) -> Done | None:
    """One batch; ``None`` where it is done already."""
    begun = desk.begin(number)
    if begun is None:
        return None
    batch: Batch = pickle.loads(payload)
    try:
        does = labour()
        if begun.alone:
            packed = _one_by_one(number, batch, begun.known, desk, does)
        else:
            packed = does(batch.reports, batch.known)
        return Done(packed, does.drain())
    except (RunError, InputError) as error:
        return Done([], error=error)
    except EngineDown as error:
        return Done([], error=RunError(str(error)))


def _one_by_one(number: int, batch: Batch, known: Mapping[int, Packed], desk: TellDesk, does: Labour) -> list[Packed]:
    """After a worker was lost: report by report, and not once more where workers are lost again and again."""
    packed, given_up = [], 0
    for place, report in enumerate(batch.reports):
        if place in known:
            packed.append(known[place])
            continue
        if desk.try_alone(number, place):
            packed.append(does([report], batch.known)[0])
            desk.keep(number, place, packed[-1])
            continue
        given_up += 1
        if given_up > GIVEN_UP_AT_MOST and given_up == len(packed) + 1:
            raise RunError(
                f"workers die under every report, {TRIES} times each: see Ray's logs for why (memory? the model?)"
            )
        lost = RuntimeError(f"the worker process died under this report {TRIES} times")
        outcome = failed_outcome(lost)
        packed.append((outcome.pack(), outcome.failed))
    return packed
