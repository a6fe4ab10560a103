"""A trial of one batch of a stage, without writing anything: its shapes, memory and time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from curation.runtime.progress import Progress
from train.config.options import Optimisation
from train.order import shares

from .engine import TrainingEngine
from .loop import check_batch_size
from .optimisation import adamw, trainable
from .task import Task


@dataclass(frozen=True)
class DryRun:
    """What a trial of one step measured, in seconds: a step, and of it the loading of all its samples.

    `preparing` is what the first loading took beyond that for each sample, where its case was prepared meanwhile.
    """

    shapes: list[str]
    trainable: int
    seconds: float
    peak_memory: int | None
    steps: int
    loading: float = 0.0
    preparing: float = 0.0

    def lines(self) -> list[str]:
        """Return the measurements as lines for a person."""
        total = self.seconds * self.steps
        return [
            *self.shapes,
            f"{self.trainable:,} parameters train",
            "peak memory " + ("not known" if self.peak_memory is None else f"{self.peak_memory / 2**20:,.0f} MiB"),
            f"{self.seconds:.2f} s a step, {self.loading:.2f} of them to load its samples; {self.steps:,} steps take "
            f"about {total / 60:,.1f} min, evaluations apart",
        ]


def dry_run(task: Task, optimisation: Optimisation, engine: TrainingEngine) -> DryRun:
    """Do two real steps on the first samples, time the second, and write nothing. Raises ConfigError."""
    check_batch_size(optimisation, engine)
    task.model.to(engine.device).train()
    parameters = trainable(task.model)
    optimizer = engine.optimizer(adamw(parameters, optimisation, task.lr_multipliers))
    parts_of_process = shares(0, optimisation.batch_size, optimisation.accumulate, engine.rank, engine.world)
    seconds, parts, loadings = 0.0, list[Any](), list[float]()
    task.prepare(engine, Progress(), [number for numbers in parts_of_process for number in numbers])
    samples = task.samples
    for step in range(2):
        start = time.monotonic()
        parts = [task.collate([samples[number] for number in numbers]) for numbers in parts_of_process]
        loadings.append(time.monotonic() - start)
        task.backward(parts, step, engine)
        engine.average_gradients(parameters.values())
        optimizer.step()
        optimizer.zero_grad()
        seconds = time.monotonic() - start
    return DryRun(
        [line for part in parts[:1] for line in task.describe(part)],
        sum(parameter.numel() for parameter in parameters.values()),
        seconds,
        engine.peak_memory(),
        optimisation.steps,
        loadings[1],
        max(loadings[0] - loadings[1], 0.0) / max(sum(map(len, parts_of_process)), 1),
    )
