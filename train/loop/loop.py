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
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from curation.runtime.errors import Interrupted, RunError
from curation.runtime.progress import Progress
from train.config import ConfigError, Optimisation, Running
from train.order import random, shares

from .engine import Engine
from .optimisation import Average, adamw, learning_rate, trainable
from .resume import load_state, save_state, saved_step
from .run_log import RunLog
from .task import Outcome, Task

RESUME = "resume"
SAMPLES = "samples"


def fit(
    task: Task, optimisation: Optimisation, running: Running, out: Path, engine: Engine, progress: Progress
) -> Outcome:
    """Trains to the last step, from where an earlier run of the same settings was. Raises Interrupted after saving."""
    _check_shares(optimisation, engine)
    settings = task.settings()
    start = saved_step(out / RESUME, settings) or 0
    run = _Run(task, optimisation, engine, out, settings, start)
    if start >= optimisation.steps:
        return Outcome(start, run.finish(), already_done=True)
    task.prepare(engine, progress)
    if not start:
        run.begin(progress)
    progress.start(optimisation.steps, start)
    clock = _Clock()
    for step, parts in _parts(task, optimisation, running, engine, start):
        metrics = run.step(parts, step)
        clock.step()
        done = step + 1
        if done % running.log_every == 0 or done == optimisation.steps:
            run.write(
                done, "train", engine.mean({name: float(value) for name, value in metrics.items()}) | clock.read()
            )
            progress.set_status(f"loss {float(metrics['loss']):.4g}")
        progress.advance()
        if done == optimisation.steps:
            run.end(progress)
        if done % running.evaluate_every == 0 or done == optimisation.steps:
            run.evaluate(done, progress)
        stop = _asked_to_stop(progress, engine)
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

    def begin(self, progress: Progress) -> None:
        """From the same weights on every process."""
        torch.manual_seed(0)
        self.task.begin(self.engine, progress)
        self.engine.same_weights(self.parameters.values())
        self.average = Average(self.parameters, self.config.ema)

    def end(self, progress: Progress) -> None:
        """The averaged weights are the model's from here on, and what is learned last is learned with them."""
        self.average.stay()
        self.task.model.eval()
        self.task.end(self.engine, progress)
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

    def evaluate(self, step: int, progress: Progress) -> None:
        """On held-out cases, with the averaged weights."""
        self.task.model.eval()
        folder = self.out / SAMPLES / f"step-{step}" if self.engine.first else None
        with self.average.in_place():
            self.evaluation = self.task.evaluate(self.engine, progress, folder)
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


def _asked_to_stop(progress: Progress, engine: Engine) -> bool:
    """Whether any process was."""
    try:
        progress.raise_if_interrupted()
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
