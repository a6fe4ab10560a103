"""Tiny worlds to train in: volumes with labels, captions on them, models to start from; and processes to do it."""

import json
import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.checkpoint import load_checkpoint, open_text, save_checkpoint
from models.checkpoint_record import TextCheckpointRecord, read_any_record
from models.preprocessing import PUBLISHED_PREPROCESSING
from models.stunet import STUNet
from models.text import TextEncoder
from tests.models.encoders import tiny_encoder
from tests.train.data.data_files import save
from train.config.loading import load_config
from train.config.options import AlignConfig, PretrainConfig, SegmentConfig, StageConfig, WordsConfig
from train.loop.task import TrainOutcome
from train.stages.run import TrainJob, train

# Along R A S, 10 mm: the network of size `tiny` sees all of it in its smallest patch.
SHAPE, PATCH = (32, 16, 32), (32, 16, 32)
AFFINE = np.diag([10.0, 10, 10, 1])
PREPROCESSING = PUBLISHED_PREPROCESSING.model_copy(update={"spacing_mm": (10.0, 10.0, 10.0)})
# Where each structure lies in the first case; others are moved.
BOXES = {
    "liver": ((18, 4, 12), (28, 12, 20), 110),
    "kidney_left": ((6, 5, 8), (11, 10, 16), 160),
    "kidney_right": ((21, 5, 3), (26, 10, 11), 170),
    "spleen": ((3, 6, 18), (9, 12, 26), 130),
}


@dataclass(frozen=True)
class World:
    """Folders and files of one world, all in `root`."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def captions(self) -> Path:
        return self.root / "captions.json"

    @property
    def encoder(self) -> Path:
        return self.root / "encoder"

    @property
    def image(self) -> Path:
        return self.root / "image"

    @property
    def aligner(self) -> Path:
        return self.root / "aligner"


def labelled(root: Path, cases: int, structures: tuple[str, ...] = tuple(BOXES), first: int = 0) -> Path:
    """Write a data set in TotalSegmentator's layout: s0, s1, ... with a mask for each structure."""
    for number in range(first, first + cases):
        draw = np.random.default_rng(number)
        volume = draw.normal(-900, 20, SHAPE).astype(np.float32)
        volume[2:-2, 2:-2, 1:-1] = draw.normal(30, 10, (28, 12, 30))
        move = draw.integers(-1, 2, 3)
        for structure, (low, high, grey) in BOXES.items():
            inside = tuple(slice(a + m, b + m) for a, b, m in zip(low, high, move, strict=True))
            volume[inside] += grey
            if structure in structures:
                mask = np.zeros(SHAPE, np.uint8)
                mask[inside] = 1
                save(root / f"s{number}" / "segmentations" / f"{structure}.nii.gz", mask, AFFINE)
        save(root / f"s{number}" / "ct.nii.gz", volume.astype(np.int16), AFFINE)
    return root


def captions_of(path: Path, cases: int) -> Path:
    """Write organ captions for s0, s1, ...: s0 has one, the others two to four; every report is another text."""
    texts_of_cases = {
        f"s{number}": {
            organ: f"{organ} {word} {number}"
            for organ, word in (("liver", "large"), ("spleen", "small"), ("aorta", "wide"), ("heart", "calm"))
        }
        for number in range(cases)
    }
    captions = {
        name: dict(list(texts.items())[: 1 + number % 4]) for number, (name, texts) in enumerate(texts_of_cases.items())
    }
    path.write_text(json.dumps(captions))
    return path


def make_world(root: Path, cases: int = 6) -> World:
    """Make all of a world; weights are drawn, nothing was trained."""
    world = World(root)
    tiny_encoder(world.encoder, dropout=0.0)
    torch.manual_seed(0)
    labels = ("background", *BOXES)
    save_checkpoint(STUNet("tiny", num_classes=len(labels), labels=labels), world.image, PREPROCESSING)
    torch.manual_seed(0)
    aligner = Aligner(STUNet("tiny"), TextEncoder.from_pretrained(world.encoder))
    save_checkpoint(aligner, world.aligner, PREPROCESSING)
    labelled(world.data, cases)
    captions_of(world.captions, cases)
    return world


# Settings under which a run on a world takes seconds and is the same on one process and on two.
SMALL: Mapping[str, object] = {
    "steps": 3,
    "batch_size": 4,
    "warmup_steps": 1,
    "learning_rate": 0.01,
    "precision": "32-true",
    "accelerator": "cpu",
    "log_every": 1,
    "evaluate_every": 3,
    "evaluation_share": 1,
    "save_every": 3,
}


def settings(stage: str, world: World, **options: object) -> dict[str, object]:
    """Return the small settings of a stage, with some `options` changed."""
    of_stages: dict[str, dict[str, object]] = {
        "words": {"text": str(world.encoder)},
        "pretrain": {"size": "tiny", "spacing_mm": [10, 10, 10], "patch": list(PATCH)},
        "align": {
            "image": str(world.image),
            "text": str(world.encoder),
            "window": list(PATCH),
            "anchor_weight": 0.0,
        },
        "segment": {
            "start": str(world.aligner),
            "patch": list(PATCH),
            "hidden": 16,
            "levels": 2,
            "prompts_per_step": 4,
            "presence_patches": 4,
            "connector_steps": 4,
        },
    }
    values = {**SMALL, **of_stages[stage], **options}
    if stage == "words":
        values.pop("validation", None)  # there are no patients
    return values


CONFIGS: Mapping[str, type[StageConfig]] = {
    "words": WordsConfig,
    "pretrain": PretrainConfig,
    "align": AlignConfig,
    "segment": SegmentConfig,
}


def trained(stage: str, world: World, out: Path, **options: object) -> TrainOutcome | None:
    """Run `ovct train STAGE` in this process."""
    config: StageConfig = load_config(CONFIGS[stage], None, settings(stage, world, **options))
    data = {"align": (world.captions,), "words": ()}.get(stage, (world.data,))
    return train(TrainJob(data, out, volumes=world.data if stage == "align" else None), config, Progress())


def weights(out: Path) -> dict[str, Tensor]:
    """Return the weights of the checkpoint there."""
    if isinstance(read_any_record(out), TextCheckpointRecord):
        return open_text(str(out)).encoder.state_dict()
    return load_checkpoint(out).model.state_dict()


# With an average over the steps, and several held-out cases to share.
ALIKE: Mapping[str, Any] = {"ema": 0.5, "validation": 0.25}


# Settings that have no flag.
IN_YAML_ALONE = {
    *("channels_last", "connector_steps", "cudnn_benchmark", "hidden", "levels", "log_every", "not_shown"),
    "presence_patches",
}


def flags_of(values: Mapping[str, object], folder: Path) -> list[str]:
    """Return settings as flags of the command line; those without a flag go into a YAML file in `folder`."""
    config = folder / "settings.yaml"
    config.write_text(json.dumps({name: value for name, value in values.items() if name in IN_YAML_ALONE}))
    words = ["--config", str(config)]
    for name, value in values.items():
        if name in IN_YAML_ALONE:
            continue
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{flag}")
        else:
            words += [f"--{flag}", *map(str, value if isinstance(value, list) else [value])]
    return words


def server() -> ForkServerContext:
    """Return a context whose processes begin with everything imported: torch is loaded once for all of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "tests.train.training_worlds",
            "train.stages.words",
            "train.stages.pretrain",
            "train.stages.align",
            "train.stages.segment",
            "tensorboardX",
            "ovct",
        ]
    )
    return context


def command(words: list[str]) -> None:
    """Run `ovct WORDS`, in a process of `server`."""
    from ovct import app

    torch.set_num_threads(1)
    os.setsid()
    app(words)
