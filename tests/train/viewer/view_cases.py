"""Scans and masks for tests of the viewer: blocks in a body, whose places in the patient are known."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import pydicom
from pydicom.sr.codedict import codes

from train.inference.label_table import LabelRow, LabelTable
from train.scans.saving import save_nifti

SHAPE = (40, 36, 20)
# Structures by the half of the patient that they lie in: left, front, head; and what they measure in HU.
BLOCKS = {
    "liver": ((24, 34), (8, 20), (8, 16), 110),
    "spleen": ((5, 11), (22, 28), (10, 15), 60),
    "nodule": ((28, 31), (10, 13), (10, 12), 300),
}


def oblique_affine(spacing: tuple[float, float, float] = (2.0, 2.0, 5.0), degrees: float = 12.0) -> np.ndarray:
    """An affine to RAS mm, turned about the axis from left to right as with a tilted head."""
    angle = np.radians(degrees)
    affine = np.eye(4)
    affine[:3, :3] = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    ) @ np.diag(spacing)
    affine[:3, 3] = -40, -30, 100
    return affine


def hounsfield_blocks() -> np.ndarray:
    """Air, a body of soft tissue, and the blocks, int16."""
    voxels = np.full(SHAPE, -1000, np.int16)
    voxels[3:37, 3:33] = 40
    voxels[3:37, 3:7] = -90
    for x, y, z, hu in BLOCKS.values():
        voxels[slice(*x), slice(*y), slice(*z)] = hu
    return voxels


def block_mask(name: str) -> np.ndarray:
    """The mask of one block, all of it."""
    mask = np.zeros(SHAPE, np.uint8)
    x, y, z, _ = BLOCKS[name]
    mask[slice(*x), slice(*y), slice(*z)] = 1
    return mask


def label_map() -> np.ndarray:
    """All blocks in one label map: 1, 2, 3; the nodule lies inside the liver."""
    labels = np.zeros(SHAPE, np.uint8)
    for number, name in enumerate(BLOCKS, 1):
        labels[block_mask(name) > 0] = number
    return labels


def table(scan: Path, voxel_ml: float = 0.02) -> LabelTable:
    """What `ovct segment` says of the label map: the liver with the nodule in it, and a structure that is not there."""
    rows = []
    for number, name in enumerate([*BLOCKS, "left kidney"], 1):
        whole = float(block_mask(name).sum()) * voxel_ml if name in BLOCKS else 0.0
        seen = float((label_map() == number).sum()) * voxel_ml
        rows.append(
            LabelRow(
                name=name, prompt=f"the {name}", label=number, present=whole > 0, presence=1.0, volume_ml=whole,
                mean_hu=None, in_label_map_ml=seen,
            )
        )  # fmt: skip
    return LabelTable(scan=str(scan), weights="w", threshold=0.5, presence_threshold=0.5, labels=tuple(rows))


def write_case(folder: Path) -> tuple[Path, Path]:
    """Write an oblique scan and its label map with the table of `ovct segment`; return both paths."""
    scan, mask = folder / "ct.nii.gz", folder / "mask.nii.gz"
    save_nifti(scan, hounsfield_blocks(), oblique_affine())
    save_nifti(mask, label_map(), oblique_affine(), extensions={6: table(scan).json_bytes()})
    return scan, mask


def place_of(name: str, affine: np.ndarray) -> np.ndarray:
    """The middle of a block in RAS mm."""
    middle = [(first + last - 1) / 2 for first, last in BLOCKS[name][:3]]
    return np.asarray(nibabel.affines.apply_affine(affine, middle))


def write_other_seg(
    path: Path,
    series: Sequence[Path],
    masks: Mapping[str, np.ndarray],
    kind: str = "BINARY",
    colour: Any = None,
    share: float = 1.0,
) -> Path:
    """Write a DICOM SEG of masks (X, Y, Z) on the slices of a series, in their order, as other programs do."""
    algorithm = highdicom.AlgorithmIdentificationSequence("x", codes.DCM.ArtificialIntelligence, "1")
    described = [
        highdicom.seg.SegmentDescription(
            number, name, codes.SCT.Organ, codes.SCT.Kidney, "AUTOMATIC", algorithm, display_color=colour
        )
        for number, name in enumerate(masks, 1)
    ]
    pixels = np.stack([mask.transpose() > 0 for mask in masks.values()], axis=-1).astype(np.uint8)
    if kind == "LABELMAP":
        pixels = (pixels * np.arange(1, len(masks) + 1)).max(axis=-1).astype(np.uint8)
    headers = [pydicom.dcmread(file) for file in series]
    highdicom.seg.Segmentation(
        headers, pixels * share if kind == "FRACTIONAL" else pixels, kind, described, highdicom.UID(), 9,
        highdicom.UID(), 1, "x", "x", "1", "1",
    ).save_as(path)  # fmt: skip
    return path
