"""Records of a run: the settings that a resumed run must share, and what a checkpoint says of its training.

Also what every stage starts from: a checkpoint or a published file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from models.checkpoint import Model, load_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing
from models.stunet import STUNet
from train.config.options import ConfigError, StageConfig, flat
from train.data.training_set import CaseRef, TrainingSet
from train.loop.engine import TrainingEngine

# Held-out cases that an evaluation while training looks at, and those of them that it draws, at most.
MOST_EVALUATED = 24
MOST_DRAWN = 3
# Settings that may change when a run goes on: they change nothing of what is learned.
NOT_LEARNED_FROM = frozenset(
    {"accelerator", "devices", "num_nodes", "workers", "save_every", "evaluate_every", "log_every", "cache"}
)


def settings_of(config: StageConfig, data: TrainingSet) -> dict[str, Any]:
    """Return all that decides what is learned, as JSON: options, data sets, number of their cases."""
    return settings_with(
        config, [f"{source.dataset.root}: {len(source.dataset.cases)} cases" for source in data.sources]
    )


def settings_with(config: StageConfig, data: Sequence[str]) -> dict[str, Any]:
    """Return the same for data that are described in words."""
    options = {name: _as_json(value) for name, value in flat(config).items() if name not in NOT_LEARNED_FROM}
    return options | {"data": list(data)}


def learned_by(stage: str, config: StageConfig, data: Sequence[JsonValue], step: int) -> dict[str, JsonValue]:
    """Return what a checkpoint records of a run: stage, steps done, data and every option."""
    options: dict[str, JsonValue] = {name: _as_json(value) for name, value in flat(config).items()}
    return {"stage": stage, "steps": step, "data": list(data), "options": options}


def evaluated_cases(data: TrainingSet, engine: TrainingEngine) -> list[CaseRef]:
    """Return this process's share of the held-out cases, the same ones each time."""
    return data.case_refs(held_out=True)[:MOST_EVALUATED][engine.rank :: engine.world]


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def check_patch(network: STUNet, patch: tuple[int, int, int], option: str) -> None:
    """Raise ConfigError if the network cannot take patches of this size; the text names one that it takes."""
    try:
        network.architecture.check_patch(patch)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error


class StartingPoint(NamedTuple):
    """A model, how its volumes must lie, what it was trained on so far, and whether its text encoder lies beside it."""

    model: Model
    preprocessing: Preprocessing
    earlier: tuple[dict[str, JsonValue], ...]
    stores_text: bool

    @property
    def image(self) -> STUNet:
        """The image encoder with its decoder."""
        return self.model if isinstance(self.model, STUNet) else self.model.image


def starting_point(path: Path, preprocessing: Preprocessing = PUBLISHED_PREPROCESSING) -> StartingPoint:
    """Load a checkpoint's folder, or a published STU-Net file, whose volumes lie as `preprocessing` says.

    Raises CheckpointError, WeightsFileError, TextEncoderError.
    """
    if path.is_dir():
        model, record = load_checkpoint(path)
        stored = record.text is not None and record.text.directory is not None
        return StartingPoint(model, record.preprocessing, record.trained_on, stored)
    earlier: dict[str, JsonValue] = {"stage": "published", "file": str(path)}
    return StartingPoint(STUNet.load_published(path), preprocessing, (earlier,), False)
