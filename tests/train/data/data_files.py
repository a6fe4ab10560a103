"""Tiny data sets and caption sets on disk, in the layouts that real ones have."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from typer.testing import CliRunner

from ovct import app

REPORT = "The liver is enlarged. No pleural effusion. There is a 12 mm cyst in the left kidney."
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


def caption_set(folder: Path, columns: Sequence[str], *rows: Sequence[str]) -> Path:
    """Make a caption set in `folder` of a table with these columns and a report_text in each row."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "reports.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*columns, "report_text"])
        table.writerows([*row, f"{REPORT} Spleen {number} cm."] for number, row in enumerate(rows, 8))
    out = folder / "captions"
    done = CliRunner().invoke(app, ["curate", str(folder / "reports.csv"), "--out", str(out), "--overwrite"])
    assert done.exit_code == 0, done.output
    return out
