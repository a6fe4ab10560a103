"""Prepares cases in parallel: each by one rank only, and there by one of several processes.

Ranks share the cases out by their number before any is looked at, so that no case is prepared twice and none is waited
for by name. Every rank gets the errors of all, so that all of them leave out the same cases. What a run that was killed
had finished stays in the cache, and the next one goes on with the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from curation.runtime.errors import Interrupted, RunError
from curation.runtime.processes import available_cores, ordered_results, workers
from curation.runtime.progress import Progress
from train.data.cases import Case

# So many seconds of work are done in this process: others take as long to start.
ALONE_SECONDS = 5.0


class Ranks(Protocol):
    """The processes of a run, as `train.loop.engine.TrainingEngine` knows them."""

    @property
    def rank(self) -> int:
        """Return the number of this process, from 0."""

    @property
    def world(self) -> int:
        """Return the number of processes."""

    @property
    def local_world(self) -> int:
        """Return the number of processes on this machine."""

    def gather_objects(self, value: Any) -> list[Any]:
        """Return the value of each process, in their order."""


class OneRank:
    """A run of this process alone."""

    rank, world, local_world = 0, 1, 1

    def gather_objects(self, value: Any) -> list[Any]:
        """Return the value, as that of the only process."""
        return [value]


class Outcome(NamedTuple):
    """What preparing a case came to: its file in the cache, if there is a cache, or why it cannot be used."""

    path: Path | None = None
    error: str | None = None


class CasePreparer(Protocol):
    """How a case is prepared, where it may be done in another process."""

    def outcome(self, case: Case) -> Outcome:
        """Prepare the case into the cache, unless it is there."""

    def for_other_process(self) -> CasePreparer:
        """Return the same with no more than another process needs."""


@dataclass
class _Share:
    """What one rank has prepared, by index of the case, and why it stopped early, if it did."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)
    interrupted: bool = False
    failure: str = ""


def prepare_cases(
    preparer: CasePreparer, cases: Sequence[Case], jobs: int, ranks: Ranks, progress: Progress
) -> dict[int, Outcome]:
    """Prepare every case that the cache lacks, in `jobs` processes of each rank; 0 for one on each core.

    Returns the outcome of each case by its index, the same on all ranks.

    Raises:
        Interrupted: any rank was asked to stop.
        RunError: another rank failed, or one of the processes was killed.
        OSError: a prepared case cannot be written.
    """
    indices = range(ranks.rank, len(cases), ranks.world)
    jobs = jobs or max(available_cores() // ranks.local_world, 1)
    progress.start(len(indices), 0)
    progress.set_status("cases prepared")
    share, raised = _Share(), None
    try:
        for index, outcome in _outcomes(preparer, cases, indices, jobs, progress):
            share.outcomes[index] = outcome
            progress.advance()
    except Interrupted:
        share.interrupted = True
    except Exception as error:
        # The other ranks wait for this one's share; they are told before the error ends it.
        raised, share.failure = error, f"{type(error).__name__}: {error}"
    shares: list[_Share] = ranks.gather_objects(share)
    if raised is not None:
        raise raised
    for rank, other in enumerate(shares):
        if other.failure:
            raise RunError(f"process {rank} of {len(shares)} could not prepare its cases ({other.failure})")
    if any(other.interrupted for other in shares):
        raise Interrupted
    outcomes = {index: outcome for other in shares for index, outcome in other.outcomes.items()}
    return {index: outcomes[index] for index in sorted(outcomes)}


def _outcomes(
    preparer: CasePreparer, cases: Sequence[Case], indices: Sequence[int], jobs: int, progress: Progress
) -> Iterator[tuple[int, Outcome]]:
    """Yield the outcome of each case: the first ones prepared here, the others in processes, where they take longer."""
    began = time.monotonic()
    done = 0
    for index in indices:
        if jobs > 1 and time.monotonic() - began > ALONE_SECONDS:
            break
        progress.raise_if_interrupted()
        yield index, preparer.outcome(cases[index])
        done += 1
    left = indices[done:]
    if not left:
        return
    count = min(jobs, len(left))
    progress.set_status(f"cases prepared, by {count} processes")
    build = partial(_worker, preparer.for_other_process())
    try:
        with workers(build, count) as pool:
            numbered = ((index, cases[index]) for index in left)
            results = ordered_results(
                numbered, lambda job: pool.submit(job[1]), pool.ahead, progress.raise_if_interrupted
            )
            for (index, _), outcome in results:
                yield index, outcome
    except RunError as error:
        raise RunError(
            "a process that prepared cases died (killed, or out of memory?); run the same command again, or with "
            "fewer --prepare-workers"
        ) from error


def _worker(preparer: CasePreparer) -> Any:
    torch.set_num_threads(1)
    return preparer.outcome
