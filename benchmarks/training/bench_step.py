"""What of a training step is spent outside of the network, and what settings and other transforms would change.

    python -m benchmarks.training.bench_step                  samples of 128³, masks of 24 prompts, on one thread
    python -m benchmarks.training.bench_step --patch 64 --network S     of 64³, and a step of the network by settings

A sample is cropped from a prepared case of TotalSegmentator's size and augmented, by our own functions and by MONAI's
transforms with the same ranges, each with every change at work. Masks of prompts are made as before (all prompts of a
voxel together, then turned and stacked) and as now (one prompt after the other). All are CPU seconds of one thread, in
turn, so that a busy machine slows each by as much. On a GPU samples are made by other processes and masks by the GPU.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.curation.processes import on_what
from models.segmenter import Segmentation, TextSegmenter
from models.stunet import STUNet
from train.config.speed import Speed
from train.data import crops
from train.data.preparing.prepared_file import (
    StoredCase,
    index_labels,
    pack_label_index,
    read_prepared,
    write_prepared,
)
from train.loop.network_speed import speed_up
from train.losses.class_loss import class_loss
from train.losses.mask_losses import deep_supervision_loss
from train.order import random
from train.scans.grid import Grid

SHAPE, LABELS, PROMPTS = (240, 256, 256), 118, 24


def stored_case(path: Path) -> StoredCase:
    """Write a prepared case of blocks of labels, and map it as training does."""
    draw = np.random.default_rng(0)
    blocks = draw.integers(0, LABELS, tuple(length // 16 for length in SHAPE)) * (draw.random((15, 16, 16)) < 0.4)
    labels = np.kron(blocks, np.ones((16, 16, 16), int)).astype(np.int16)
    tensors = {"volume": torch.randn(1, *SHAPE).half(), "labels": torch.from_numpy(labels).to(torch.uint8)}
    grid = Grid(SHAPE, np.eye(4), SHAPE, np.eye(4))
    write_prepared(path, StoredCase(tensors | pack_label_index(index_labels(labels)), grid, -3.0))
    stored = read_prepared(path)
    assert stored is not None
    return stored


def monai_transforms(patch: tuple[int, int, int]) -> tuple[Any, Any]:
    """Return MONAI's transforms for moving and for grey values, with our ranges, each of them always at work."""
    from monai.transforms.compose import Compose
    from monai.transforms.intensity.dictionary import RandGaussianNoised, RandScaleIntensityd, RandShiftIntensityd
    from monai.transforms.spatial.dictionary import RandAffined

    shift = [crops.SHIFT * length / 2 for length in patch]
    moved = RandAffined(
        keys=["volume", "labels"], prob=1.0, rotate_range=[crops.ANGLE] * 3, scale_range=[crops.SCALE] * 3,
        translate_range=shift, mode=("bilinear", "nearest"), padding_mode="border", cache_grid=True, spatial_size=patch,
    )  # fmt: skip
    grey = Compose(
        [
            RandScaleIntensityd(keys="volume", factors=0.1, prob=1.0),
            RandShiftIntensityd(keys="volume", offsets=0.1, prob=1.0),
            RandGaussianNoised(keys="volume", prob=1.0, std=0.1),
        ]
    )
    return moved, grey


def masks_before(labels: Tensor, table: Tensor) -> Tensor:
    return torch.stack([table[labels.long()].permute(3, 0, 1, 2)])


def masks_now(labels: Tensor, table: Tensor) -> Tensor:
    masks = table.new_empty((1, table.shape[1], *labels.shape))
    ids = labels.flatten().int()
    for mask, has_id in zip(masks[0], table.T.contiguous(), strict=True):
        mask.view(-1).copy_(has_id.index_select(0, ids))
    return masks


def compare(works: Mapping[str, Callable[[], object]], rounds: int) -> list[float]:
    """Time each work in turn; print and return the median CPU seconds of each, beside the first's."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            began = time.process_time()
            work()
            if number:  # the first is for warmth
                seconds[name].append(time.process_time() - began)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    for name, median in medians.items():
        times = median / next(iter(medians.values()))
        print(f"  {name:44}{1e3 * median:9.1f} ms{1 / median:9.1f} a second{times:8.2f}", flush=True)
    return list(medians.values())


def network_step(stage: str, size: str, speed: Speed, patch: int) -> Callable[[], object]:
    """Return a step of a network without its optimizer, in bfloat16 by autocast."""
    torch.manual_seed(0)
    shape = (1, *[patch] * 3)
    volume, labels = torch.randn(1, *shape), torch.randint(0, LABELS, shape, dtype=torch.int16)
    prompts, target = torch.randn(PROMPTS, 384), torch.rand(1, PROMPTS, *[patch] * 3) > 0.9
    model = STUNet(size, num_classes=LABELS if stage == "pretrain" else None)
    network = model.freeze("pretrain") if stage == "pretrain" else TextSegmenter(model, None, embedding_dim=384)
    if isinstance(network, TextSegmenter):
        network.freeze("segment")
    speed_up(network.train(), speed, torch.device("cpu"))

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            result = (
                network(volume, deep_supervision=True) if stage == "pretrain" else network(volume, prompts, full=True)
            )
        is_masks = isinstance(result, Segmentation)
        loss = deep_supervision_loss(result.logits, target) if is_masks else class_loss(result, labels)
        torch.autograd.backward(loss)
        network.zero_grad()

    return step


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training.bench_step", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--network", choices=["S", "B", "L"])
    parser.add_argument("--patch", type=int, default=128)
    parser.add_argument("--compile", action="store_true", help="compile too")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    print(on_what("cpu", 1))
    patch, rounds = (args.patch, args.patch, args.patch), args.rounds
    with TemporaryDirectory() as folder:
        stored = stored_case(Path(folder) / "case.safetensors")
        generator = random((0, 1))
        start = (50, 60, 70)
        volume, labels = stored.crop(start, patch)
        assert labels is not None
        moved, grey = monai_transforms(patch)

        def both() -> dict[str, Tensor]:
            return {"volume": volume, "labels": labels[None]}

        print(f"a sample of {args.patch}³")
        (crop,) = compare({"crop": lambda: stored.crop(start, patch)}, rounds)
        print("augmentation: moved (turned, scaled, shifted), with labels")
        own = {"ours": lambda: crops.transform(volume, labels, generator), "MONAI RandAffined": lambda: moved(both())}
        moving, _ = compare(own, rounds)
        print("augmentation: grey values (scaled, shifted, noise)")
        changing, _ = compare(
            {"ours": lambda: crops.change_grey(volume, generator), "MONAI": lambda: grey(both())}, rounds
        )
        print(f"masks of {PROMPTS} prompts for one sample")
        table = torch.rand(LABELS, PROMPTS) > 0.9
        targets = {"before": lambda: masks_before(labels, table), "now": lambda: masks_now(labels, table)}
        masks = compare(targets, rounds)
    sample = crop + crops.CHANCE * (moving + changing)
    if args.network:
        settings = {"contiguous": Speed(), "channels last": Speed(channels_last=True)}
        if args.compile:
            settings["compiled"] = Speed(compile=True)
        for stage in ("pretrain", "segment"):
            print(f"a step of {stage}, STU-Net {args.network} at {args.patch}³, bfloat16")
            steps = {name: network_step(stage, args.network, speed, args.patch) for name, speed in settings.items()}
            step, *_ = compare(steps, min(rounds, 3))
            before, now = (sample + (made if stage == "segment" else 0) for made in masks)
            shares = [f"{outside / (outside + step):.1%}" for outside in (before, now)]
            print(f"  of a step with one sample outside of the network: {shares[0]} before, {shares[1]} now")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
