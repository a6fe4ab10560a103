"""Where a stage begins: a checkpoint of an earlier one, or weights that others published."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from models.checkpoint import Model, load_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing
from models.stunet import STUNet


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
    """A checkpoint's folder, or a published STU-Net file, whose volumes lie as `preprocessing` says.

    Raises CheckpointError, WeightsFileError, TextEncoderError.
    """
    if path.is_dir():
        model, record = load_checkpoint(path)
        stored = record.text is not None and record.text.directory is not None
        return StartingPoint(model, record.preprocessing, record.trained_on, stored)
    earlier: dict[str, JsonValue] = {"stage": "published", "file": str(path)}
    return StartingPoint(STUNet.load_published(path), preprocessing, (earlier,), False)
