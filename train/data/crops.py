"""Samples of volumes for training: where a patch lies, what it shows, and how it is changed a little.

Shapes: D H W voxels of a patch. A patch larger than the volume shows all of it, somewhere; outside are the volume's
lowest value and label 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from train.config import Crops
from train.order import Order, random

from .training_set import Place, TrainingSet


class Sample(NamedTuple):
    """A patch: `volume` (1, D, H, W) float32, `labels` (D, H, W) int16, and the case that it is of."""

    volume: Tensor
    labels: Tensor
    place: Place


class Part(NamedTuple):
    """Several: `volume` (B, 1, D, H, W), `labels` (B, D, H, W)."""

    volume: Tensor
    labels: Tensor
    places: tuple[Place, ...]


class Patches(Dataset[Sample]):
    """Sample n of a run, by the order of its cases."""

    def __init__(self, data: TrainingSet, crops: Crops, batch_size: int, seed: int) -> None:
        self.data, self.crops = data, crops
        self.places, self.order = data.places(), Order(data.scans(), batch_size, seed)

    def __getitem__(self, number: int) -> Sample:
        place = self.places[self.order[number]]
        generator = random((self.order.seed, 2, number))
        start = _start(self.data, place, self.crops, generator)
        volume, labels = self.data.cases(place.source).crop(place.index, start, self.crops.patch)
        assert labels is not None
        if self.crops.augment:
            volume, labels = augmented(volume, labels, generator)
        return Sample(volume, labels, place)


def collate(samples: list[Sample]) -> Part:
    """Samples of one patch size to a part of a batch."""
    volumes, labels, places = zip(*samples, strict=True)
    return Part(torch.stack(volumes), torch.stack(labels), places)


def middle(data: TrainingSet, place: Place, patch: tuple[int, int, int]) -> Sample:
    """A held-out case's patch around its middle: what evaluations while training look at."""
    cases = data.cases(place.source, held_out=True)
    shape = cases.grid(place.index).shape
    start = tuple((size - wanted) // 2 for size, wanted in zip(shape, patch, strict=True))
    volume, labels = cases.crop(place.index, (start[0], start[1], start[2]), patch)
    assert labels is not None
    return Sample(volume, labels, place)


def _start(data: TrainingSet, place: Place, crops: Crops, generator: np.random.Generator) -> tuple[int, int, int]:
    """The first voxel: around a voxel of a structure drawn with equal chances, or anywhere."""
    cases = data.cases(place.source)
    shape, patch = np.array(cases.grid(place.index).shape), np.array(crops.patch)
    low, high = np.minimum(shape - patch, 0), np.maximum(shape - patch, 0)
    start = generator.integers(low, high + 1)
    found = cases.label_index(place.index) if generator.random() < crops.foreground else {}
    if found:
        positions = found[int(generator.choice(sorted(found)))].positions
        centre = positions[generator.integers(len(positions))] + generator.integers(-(patch // 4), patch // 4 + 1)
        start = np.where(shape > patch, np.clip(centre - patch // 2, 0, high), start)
    return int(start[0]), int(start[1]), int(start[2])


# How far a patch is changed, at most.
SCALE, ANGLE, SHIFT = 0.15, 0.15, 0.05
CHANCE = 0.5


def augmented(volume: Tensor, labels: Tensor, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A patch turned, scaled and moved with one chance, other grey values with another; never mirrored."""
    if generator.random() < CHANCE:
        volume, labels = _moved(volume, labels, generator)
    if generator.random() < CHANCE:
        scale, shift = generator.uniform(0.9, 1.1), generator.normal(0, 0.1)
        noise = torch.from_numpy(generator.standard_normal(volume.shape, np.float32)) * generator.uniform(0, 0.1)
        volume = volume * scale + shift + noise
    return volume, labels


def _moved(volume: Tensor, labels: Tensor, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Through one affine map of the patch's own coordinates, from -1 to 1."""
    angles = generator.uniform(-ANGLE, ANGLE, 3)
    scales = np.exp(generator.uniform(-SCALE, SCALE) + generator.uniform(-SCALE / 3, SCALE / 3, 3))
    size = np.array(volume.shape[:0:-1], float)
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        one = np.eye(3)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        one[i, i] = one[j, j] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        turn = turn @ one
    # A turn is one of voxels, not of a stretched cube.
    matrix = np.diag(1 / size) @ turn @ np.diag(scales) @ np.diag(size)
    affine = np.concatenate([matrix, generator.uniform(-SHIFT, SHIFT, (3, 1))], axis=1)
    theta = torch.from_numpy(affine.astype(np.float32))[None]
    grid = functional.affine_grid(theta, [1, 1, *volume.shape[1:]], align_corners=False)
    low = volume.min()
    moved = functional.grid_sample((volume - low)[None], grid, mode="bilinear", align_corners=False)[0] + low
    nearest = functional.grid_sample(labels[None, None].float(), grid, mode="nearest", align_corners=False)
    return moved, nearest[0, 0].to(labels.dtype)
