"""Which evaluations fit into a share of a run's time; the first and the last always do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from curation.runtime.progress import Progress

from .engine import TrainingEngine


class EvaluationBudget:
    """Measures how long evaluations take, and leaves one out where they would take more than `share` of the time."""

    def __init__(self, share: float) -> None:
        self.share, self.began = share, time.monotonic()
        self.spent = self.longest = 0.0
        self.told = False

    def allows(self, engine: TrainingEngine, progress: Progress) -> bool:
        """Return whether another evaluation fits, by the clock of the first process; the first one left out is told."""
        fits = self.share >= 1 or self.spent + self.longest <= self.share * (time.monotonic() - self.began)
        fits = engine.total(float(fits and engine.first)) > 0
        if not fits and not self.told:
            self.told = True
            progress.message(
                f"an evaluation takes {self.longest:.0f} s: some are left out, to keep them to {self.share:.0%} of the "
                "time (--evaluation-share)"
            )
        return fits

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count the time within as an evaluation's."""
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        self.spent, self.longest = self.spent + seconds, max(self.longest, seconds)
