"""The one training loop: every stage goes through it, on a CPU, a GPU, or many.

    OUT/checkpoint.json, weights       the model so far, replaced at every save
    OUT/resume/                        what the same command goes on from
    OUT/metrics.jsonl, curves.png, tensorboard/, samples/

A step takes samples by their number (train/order.py) and its random numbers from the step, so a run that was killed
ends where one that was not does, and two processes learn what one would from the same batches.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from curation.interrupt import Interrupted
from curation.progress import Watch
from curation.workers import RunError

from .config import ConfigError, Optimisation, Running
from .engine import Engine
from .optimisation import Average, adamw, learning_rate, trainable
from .order import random, shares
from .resume import load_state, save_state, saved_step
from .run_log import RunLog

RESUME = "resume"
SAMPLES = "samples"


class Task(Protocol):
    """What a stage is to the loop. A part is what `samples` gives for some numbers, collated."""

    @property
    def model(self) -> nn.Module:
        """What is trained, frozen parts and all."""

    @property
    def slower(self) -> Mapping[str, float]:
        """Learning rates by the beginning of a parameter's name, as shares of the highest."""

    @property
    def samples(self) -> Dataset[Any]:
        """Sample n of the run."""

    def collate(self, samples: list[Any]) -> Any:
        """Samples to one part."""

    def settings(self) -> dict[str, Any]:
        """All that decides what is learned; a run goes on only with the same."""

    def prepare(self, engine: Engine, watch: Watch, numbers: Sequence[int] | None = None) -> None:
        """Whatever is made once before the first step; with `numbers` only what these samples need."""

    def begin(self, engine: Engine, watch: Watch) -> None:
        """What the model learns before the first step of a run, and not when one is resumed."""

    def end(self, engine: Engine, watch: Watch) -> None:
        """What the model learns after the last step."""

    def backward(self, parts: Sequence[Any], step: int, engine: Engine) -> dict[str, Tensor]:
        """Adds the gradients of this process's parts, whose mean over processes is that of the batch. Gives metrics."""

    def after_step(self) -> None:
        """Puts the model right after the optimizer's step."""

    def evaluate(self, engine: Engine, watch: Watch, folder: Path | None) -> dict[str, float]:
        """Metrics on held-out cases; pictures into `folder`. On every process, with the same result."""

    def save(self, folder: Path, step: int) -> None:
        """The model as a checkpoint. On the first process."""

    def describe(self, part: Any) -> list[str]:
        """Shapes of a part, for a dry run."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its last metrics, and whether there was anything left to do."""

    step: int
    evaluation: Mapping[str, float | None]
    already_done: bool = False


def fit(task: Task, optimisation: Optimisation, running: Running, out: Path, engine: Engine, watch: Watch) -> Outcome:
    """Trains to the last step, from where an earlier run of the same settings was. Raises Interrupted after saving."""
    _check_shares(optimisation, engine)
    settings = task.settings()
    start = saved_step(out / RESUME, settings) or 0
    run = _Run(task, optimisation, engine, out, settings, start)
    if start >= optimisation.steps:
        return Outcome(start, run.finish(), already_done=True)
    task.prepare(engine, watch)
    if not start:
        run.begin(watch)
    watch.expect(optimisation.steps, start)
    clock = _Clock()
    for step, parts in _parts(task, optimisation, running, engine, start):
        metrics = run.step(parts, step)
        clock.step()
        done = step + 1
        if done % running.log_every == 0 or done == optimisation.steps:
            run.write(
                done, "train", engine.mean({name: float(value) for name, value in metrics.items()}) | clock.read()
            )
            watch.tell(f"loss {float(metrics['loss']):.4g}")
        watch.advance()
        if done == optimisation.steps:
            run.end(watch)
        if done % running.evaluate_every == 0 or done == optimisation.steps:
            run.evaluate(done, watch)
        stop = _asked_to_stop(watch, engine)
        if stop or done % running.save_every == 0 or done == optimisation.steps:
            run.save(done)
        clock.leave_out()
        if stop and done < optimisation.steps:
            run.finish()
            raise Interrupted
    return Outcome(optimisation.steps, run.finish())


class _Run:
    """A model with its optimizer, average and log, from step `start` on."""

    def __init__(
        self, task: Task, config: Optimisation, engine: Engine, out: Path, settings: dict[str, Any], start: int
    ) -> None:
        self.task, self.config, self.engine, self.out, self.settings = task, config, engine, out, settings
        task.model.to(engine.device).train()
        self.parameters = trainable(task.model)
        self.buffers = dict(task.model.named_buffers())
        plain = adamw(self.parameters, config, task.slower)
        self.average = Average(self.parameters, config.ema)
        if start:
            load_state(out / RESUME, self.parameters, self.buffers, plain, self.average)
        self.plain = plain
        self.optimizer = engine.optimizer(plain)
        self.log = RunLog(out, start) if engine.first else None
        self.evaluation: dict[str, float] = self.log.last("evaluation") if self.log else {}

    def begin(self, watch: Watch) -> None:
        """From the same weights on every process."""
        torch.manual_seed(0)
        self.task.begin(self.engine, watch)
        self.engine.same_weights(self.parameters.values())
        self.average = Average(self.parameters, self.config.ema)

    def end(self, watch: Watch) -> None:
        """The averaged weights are the model's from here on, and what is learned last is learned with them."""
        self.average.stay()
        self.task.model.eval()
        self.task.end(self.engine, watch)
        self.task.model.train()
        self.engine.same_weights(self.parameters.values())
        self.average = Average(self.parameters, self.config.ema)

    def step(self, parts: Sequence[Any], step: int) -> dict[str, Tensor]:
        """One optimizer step."""
        rate = learning_rate(step, self.config)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        # Dropout and whatever else is drawn in a forward pass.
        torch.manual_seed(int(random((self.engine.rank, step)).integers(2**62)))
        metrics = self.task.backward(parts, step, self.engine)
        self.engine.average_gradients(self.parameters.values())
        if self.config.clip_norm:
            self.engine.fabric.clip_gradients(
                self.task.model, self.optimizer, max_norm=self.config.clip_norm, error_if_nonfinite=False
            )
        # One process alone must not stop while the others wait for it.
        if self.engine.total(float(not torch.isfinite(metrics["loss"]))):
            raise RunError(
                f"the loss of step {step + 1} is no number any more: take a lower learning_rate, or precision 32-true; "
                f"the last checkpoint is in {self.out}"
            )
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.task.after_step()
        self.average.update(step)
        return metrics | {"learning_rate": torch.tensor(rate)}

    def evaluate(self, step: int, watch: Watch) -> None:
        """On held-out cases, with the averaged weights."""
        self.task.model.eval()
        folder = self.out / SAMPLES / f"step-{step}" if self.engine.first else None
        with self.average.in_place():
            self.evaluation = self.task.evaluate(self.engine, watch, folder)
        self.task.model.train()
        self.write(step, "evaluation", self.evaluation)

    def write(self, step: int, kind: str, values: Mapping[str, float]) -> None:
        """A line of the log."""
        if self.log:
            self.log.write(step, kind, values)

    def save(self, step: int) -> None:
        """First the model, then the state that says so."""
        if self.log:
            with self.average.in_place():
                self.task.save(self.out, step)
            save_state(self.out / RESUME, step, self.settings, self.parameters, self.buffers, self.plain, self.average)
            self.log.draw()
        self.engine.barrier()

    def finish(self) -> dict[str, float]:
        """The last evaluation."""
        if self.log:
            self.log.close()
        return self.evaluation


class _Clock:
    """Seconds a step, loading included, without evaluations and savings in between."""

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()
        self.count = 0

    def step(self) -> None:
        """A step has ended."""
        self.last, self.count = time.monotonic(), self.count + 1

    def leave_out(self) -> None:
        """What was done since the last step."""
        now = time.monotonic()
        self.started, self.last = self.started + now - self.last, now

    def read(self) -> dict[str, float]:
        """Seconds a step since the last reading."""
        seconds = (self.last - self.started) / max(self.count, 1)
        self.started, self.count = self.last, 0
        return {"seconds_per_step": seconds}


def _parts(
    task: Task, optimisation: Optimisation, running: Running, engine: Engine, start: int
) -> Iterator[tuple[int, list[Any]]]:
    """Each step with this process's parts, loaded ahead by the workers."""
    size, parts = optimisation.batch_size, optimisation.accumulate
    numbers = (
        part
        for step in range(start, optimisation.steps)
        for part in shares(step, size, parts, engine.rank, engine.world)
    )
    loader = DataLoader(
        task.samples,
        batch_sampler=numbers,
        num_workers=running.workers,
        collate_fn=task.collate,
        pin_memory=engine.device.type == "cuda",
        multiprocessing_context="spawn" if running.workers else None,
        worker_init_fn=_ignore_interrupt,
    )
    loaded = iter(loader)
    for step in range(start, optimisation.steps):
        yield step, [next(loaded) for _ in range(parts)]


def _ignore_interrupt(worker: int) -> None:
    """Ctrl-C reaches the workers too; they load on, so that the run can end after a whole step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _check_shares(optimisation: Optimisation, engine: Engine) -> None:
    share = engine.world * optimisation.accumulate
    if optimisation.batch_size % share:
        raise ConfigError(
            f"batch_size {optimisation.batch_size} cannot be shared among {engine.world} processes of "
            f"{optimisation.accumulate} parts: take a multiple of {share}"
        )


def _asked_to_stop(watch: Watch, engine: Engine) -> bool:
    """Whether any process was."""
    try:
        watch.check()
        asked = False
    except Interrupted:
        asked = True
    return engine.total(float(asked)) > 0


def start_again(out: Path) -> None:
    """Removes what an earlier run left: its state, log and pictures; the checkpoint is replaced at the first save."""
    for name in (RESUME, SAMPLES, "tensorboard"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("metrics.jsonl", "curves.png", "checkpoint.json"):
        (out / name).unlink(missing_ok=True)


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
    task.prepare(engine, Watch(), [number for numbers in one_process for number in numbers])
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
