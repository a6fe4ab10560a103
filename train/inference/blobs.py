"""What is said and mended of finished masks: where the scan cuts a structure off, and small blobs that are removed.

Shapes: X Y Z voxels of the scan, p masks that share voxels, M voxels that they share.
"""

from __future__ import annotations

from dataclasses import replace

import nibabel
import numpy as np
from scipy import ndimage

from .label_map import OverlapStore
from .label_table import OVERLAP_RECORDED, LabelRow
from .result import SegmentationResult

# Directions of the patient towards the lower and the higher end of each axis of R A S.
DIRECTIONS = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))
# Voxels that touch by a corner belong together: thin oblique structures do not fall apart.
NEIGHBOURS = np.ones((3, 3, 3), bool)


def with_cut_off(result: SegmentationResult) -> SegmentationResult:
    """Return a result whose rows say at which ends of the scan their structures are cut off, if they reach them."""
    ends: dict[int, list[str]] = {row.label: [] for row in result.table}
    shared = {label: _indices(result, label) for label in ends}
    orientation = nibabel.io_orientation(result.scan.affine)
    for axis, last in enumerate(length - 1 for length in result.labels.shape):
        world, sign = int(orientation[axis, 0]), orientation[axis, 1]
        low, high = DIRECTIONS[world] if sign > 0 else DIRECTIONS[world][::-1]
        for end, name in ((0, low), (last, high)):
            there = set(np.unique(result.labels.take(end, axis=axis)).tolist())
            for label, directions in ends.items():
                if label in there or bool((shared[label][axis] == end).any()):
                    directions.append(name)
    rows = [row.model_copy(update={"cut_off": tuple(dict.fromkeys(ends[row.label]))}) for row in result.table]
    return _with_rows(result, rows)


def without_small_blobs(result: SegmentationResult, smallest_ml: float) -> SegmentationResult:
    """Return a result without the connected parts of each mask that are smaller than `smallest_ml`, in ml.

    Rows say how much was removed. Where a removed part hid another mask in the label map, that one shows.
    """
    if not smallest_ml:
        return result
    voxel_ml = float(abs(np.linalg.det(result.scan.affine[:3, :3]))) / 1000
    removed = {
        row.label: voxels
        for row in result.table
        if row.volume_ml and len(voxels := _small_blobs(result.mask(row.name), smallest_ml / voxel_ml))
    }
    if not removed:
        return result
    labels = result.labels.copy()
    flat = labels.reshape(-1)
    for label, voxels in removed.items():
        flat[voxels[flat[voxels] == label]] = 0
    overlaps, shared = _without(result, removed, flat)
    in_label_map = np.bincount(flat, minlength=len(result.table) + 1)
    rows = []
    for row in result.table:
        gone = removed.get(row.label, np.empty(0, np.int64))
        before = round(row.volume_ml / voxel_ml)
        left = before - len(gone)
        hounsfield = (row.mean_hu or 0.0) * before - float(result.scan.voxels.reshape(-1)[gone].sum(dtype=np.float64))
        shares = {
            other.name: round(shared.get((row.label, other.label), 0) / left, 3)
            for other in result.table
            if left and other.label != row.label
        }
        update = {
            "volume_ml": left * voxel_ml,
            "mean_hu": hounsfield / left if left else None,
            "in_label_map_ml": int(in_label_map[row.label]) * voxel_ml,
            "removed_ml": len(gone) * voxel_ml,
            "overlaps": {name: share for name, share in shares.items() if share >= OVERLAP_RECORDED},
        }
        rows.append(row.model_copy(update=update))
    return _with_rows(replace(result, labels=labels, overlaps=overlaps), rows)


def _small_blobs(mask: np.ndarray, smallest: float) -> np.ndarray:
    """Return the flat index of each voxel of a mask (X, Y, Z) in a connected part of fewer than `smallest` voxels."""
    (box,) = ndimage.find_objects(mask.astype(np.uint8))
    parts, _ = ndimage.label(mask[box], NEIGHBOURS)
    sizes = np.bincount(parts.reshape(-1))
    small = sizes < smallest
    small[0] = False
    within = np.nonzero(small[parts])
    inside = tuple(indices + part.start for indices, part in zip(within, box, strict=True))
    return np.asarray(np.ravel_multi_index(inside, mask.shape))


def _without(
    result: SegmentationResult, removed: dict[int, np.ndarray], flat: np.ndarray
) -> tuple[OverlapStore, dict[tuple[int, int], int]]:
    """Return the overlaps without removed voxels, and how many voxels each two masks share.

    In the label map `flat`, voxels that a removed part has left get the smallest of the masks that hold them.
    """
    order = result.overlaps.labels
    sizes = {row.label: row.volume_ml for row in result.table}
    overlaps = OverlapStore(result.labels.size, order)
    shared: dict[tuple[int, int], int] = {}
    by_size = sorted(range(len(order)), key=lambda number: -sizes[order[number]])
    for voxels, masks in result.overlaps.chunks():
        masks = masks.copy()
        for number, label in enumerate(order):
            if label in removed:
                masks[number] &= ~np.isin(voxels, removed[label])
        shown = flat[voxels]
        for number in by_size:
            shown = np.where(masks[number] & (flat[voxels] == 0), order[number], shown)
        flat[voxels] = shown
        several = masks.sum(axis=0) > 1
        overlaps.add(voxels[several], masks[:, several])
        counts = masks.astype(np.float32) @ masks.astype(np.float32).T
        for first, second in np.argwhere(counts):
            pair = order[first], order[second]
            shared[pair] = shared.get(pair, 0) + int(counts[first, second])
    return overlaps, shared


def _indices(result: SegmentationResult, label: int) -> tuple[np.ndarray, ...]:
    return np.unravel_index(result.overlaps.voxels_of(label), result.labels.shape)


def _with_rows(result: SegmentationResult, rows: list[LabelRow]) -> SegmentationResult:
    return replace(result, record=result.record.model_copy(update={"labels": tuple(rows)}))
