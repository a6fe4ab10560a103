"""Opens stage 2: the pairs of volumes and reports, the image encoder and the text encoder, as the settings say."""

from __future__ import annotations

from pathlib import Path

import torch

from models.aligner import Aligner
from models.checkpoint import open_text
from models.pooling import outlines
from train.config.options import AlignConfig, ConfigError
from train.data.caption_pairs import read_pairs
from train.data.cases import DataError
from train.data.dataset import open_dataset

from .align import AlignTask
from .starting_point import check_patch, starting_point


def open_alignment(captions: Path, volumes: Path | None, config: AlignConfig, cache: Path) -> AlignTask:
    """Return the task of stage 2. Raises ConfigError, DataError, CheckpointError, TextEncoderError."""
    options = config.alignment
    if not captions.exists():
        raise DataError(f"{captions} is not there: `ovct curate REPORTS --out {captions}` makes a caption set")
    dataset = open_dataset(volumes, config.data.layout or None) if volumes else None
    pairs = read_pairs(captions, dataset)
    if not options.image:
        raise ConfigError(
            "image: name the image encoder, a checkpoint of `ovct train pretrain` or a published STU-Net file: "
            "--image PATH"
        )
    start = starting_point(Path(options.image))
    if outlines(options.pooling) and start.image.num_classes is None:
        raise ConfigError(
            f"pooling: {options.pooling!r} takes a network that outlines some, and {options.image} has no heads: "
            "--pooling mean_max --mgcl volume"
        )
    if options.mgcl == "organ" and start.image.labels is None:
        raise ConfigError(
            f"mgcl: 'organ' takes a network whose classes have names, and those of {options.image} have none: "
            "--mgcl volume"
        )
    torch.manual_seed(config.running.seed)
    text = open_text(options.text)
    model = Aligner(start.image, text.encoder, pooling=options.pooling, mgcl=options.mgcl)
    check_patch(model.image, options.window, "window")
    earlier = (*start.earlier, *text.trained_on)
    return AlignTask(model, pairs, start.preprocessing, config, cache, earlier=earlier)
