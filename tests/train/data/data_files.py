"""Tiny data sets on disk, in the layouts that real ones have."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

SHAPE = (14, 12, 10)
# To the left, to the front, up, as CT-RATE's fixed volumes lie; 2, 2 and 3 mm.
AFFINE = np.array([[-2.0, 0, 0, 10], [0, -2.0, 0, 20], [0, 0, 3.0, -30], [0, 0, 0, 1]])


def hounsfield(seed: int = 0, shape: Sequence[int] = SHAPE) -> np.ndarray:
    """Air around a block of soft tissue."""
    draw = np.random.default_rng(seed)
    volume = np.full(shape, -1000, np.int16)
    middle = tuple(slice(2, length - 2) for length in shape[:3])
    volume[middle] = draw.integers(20, 80, volume[middle].shape)
    return volume


def box(start: int, stop: int, label: int = 1) -> np.ndarray:
    """A label map with one cube."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[start:stop, start:stop, start:stop] = label
    return labels


def save(path: Path, array: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    make: Any = nibabel.Nifti1Image
    nibabel.save(make(array, affine), path)
    return path


def totalsegmentator(root: Path, cases: Mapping[str, Mapping[str, np.ndarray]]) -> Path:
    """`<id>/ct.nii.gz` with its masks."""
    for seed, (name, masks) in enumerate(cases.items()):
        save(root / name / "ct.nii.gz", hounsfield(seed))
        (root / name / "segmentations").mkdir()
        for structure, mask in masks.items():
            save(root / name / "segmentations" / f"{structure}.nii.gz", mask)
    return root


def with_json(root: Path, **described: object) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "dataset.json").write_text(json.dumps(described))
    return root
