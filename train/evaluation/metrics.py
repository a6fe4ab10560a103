"""Dice and NSD of a mask against its reference, by TotalSegmentator's protocol: on the scan's own grid, in mm.

An empty reference is not counted (None); where the reference has voxels and the prediction none, both are 0. NSD is
the normalised surface Dice of Nikolov et al. (2018, arXiv 1809.04430): the share of both surfaces, by area, that lies
within a tolerance of the other. As in their implementation, and MONAI's with `use_subvoxels`, the surface runs between
voxels: each corner where eight voxels meet, some in and some out, has the area that marching cubes gives it.

A mask's surface is kept as points and areas, so that it is found once for a reference and any number of predictions,
and memory goes with the surface instead of the volume.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]

# A header's spacing is float32, so a distance of exactly the tolerance may come out a little above it.
ROUNDING_MM = 1e-4


class MaskCrop:
    """A mask cropped to the voxels (x, y, z) that are not empty; `box` says where in the scan they lie."""

    def __init__(self, box: Box, voxels: Mask) -> None:
        self.box, self.voxels = box, voxels
        self.count = int(np.count_nonzero(voxels))

    @classmethod
    def of(cls, mask: Mask) -> "MaskCrop":
        """Return a mask (X, Y, Z) cropped to its bounding box."""
        box = bounding_box(mask)
        return cls(box, np.ascontiguousarray(mask[box]))


@dataclass(frozen=True, eq=False)
class Surface:
    """Points (n, 3) in mm from the scan's first voxel along its axes, and the area in mm^2 (n) that each stands for."""

    points: NDArray[np.float64]
    areas: NDArray[np.float64]

    @cached_property
    def tree(self) -> KDTree:
        """A tree for the distances to this surface."""
        # Many points are looked up at once, which is faster with larger leaves.
        return KDTree(self.points, leafsize=32)

    def area_within(self, other: "Surface", tolerance_mm: float) -> float:
        """Return the area of this surface, in mm^2, that lies within the tolerance of the other."""
        bound = tolerance_mm + ROUNDING_MM
        distances, _ = other.tree.query(self.points, distance_upper_bound=bound)
        return float(self.areas[np.isfinite(distances)].sum())


def bounding_box(mask: Mask) -> Box:
    """Return the smallest box that holds all voxels of a mask (X, Y, Z), an empty one for an empty mask."""
    spans = []
    # Each axis is looked at inside the ones before: most of a volume is read once.
    for axis in (2, 1, 0):
        inside = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        span = slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)
        mask = mask[(slice(None),) * axis + (span,)]
        spans.append(span)
    return spans[2], spans[1], spans[0]


def dice(prediction: MaskCrop, reference: MaskCrop) -> float | None:
    """Return twice the common voxels over the voxels of both; None without a reference, 0 without a prediction."""
    if not reference.count:
        return None
    return 2 * _common(prediction, reference) / (prediction.count + reference.count)


def surface_dice(prediction: Surface, reference: Surface, tolerance_mm: float) -> float | None:
    """Return NSD at a tolerance in mm; None without a reference, 0 without a prediction."""
    if not len(reference.points):
        return None
    if not len(prediction.points):
        return 0.0
    within = prediction.area_within(reference, tolerance_mm) + reference.area_within(prediction, tolerance_mm)
    return within / float(prediction.areas.sum() + reference.areas.sum())


def surface_of(mask: MaskCrop, spacing_mm: Sequence[float]) -> Surface:
    """Return the surface of a mask whose voxels have this size in mm along X, Y, Z. At the scan's edge a mask ends."""
    if not mask.count:
        return Surface(np.zeros((0, 3)), np.zeros(0))
    codes = _corner_codes(mask.voxels)
    corners = np.nonzero((codes != 0) & (codes != 255))
    spacing = np.asarray(spacing_mm, np.float64)
    first = np.array([span.start for span in mask.box], np.float64)
    points = (np.stack(corners, axis=1) + first) * spacing
    areas = _areas(tuple(float(size) for size in spacing_mm))[codes[corners]]
    return Surface(points, areas)


def _common(prediction: MaskCrop, reference: MaskCrop) -> int:
    """Count the voxels that are in both masks."""
    shared = [
        slice(max(a.start, b.start), max(min(a.stop, b.stop), a.start, b.start))
        for a, b in zip(prediction.box, reference.box, strict=True)
    ]
    first, second = (
        mask.voxels[tuple(slice(s.start - b.start, s.stop - b.start) for s, b in zip(shared, mask.box, strict=True))]
        for mask in (prediction, reference)
    )
    return int(np.count_nonzero(first & second))


def _corner_codes(voxels: Mask) -> NDArray[np.uint8]:
    """Return which of the eight voxels around each corner of the grid are in, as bits; 128 is the first voxel."""
    padded = np.pad(voxels, 1).view(np.uint8)
    size = tuple(length + 1 for length in voxels.shape)
    codes = np.zeros(size, np.uint8)
    for number, (x, y, z) in enumerate(product((0, 1), repeat=3)):
        codes |= padded[x : x + size[0], y : y + size[1], z : z + size[2]] << np.uint8(7 - number)
    return codes


@lru_cache(maxsize=64)
def _areas(spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the area in mm^2 of the surface at a corner, by its code (256)."""
    from monai.metrics.utils import get_code_to_measure_table

    table, _ = get_code_to_measure_table(spacing_mm)  # type: ignore[no-untyped-call]
    return np.asarray(table, np.float64)
