"""The folder of a training run: what runs have made in it, which alone is ever removed, and its lock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from curation.runtime.errors import InputError
from curation.runtime.locks import LockedError, locked
from curation.runtime.made_files import LOCK_FILE, MadeFiles
from models.checkpoint_record import RECORD as CHECKPOINT
from models.checkpoint_record import CheckpointError, earlier_record, names_of, read_record, remove_checkpoint
from train.config.options import ConfigError

from .resume import RECORD, STATE_NAME
from .run_log import CURVES, METRICS
from .tracking import RUNS, WANDB_FOLDER

KIND = "training run"
RESUME, SAMPLES, BOARD, CACHE = "resume", "samples", "tensorboard", "cache"
FILES = (METRICS, CURVES, CHECKPOINT, RUNS)
FOLDERS = (RESUME, SAMPLES, BOARD, CACHE, WANDB_FOLDER)
# What a run of an earlier version, which kept no list, has made in these folders.
_EARLIER = re.compile(r"samples/step-\d+(/[^/]+\.png)?|tensorboard/events\.out\.tfevents\.[^/]+")


def made_files(out: Path) -> MadeFiles:
    """Return the list of what runs have made in `out`. Raises ConfigError for a folder that is none of theirs."""
    with _as_config_error():
        return MadeFiles(out, KIND, _made_before(out))


@contextmanager
def begun_folder(out: Path, *, overwrite: bool) -> Iterator[None]:
    """Hold the lock of a run's folder, which is made if it is missing; with `overwrite`, remove an earlier run first.

    Raises ConfigError for a file, for a folder that holds something else, and where another run holds the lock;
    CheckpointError for a checkpoint there that was changed.
    """
    if out.is_file():
        raise ConfigError(f"{out} is a file; --out names a folder")
    made_files(out)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with locked(out / LOCK_FILE):
            with _as_config_error():
                made_files(out).claim(*FILES, *FOLDERS)
            if overwrite:
                start_again(out)
            else:
                earlier_record(out)  # one that cannot be replaced is told of now, and not after hours
            yield
    except LockedError as error:
        raise ConfigError(f"another run ({error.holder}) is training into {out}: wait for it to end") from None


def start_again(out: Path) -> None:
    """Remove what an earlier run left: its state, log, pictures and checkpoint. What others put there stays."""
    made = made_files(out)
    with suppress(CheckpointError):
        remove_checkpoint(out)
    for path in sorted((out / RESUME).glob("*")):
        if path.name == RECORD or STATE_NAME.fullmatch(path.name):
            path.unlink()
    listed = [name for name in made.names() if name.startswith((f"{SAMPLES}/", f"{BOARD}/"))]
    # Of W&B's folder nothing is: what was recorded offline may not have been sent yet.
    made.remove([*listed, *FILES, RESUME, SAMPLES, BOARD])


def _made_before(out: Path) -> set[str]:
    """Return what a run of an earlier version, which kept no list, has made; nothing where no such run was there."""
    names: set[str] = set()
    try:
        names = names_of(read_record(out)) | {CHECKPOINT}
    except (CheckpointError, OSError):
        if not _is_resume(out / RESUME / RECORD):
            return set()
    found = [path.relative_to(out).as_posix() for folder in (SAMPLES, BOARD) for path in (out / folder).rglob("*")]
    return {*names, *FILES, *FOLDERS, *(name for name in found if _EARLIER.fullmatch(name))}


def _is_resume(path: Path) -> bool:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and {"step", "state", "settings"} <= record.keys()


@contextmanager
def _as_config_error() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise ConfigError(str(error)) from None
