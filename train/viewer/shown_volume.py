"""Volumes as the page takes them: NIfTI files of int16 or labels, coarser where a browser could not hold them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from train.scans.saving import SCANNER

# Of a texture in three dimensions: what WebGL 2 promises on any machine.
LONGEST_AXIS = 2048
INT16 = np.iinfo(np.int16)
# Axes whose spacing differs by less are made coarser together.
SAME_SPACING = 1.2


def coarse_steps(shape: Sequence[int], spacing_mm: Sequence[float], most_voxels: int) -> tuple[int, int, int]:
    """Return of how many voxels along each axis one is made, so that there are at most `most_voxels` in all.

    The finest axes come first, so that voxels become cubes rather than needles.
    """
    steps = [-(-length // LONGEST_AXIS) for length in shape]
    while prod(length // step for length, step in zip(shape, steps, strict=True)) > most_voxels:
        spacings = [spacing * step for spacing, step in zip(spacing_mm, steps, strict=True)]
        longer = [length > step for length, step in zip(shape, steps, strict=True)]
        finest = min(spacing for spacing, is_longer in zip(spacings, longer, strict=True) if is_longer)
        steps = [
            step + 1 if is_longer and spacing < finest * SAME_SPACING else step
            for step, spacing, is_longer in zip(steps, spacings, longer, strict=True)
        ]
    return steps[0], steps[1], steps[2]


def averaged(voxels: np.ndarray[Any, Any], steps: Sequence[int]) -> np.ndarray[Any, Any]:
    """Return the mean of each block of voxels (X, Y, Z), float32; what is left over at the far ends is cut off."""
    if tuple(steps) == (1, 1, 1):
        return voxels
    shape = [length // step for length, step in zip(voxels.shape, steps, strict=True)]
    total = np.zeros(shape, np.float32, order="F")
    for offsets in product(*map(range, steps)):
        total += _every(voxels, steps, offsets, shape)
    return total / np.float32(prod(steps))


def thinned(labels: np.ndarray[Any, Any], steps: Sequence[int]) -> np.ndarray[Any, Any]:
    """Return the label in the middle of each block of voxels (X, Y, Z)."""
    shape = [length // step for length, step in zip(labels.shape, steps, strict=True)]
    return _every(labels, steps, [step // 2 for step in steps], shape)


def block_affine(affine: np.ndarray[Any, Any], steps: Sequence[int]) -> np.ndarray[Any, Any]:
    """Return the affine (4, 4) of blocks of voxels, whose centres lie between those of their voxels."""
    of_blocks = np.diag([*map(float, steps), 1.0])
    of_blocks[:3, 3] = [(step - 1) / 2 for step in steps]
    return affine @ of_blocks


def write_scan(
    path: Path, voxels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any], window: tuple[float, float]
) -> None:
    """Write a scan as a NIfTI file of int16: HU as they are where they are whole numbers, else scaled to its range.

    `window` becomes the range of grey values that it is opened with.
    """
    low, high = float(voxels.min()), float(voxels.max())
    slope, intercept = 1.0, 0.0
    if low < INT16.min or high > INT16.max or not _are_whole(voxels):
        slope, intercept = max(high - low, 1e-6) / 65_000, (low + high) / 2
    stored = np.empty(voxels.shape, np.int16, order="F")
    for number in range(voxels.shape[2]):
        stored[..., number] = np.rint((voxels[..., number] - intercept) / slope)
    image = _image(stored, affine)
    image.header.set_slope_inter(slope, intercept)
    image.header["cal_min"], image.header["cal_max"] = window
    image.to_filename(path)


def write_labels(path: Path, labels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any]) -> None:
    """Write a label map as a NIfTI file."""
    image = _image(labels, affine)
    image.header.set_intent("label")  # else NiiVue draws no outlines
    image.to_filename(path)


def _every(
    array: np.ndarray[Any, Any], steps: Sequence[int], offsets: Sequence[int], shape: Sequence[int]
) -> np.ndarray[Any, Any]:
    slices = (
        slice(first, first + step * length, step) for first, step, length in zip(offsets, steps, shape, strict=True)
    )
    return array[tuple(slices)]


def _are_whole(voxels: np.ndarray[Any, Any]) -> bool:
    # Means of blocks are rounded to whole HU; what has a smaller range needs its fractions.
    return float(np.ptp(voxels[::7, ::7, ::3])) > 100 or bool((voxels == np.rint(voxels)).all())


def _image(array: np.ndarray[Any, Any], affine: np.ndarray[Any, Any]) -> Any:
    image = nibabel.Nifti1Image(array, affine, dtype=array.dtype)
    # The sform alone: a quaternion cannot express the shear of a tilted gantry.
    image.set_sform(affine, SCANNER)
    image.set_qform(None, 0)
    image.header.set_xyzt_units("mm")
    return image
