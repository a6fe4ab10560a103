"""What a stage starts from: a checkpoint of ovct or a published STU-Net file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from models.checkpoint import Model, load_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing
from models.stunet import STUNet
from train.config.options import ConfigError


class StartingPoint(NamedTuple):
    """A model, how its volumes must lie, what it was trained on so far, and whether its text encoder lies beside it."""

    model: Model
    preprocessing: Preprocessing
    earlier: tuple[dict[str, JsonValue], ...]
    stores_text: bool

    @property
    def image(self) -> STUNet:
        """Return the image encoder with its decoder."""
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


def check_patch(network: STUNet, patch: tuple[int, int, int], option: str) -> None:
    """Raise ConfigError if the network cannot take patches of this size; the text names one that it takes."""
    try:
        network.architecture.check_patch(patch)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error
