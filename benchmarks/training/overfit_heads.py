"""Masks by a network's own heads on one real CT: does a prompt give what the plain argmax of its class gives?

    python -m benchmarks.training.overfit_heads [--size S] [--patch 64 64 96] [--steps 1600] [--out runs/overfit-heads]

A network is overfitted on TotalSegmentator's example CT (as in `overfit_real`), and each structure is segmented in two
ways: by its name and its group's, with `ovct segment`'s own chain, and by MONAI's sliding windows over the logits of
all classes with a plain argmax. Printed are the mean Dice of both with the reference, and how many voxels they differ
in. No measure of quality: the network sees the masks that it is measured on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from monai.inferers.utils import sliding_window_inference

from benchmarks.training.demo_world import ovct
from benchmarks.training.overfit_real import as_nnunet
from train.inference.engines.class_network import ClassNetwork
from train.inference.engines.heads import HeadsEngine
from train.inference.options import SegmentOptions
from train.inference.segmenting import segment
from train.inference.windows import padded
from train.scans.grid import to_network
from train.scans.labels import read_label_map
from train.scans.scan import read_scan


def main() -> None:
    """Train, segment in both ways, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="S")
    parser.add_argument("--patch", type=int, nargs=3, default=(64, 64, 96))
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--out", type=Path, default=Path("runs/overfit-heads"))
    options = parser.parse_args()
    dataset, checkpoint = as_nnunet(options.out / "Dataset001_Example"), options.out / "pretrain"
    start = time.monotonic()
    ovct(
        "train", "pretrain", dataset, "--spacing-mm", "3", "3", "3", "--size", options.size,
        "--patch", *options.patch, "--no-augment", "--learning-rate", "0.002", "--foreground", "1",
        "--batch-size", "1", "--evaluate-every", "100000", "--save-every", "100", "--steps", options.steps,
        "--out", checkpoint,
    )  # fmt: skip
    print(f"trained in {(time.monotonic() - start) / 60:.0f} min")
    compare(dataset, ClassNetwork.load_pretrained(checkpoint))


def compare(dataset: Path, network: ClassNetwork) -> None:
    """Print the Dice of both ways, for structures and for groups of them."""
    scan = read_scan(dataset / "imagesTr" / "example_0000.nii.gz")
    reference = read_label_map(dataset / "labelsTr" / "example.nii.gz", scan)
    ids = json.loads((dataset / "dataset.json").read_text())["labels"]
    references = {name: reference == number for name, number in ids.items()}
    engine, winner = HeadsEngine(network), argmax_by_windows(network, scan.path)
    groups = {name: union.labels for name, union in engine.names.unions()}
    prompts = {label: name for label, name in engine.names.names.items()} | {name: name for name in groups}
    result = segment(scan, prompts, engine, SegmentOptions(precision="float32"))
    for title, members in (
        ("structures", {label: (label,) for label in engine.names.names}),
        ("groups", groups),
    ):
        dice, other = [], 0
        for name, labels in members.items():
            truth = np.logical_or.reduce([references[label] for label in labels])
            plain = np.isin(winner, [network.labels.index(label) for label in labels])
            mask = result.mask(name)
            dice.append((dice_of(mask, truth), dice_of(plain, truth)))
            other += int((mask != plain).sum())
        by_prompt, by_argmax = np.mean(dice, axis=0)
        print(
            f"{title:12}{len(members):4d}  Dice by prompt {by_prompt:.4f}, by argmax {by_argmax:.4f}; "
            f"{other:,} of {winner.size:,} voxels differ"
        )


@torch.no_grad()
def argmax_by_windows(network: ClassNetwork, path: Path) -> np.ndarray:
    """The class of each voxel of the scan, (X, Y, Z): logits of all classes over windows, blended by MONAI."""
    volume, grid = to_network(read_scan(path), network.preprocessing)
    patch = network.patch
    assert patch is not None
    if sorted(grid.shape) != sorted(grid.scan_shape):
        raise SystemExit("the plain way needs a scan with the network's own spacing")
    logits = sliding_window_inference(
        padded(volume, patch)[None], patch, 1, network.network, overlap=0.5, mode="gaussian", sigma_scale=0.125
    )
    assert isinstance(logits, torch.Tensor)
    winner = logits[0].argmax(dim=0)
    to_scan = np.linalg.inv(grid.scan_affine) @ grid.affine
    axes = [int(np.abs(to_scan[:3, dim]).argmax()) for dim in range(3)]
    flipped = [dim for dim in range(3) if to_scan[axes[dim], dim] < 0]
    return winner.flip(flipped).permute(*(axes.index(axis) for axis in range(3))).numpy()


def dice_of(mask: np.ndarray, truth: np.ndarray) -> float:
    """The Dice of two masks."""
    return float(2 * (mask & truth).sum() / max(mask.sum() + truth.sum(), 1))


if __name__ == "__main__":
    main()
