"""`ovct train`: a stage from its settings to its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.runtime.progress import Progress
from train.config import AlignConfig, ConfigError, PretrainConfig, SegmentConfig, StageConfig
from train.loop.dry_run import DryRun, dry_run
from train.loop.engine import Engine
from train.loop.loop import fit, start_again
from train.loop.task import Outcome, Task


@dataclass(frozen=True)
class Job:
    """What to train on, where the result goes, and whether an earlier run there is thrown away."""

    data: tuple[Path, ...]
    out: Path
    overwrite: bool = False
    volumes: Path | None = None


def train(job: Job, config: StageConfig, progress: Progress) -> Outcome | None:
    """Runs a stage to its end, or goes on with it; the outcome is for the first process to tell.

    Raises ConfigError, DataError, and Interrupted once all is saved.
    """
    engine = Engine(config.running)
    if engine.first:
        if job.out.is_file():
            raise ConfigError(f"{job.out} is a file; --out names a folder")
        if job.overwrite:
            start_again(job.out)
    engine.barrier()
    task = open_task(job, config, _cache(job, config))
    outcome = fit(task, config.optimisation, config.running, job.out, engine, progress)
    return outcome if engine.first else None


def try_out(job: Job, config: StageConfig) -> DryRun:
    """One batch of everything, with its shapes, memory and time; nothing is kept."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="ovct-check-") as folder:
        engine = Engine(config.running)
        return dry_run(open_task(job, config, Path(folder)), config.optimisation, engine)


def open_task(job: Job, config: StageConfig, cache: Path) -> Task:
    """The stage that the settings are of."""
    if isinstance(config, PretrainConfig):
        from .pretrain import open_pretraining

        return open_pretraining(job.data, config, cache)
    if isinstance(config, SegmentConfig):
        from .segment import open_text_guided

        return open_text_guided(job.data, config, cache)
    assert isinstance(config, AlignConfig)
    from .align import open_alignment

    return open_alignment(job.data[0], job.volumes, config, cache)


def _cache(job: Job, config: StageConfig) -> Path:
    return Path(config.running.cache) if config.running.cache else job.out / "cache"
