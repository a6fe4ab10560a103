"""Runs a stage of `ovct train` from its settings to its checkpoint."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from curation.runtime.processes import available_cores
from curation.runtime.progress import Progress
from train.config.options import AlignConfig, PretrainConfig, SegmentConfig, StageConfig, WordsConfig
from train.loop.dry_run import dry_run
from train.loop.engine import TrainingEngine
from train.loop.loop import check_batch_size, fit
from train.loop.network_speed import speed_up
from train.loop.run_folder import begun_folder
from train.loop.task import Task, TrainOutcome

from .cost.devices import free_bytes
from .cost.report import cost_lines, fits
from .patch_task import PatchTask


@dataclass(frozen=True)
class TrainJob:
    """What to train on, where the result goes, and whether an earlier run there is removed first."""

    data: tuple[Path, ...]
    out: Path
    overwrite: bool = False
    volumes: Path | None = None


def train(job: TrainJob, config: StageConfig, progress: Progress) -> TrainOutcome | None:
    """Run a stage to its end, from where an earlier run was; return the outcome, on the first process alone.

    Raises ConfigError, DataError, and Interrupted once all is saved.
    """
    engine = TrainingEngine(config.running)
    with begun_folder(job.out, overwrite=job.overwrite) if engine.first else nullcontext():
        engine.barrier()
        task = _open_fast(job, config, _cache_folder(job, config), engine)
        outcome = fit(task, config.optimisation, config.running, job.out, engine, progress)
    return outcome if engine.first else None


def try_out(job: TrainJob, config: StageConfig) -> list[str]:
    """Return what one batch of a stage shows, and what the run will cost, as lines; nothing is kept.

    A step that is not going to fit into memory is not tried. Raises as `train` does.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="ovct-check-") as folder:
        engine = TrainingEngine(config.running)
        task = _open_fast(job, config, Path(folder), engine)
        check_batch_size(config.optimisation, engine)
        if not isinstance(task, PatchTask):
            return dry_run(task, config.optimisation, engine).lines()
        free, cost = free_bytes(engine.device), task.cost(engine)
        lines = cost_lines(cost, config.optimisation.steps, free)
        if free is not None and not fits(cost, free):
            return [*lines, "not tried: --accumulate, --checkpointing, a smaller --patch or --size take less"]
        trial = dry_run(task, config.optimisation, engine)
        jobs = task.config.data.prepare_workers or available_cores()
        cases = task.data.count_cases()
        minutes = trial.preparing * cases / (jobs * engine.world / engine.local_world) / 60
        prepared = (
            f"about {trial.preparing:.2g} s to prepare a case: {cases:,} cases in {jobs} processes {minutes:.2g} min"
        )
        return [*trial.lines(), prepared, *lines]


def _open_fast(job: TrainJob, config: StageConfig, cache: Path, engine: TrainingEngine) -> Task:
    """Return the task, with its network laid out and compiled as the settings say."""
    task = open_task(job, config, cache)
    if isinstance(config, PretrainConfig | SegmentConfig):
        speed_up(task.model, config.speed, engine.device)
    return task


def open_task(job: TrainJob, config: StageConfig, cache: Path) -> Task:
    """Return the task of the stage that the settings are of. Raises ConfigError, DataError, CheckpointError."""
    if isinstance(config, WordsConfig):
        from .words import open_words

        return open_words(config)
    if isinstance(config, PretrainConfig):
        from .pretrain import open_pretraining

        return open_pretraining(job.data, config, cache)
    if isinstance(config, SegmentConfig):
        from .open_segmentation import open_segmentation

        return open_segmentation(job.data, config, cache)
    assert isinstance(config, AlignConfig)
    from .open_alignment import open_alignment

    return open_alignment(job.data[0], job.volumes, config, cache)


def _cache_folder(job: TrainJob, config: StageConfig) -> Path:
    return Path(config.running.cache) if config.running.cache else job.out / "cache"


class TrainFigures(BaseModel):
    """What `ovct train --json` prints: the measures on held-out cases, null where nothing was measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    steps: int
    already_done: bool
    held_out_cases: dict[str, float | None]


def figures(outcome: TrainOutcome, out: Path) -> TrainFigures:
    """Return what a run came to as one record."""
    measures = {name: value if _is_measured(value) else None for name, value in outcome.evaluation.items()}
    return TrainFigures(folder=str(out), steps=outcome.step, already_done=outcome.already_done, held_out_cases=measures)


def _is_measured(value: float | None) -> bool:
    # The log of an earlier run has null where there was nothing to measure.
    return value is not None and not math.isnan(value)
