"""Patches of volumes for training: where each lies in its volume, and how it is augmented.

Shapes: D H W voxels of a patch. A patch larger than the volume contains all of it, somewhere; voxels outside have the
volume's lowest value and label 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from train.config.options import Crops
from train.order import Order, random

from .training_set import CaseRef, TrainingSet

# Largest augmentation: log of the scale, angle in radians, shift as a share of half the patch.
SCALE, ANGLE, SHIFT = 0.15, 0.15, 0.05
# Probability of each kind of augmentation.
CHANCE = 0.5


class Patch(NamedTuple):
    """A patch of a case: `volume` (1, D, H, W) float32, `labels` (D, H, W) int16."""

    volume: Tensor
    labels: Tensor
    case_ref: CaseRef


class PatchBatch(NamedTuple):
    """B patches of one size, maybe of several data sets: `volume` (B, 1, D, H, W), `labels` (B, D, H, W)."""

    volume: Tensor
    labels: Tensor
    case_refs: tuple[CaseRef, ...]


class Patches(Dataset[Patch]):
    """The patches of a run: number n is always the same patch, of the n-th case in the run's order."""

    def __init__(self, data: TrainingSet, crops: Crops, batch_size: int, seed: int) -> None:
        self.data, self.crops = data, crops
        self.case_refs, self.order = data.case_refs(), Order(data.scans(), batch_size, seed)

    def __getitem__(self, number: int) -> Patch:
        case_ref = self.case_refs[self.order[number]]
        generator = random((self.order.seed, 2, number))
        start = _draw_start(self.data, case_ref, self.crops, generator)
        volume, labels = self.data.cases(case_ref.source).crop(case_ref.index, start, self.crops.patch)
        assert labels is not None
        if self.crops.augment:
            volume, labels = augment(volume, labels, generator)
        return Patch(volume, labels, case_ref)


def collate_patches(patches: list[Patch]) -> PatchBatch:
    """Stack patches of one size."""
    volumes, labels, case_refs = zip(*patches, strict=True)
    return PatchBatch(torch.stack(volumes), torch.stack(labels), case_refs)


def middle_patch(data: TrainingSet, case_ref: CaseRef, size: tuple[int, int, int]) -> Patch:
    """Return the patch around the middle of a held-out case, which evaluations during training look at."""
    cases = data.cases(case_ref.source, held_out=True)
    shape = cases.grid(case_ref.index).shape
    start = tuple((length - patch_length) // 2 for length, patch_length in zip(shape, size, strict=True))
    volume, labels = cases.crop(case_ref.index, (start[0], start[1], start[2]), size)
    assert labels is not None
    return Patch(volume, labels, case_ref)


def _draw_start(
    data: TrainingSet, case_ref: CaseRef, crops: Crops, generator: np.random.Generator
) -> tuple[int, int, int]:
    """Draw the first voxel of a patch: around a voxel of a label drawn with equal chances, or anywhere."""
    cases = data.cases(case_ref.source)
    shape, patch = np.array(cases.grid(case_ref.index).shape), np.array(crops.patch)
    low, high = np.minimum(shape - patch, 0), np.maximum(shape - patch, 0)
    start = generator.integers(low, high + 1)
    label_index = cases.label_index(case_ref.index) if generator.random() < crops.foreground else {}
    if label_index:
        positions = label_index[int(generator.choice(sorted(label_index)))].positions
        centre = positions[generator.integers(len(positions))] + generator.integers(-(patch // 4), patch // 4 + 1)
        start = np.where(shape > patch, np.clip(centre - patch // 2, 0, high), start)
    return int(start[0]), int(start[1]), int(start[2])


def augment(volume: Tensor, labels: Tensor, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Rotate, scale and shift a patch with probability `CHANCE`, change its grey values with the same; never mirror it.

    `volume` (1, D, H, W), `labels` (D, H, W).
    """
    if generator.random() < CHANCE:
        volume, labels = transform(volume, labels, generator)
    if generator.random() < CHANCE:
        volume = change_grey(volume, generator)
    return volume, labels


def change_grey(volume: Tensor, generator: np.random.Generator) -> Tensor:
    """Scale and shift the grey values of a patch, and add noise."""
    scale, shift = generator.uniform(0.9, 1.1), generator.normal(0, 0.1)
    noise = torch.from_numpy(generator.standard_normal(volume.shape, np.float32)) * generator.uniform(0, 0.1)
    return volume * scale + shift + noise


def transform(volume: Tensor, labels: Tensor, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Resample a patch through a random affine map of its own coordinates, which run from -1 to 1."""
    angles = generator.uniform(-ANGLE, ANGLE, 3)
    scales = np.exp(generator.uniform(-SCALE, SCALE) + generator.uniform(-SCALE / 3, SCALE / 3, 3))
    size = np.array(volume.shape[:0:-1], float)
    # The rotation is one of voxels, not of the patch stretched to a cube.
    matrix = np.diag(1 / size) @ _rotation(angles) @ np.diag(scales) @ np.diag(size)
    affine = np.concatenate([matrix, generator.uniform(-SHIFT, SHIFT, (3, 1))], axis=1)
    theta = torch.from_numpy(affine.astype(np.float32))[None]
    grid = functional.affine_grid(theta, [1, 1, *volume.shape[1:]], align_corners=False)
    low = volume.min()
    moved = functional.grid_sample((volume - low)[None], grid, mode="bilinear", align_corners=False)[0] + low
    nearest = functional.grid_sample(labels[None, None].float(), grid, mode="nearest", align_corners=False)
    return moved, nearest[0, 0].to(labels.dtype)


def _rotation(angles: np.ndarray) -> np.ndarray:
    """Return the matrix (3, 3) of rotations about x, y and z by `angles` (3,) in radians."""
    rotation = np.eye(3)
    for axis, angle in enumerate(angles):
        about_axis = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        about_axis[i, i] = about_axis[j, j] = np.cos(angle)
        about_axis[i, j], about_axis[j, i] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ about_axis
    return rotation
