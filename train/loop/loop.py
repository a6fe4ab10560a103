"""The one training loop: every stage goes through it, on a CPU, a GPU, or many.

    OUT/checkpoint.json, weights       the model so far, replaced at every save
    OUT/resume/                        what the same command goes on from
    OUT/metrics.jsonl, curves.png, tensorboard/, samples/
    OUT/logger.json, wandb/            with another logger than TensorBoard

A step takes its samples by their number (train/order.py) and its random numbers from the step. So a run that was
killed ends where an uninterrupted one does, and two processes learn what one would from the same batches.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from train.config.options import ConfigError, LoggerName, Optimisation, Running
from train.order import random, shares

from .broken_step import broken_step, has_broken_gradient
from .engine import TrainingEngine
from .evaluation_budget import EvaluationBudget
from .optimisation import Average, adamw, learning_rate, set_learning_rate, trainable
from .resume import load_state, save_state, saved_step
from .run_folder import BOARD, FILES, FOLDERS, RESUME, SAMPLES, made_files
from .run_log import RunLog
from .task import Task, TrainOutcome
from .tracking import TrackedRun


def fit(
    task: Task, optimisation: Optimisation, running: Running, out: Path, engine: TrainingEngine, progress: Progress
) -> TrainOutcome:
    """Train to the last step, from where an earlier run of the same settings was.

    Raises Interrupted after saving, ConfigError for settings that do not fit, RunError if the loss or a gradient is no
    number.
    """
    check_batch_size(optimisation, engine)
    settings = task.settings()
    start = saved_step(out / RESUME, settings) or 0
    # A run that is complete has nothing to tell, and needs no server for it.
    logger = running.logger if start < optimisation.steps else "tensorboard"
    with _Run(task, optimisation, engine, out, settings, start, logger, progress) as run:
        if start >= optimisation.steps:
            return TrainOutcome(start, run.finish(), already_done=True)
        task.prepare(engine, progress)
        if not start:
            run.begin(progress)
        progress.start(optimisation.steps, start)
        clock, budget = _Clock(), EvaluationBudget(running.evaluation_share)
        for step, parts in _loaded_parts(task, optimisation, running, engine, start):
            metrics = run.step(parts, step)
            clock.count_step()
            done = step + 1
            if done % running.log_every == 0 or done == optimisation.steps:
                run.write(
                    done, "train", engine.mean({name: float(value) for name, value in metrics.items()}) | clock.reset()
                )
                progress.set_status(f"loss {float(metrics['loss']):.4g}")
            progress.advance()
            if done == optimisation.steps:
                run.end(progress)
            due = done % running.evaluate_every == 0 and budget.allows(engine, progress)
            if due or done == optimisation.steps:
                with budget.measured():
                    run.evaluate(done, progress)
            stop = _is_interrupted(progress, engine)
            if stop or done % running.save_every == 0 or done == optimisation.steps:
                run.save(done)
            clock.leave_out()
            if stop and done < optimisation.steps:
                run.finish()
                raise Interrupted
        return TrainOutcome(optimisation.steps, run.finish())


class _Run:
    """A run under way, from step `start` on: a model with its optimizer, average and log."""

    def __init__(
        self,
        task: Task,
        config: Optimisation,
        engine: TrainingEngine,
        out: Path,
        settings: dict[str, Any],
        start: int,
        logger: LoggerName,
        progress: Progress,
    ) -> None:
        self.task, self.config, self.engine, self.out, self.settings = task, config, engine, out, settings
        task.model.to(engine.device).train()
        self.parameters = trainable(task.model)
        self.buffers = dict(task.model.named_buffers())
        self.adamw = adamw(self.parameters, config, task.lr_multipliers)
        self.average = Average(self.parameters, config.ema)
        if start:
            load_state(out / RESUME, self.parameters, self.buffers, self.adamw, self.average)
        self.optimizer = engine.optimizer(self.adamw)
        # A logger that cannot begin ends the run here, before anything is trained.
        self.log = self._begin_log(start, logger, progress) if engine.first else None
        self.evaluation: dict[str, float] = self.log.last("evaluation") if self.log else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind and self.log:
            with suppress(OSError):  # the error under way tells more
                self.log.close()

    def _begin_log(self, start: int, logger: LoggerName, progress: Progress) -> RunLog:
        made = made_files(self.out)
        made.claim(*FILES, *FOLDERS)
        if logger != "tensorboard":
            return RunLog(self.out, start, TrackedRun(logger, self.out, self.settings, progress.warning))
        with made.noting(BOARD):
            return RunLog(self.out, start)

    def begin(self, progress: Progress) -> None:
        """Train what comes before the first step, on every process from the same weights."""
        torch.manual_seed(0)
        self.task.begin(self.engine, progress)
        self.engine.broadcast_weights(self.parameters.values())
        self.average = Average(self.parameters, self.config.ema)

    def end(self, progress: Progress) -> None:
        """Train what comes after the last step; the averaged weights are the model's from here on."""
        self.average.copy_to_model()
        self.task.model.eval()
        self.task.end(self.engine, progress)
        self.task.model.train()
        self.engine.broadcast_weights(self.parameters.values())
        self.average = Average(self.parameters, self.config.ema)

    def step(self, parts: Sequence[Any], step: int) -> dict[str, Tensor]:
        """Do one optimizer step and return its metrics."""
        rate = learning_rate(step, self.config)
        set_learning_rate(self.optimizer, rate)
        # Dropout and whatever else is drawn in a forward pass.
        torch.manual_seed(int(random((self.engine.rank, step)).integers(2**62)))
        metrics = self.task.backward(parts, step, self.engine)
        self.engine.average_gradients(self.parameters.values())
        if self.config.clip_norm:
            self.engine.clip_gradients(self.task.model, self.optimizer, self.config.clip_norm)
        broken = not torch.isfinite(metrics["loss"])
        # Scaled gradients overflow now and then, and the scaler leaves such a step out itself.
        broken = broken or (not self.engine.scales_gradients and has_broken_gradient(self.parameters.values()))
        # One process alone must not stop while the others wait for it.
        if self.engine.total(float(broken)):
            shares = self.engine.gather_objects([self.task.cases(part) for part in parts])
            cases = {name: is_finite for share in shares for part in share for name, is_finite in part.items()}
            raise broken_step(step, metrics["loss"], cases, self.out)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.task.after_step()
        self.average.update(step)
        return metrics | {"learning_rate": torch.tensor(rate)}

    def evaluate(self, step: int, progress: Progress) -> None:
        """Measure the averaged weights on held-out cases, and log it."""
        self.task.model.eval()
        folder = self.out / SAMPLES / f"step-{step}" if self.engine.first else None
        with self.average.in_place(), made_files(self.out).noting(SAMPLES) if folder else nullcontext():
            self.evaluation = self.task.evaluate(self.engine, progress, folder)
        self.task.model.train()
        self.write(step, "evaluation", self.evaluation)

    def write(self, step: int, kind: str, values: Mapping[str, float]) -> None:
        """Add a line to the log, on the first process."""
        if self.log:
            self.log.write(step, kind, values)

    def save(self, step: int) -> None:
        """Save the model, then the state that says so, and wait for the other processes."""
        if self.log:
            with self.average.in_place():
                self.task.save(self.out, step)
            self.log.draw()  # before the state says that this step is done: else it would never be drawn after a fault
            save_state(self.out / RESUME, step, self.settings, self.parameters, self.buffers, self.adamw, self.average)
        self.engine.barrier()

    def finish(self) -> dict[str, float]:
        """Close the log and return the last evaluation."""
        if self.log:
            self.log.close()
        return self.evaluation


class _Clock:
    """Measures the seconds of a step, loading included, without evaluations and savings in between."""

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()
        self.count = 0

    def count_step(self) -> None:
        """Count a step that ends now."""
        self.last, self.count = time.monotonic(), self.count + 1

    def leave_out(self) -> None:
        """Leave out the time since the last step."""
        now = time.monotonic()
        self.started, self.last = self.started + now - self.last, now

    def reset(self) -> dict[str, float]:
        """Return the seconds of a step since the last reset, as a metric, and begin anew."""
        seconds = (self.last - self.started) / max(self.count, 1)
        self.started, self.count = self.last, 0
        return {"seconds_per_step": seconds}


def _loaded_parts(
    task: Task, optimisation: Optimisation, running: Running, engine: TrainingEngine, start: int
) -> Iterator[tuple[int, list[Any]]]:
    """Yield each step with this process's parts, loaded ahead by the workers."""
    size, parts = optimisation.batch_size, optimisation.accumulate
    workers = engine.loading_workers(running.workers)
    numbers = (
        part
        for step in range(start, optimisation.steps)
        for part in shares(step, size, parts, engine.rank, engine.world)
    )
    loader = DataLoader(
        task.samples,
        batch_sampler=numbers,
        num_workers=workers,
        collate_fn=task.collate,
        pin_memory=engine.device.type == "cuda",
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_ignore_interrupt,
    )
    loaded = iter(loader)
    for step in range(start, optimisation.steps):
        yield step, [next(loaded) for _ in range(parts)]


def _ignore_interrupt(worker: int) -> None:
    """Let a loading process ignore Ctrl-C, which reaches it too, so that the run can end after a whole step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def check_batch_size(optimisation: Optimisation, engine: TrainingEngine) -> None:
    """Raise ConfigError if the batch cannot be shared evenly among all processes and their parts."""
    share = engine.world * optimisation.accumulate
    if optimisation.batch_size % share:
        raise ConfigError(
            f"batch_size {optimisation.batch_size} cannot be shared among {engine.world} processes of "
            f"{optimisation.accumulate} parts: take a multiple of {share}"
        )


def _is_interrupted(progress: Progress, engine: TrainingEngine) -> bool:
    """Return whether any of the processes was asked to stop."""
    try:
        progress.raise_if_interrupted()
        interrupted = False
    except Interrupted:
        interrupted = True
    return engine.total(float(interrupted)) > 0
