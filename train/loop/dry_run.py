"""One batch of a stage, tried without writing anything: its shapes, memory and time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from curation.runtime.progress import Progress
from train.config import Optimisation
from train.order import shares

from .engine import Engine
from .loop import _check_shares
from .optimisation import adamw, trainable
from .task import Task


@dataclass(frozen=True)
class DryRun:
    """What one step showed."""

    shapes: list[str]
    trainable: int
    seconds: float
    peak_memory: int
    steps: int

    def lines(self) -> list[str]:
        """For a person."""
        total = self.seconds * self.steps
        return [
            *self.shapes,
            f"{self.trainable:,} parameters train",
            f"peak memory {self.peak_memory / 2**20:,.0f} MiB",
            f"{self.seconds:.2f} s a step; {self.steps:,} steps take about {total / 60:,.1f} min, evaluations apart",
        ]


def dry_run(task: Task, optimisation: Optimisation, engine: Engine) -> DryRun:
    """Two real steps on the first samples, of which the second is timed; nothing is written."""
    _check_shares(optimisation, engine)
    task.model.to(engine.device).train()
    parameters = trainable(task.model)
    optimizer = engine.optimizer(adamw(parameters, optimisation, task.slower))
    one_process = shares(0, optimisation.batch_size, optimisation.accumulate, engine.rank, engine.world)
    seconds, parts = 0.0, list[Any]()
    task.prepare(engine, Progress(), [number for numbers in one_process for number in numbers])
    samples = task.samples
    for step in range(2):
        began = time.monotonic()
        parts = [task.collate([samples[number] for number in numbers]) for numbers in one_process]
        task.backward(parts, step, engine)
        engine.average_gradients(parameters.values())
        optimizer.step()
        optimizer.zero_grad()
        seconds = time.monotonic() - began
    return DryRun(
        [line for part in parts[:1] for line in task.describe(part)],
        sum(parameter.numel() for parameter in parameters.values()),
        seconds,
        engine.peak_memory(),
        optimisation.steps,
    )
