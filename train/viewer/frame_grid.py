"""The grid on which the frames of a DICOM SEG lie: one affine for all, and the slice of each frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# Frames may lie off the grid by this share of the distance between slices.
OFF_GRID = 0.1
# Distances below are one place.
SAME_PLACE_MM = 0.01
# An axis of a scan lies in the plane of frames if no more of it than this share lies across.
SAME_DIRECTION = 1e-3
# A distance below this share of the stated one is another than that along a tilted table.
CLOSER = 0.75


class FrameGrid(NamedTuple):
    """`affine` (4, 4) from voxel index (column, row, slice) to LPS mm, and the slice of each frame."""

    affine: np.ndarray[Any, Any]
    slices: np.ndarray[Any, Any]


def frame_grid(
    places: np.ndarray[Any, Any],
    axes: Sequence[float],
    spacing: Sequence[float],
    between: float | None,
    scan: np.ndarray[Any, Any] | None = None,
) -> FrameGrid | None:
    """Return the grid of frames, whose first voxels lie at `places` (N, 3) in LPS mm; None where they lie on none.

    `axes` are ImageOrientationPatient, `spacing` is PixelSpacing (of rows, then of columns), `between` is the stated
    distance of slices: frames without a voxel are often left out, and a gap shows by that alone. `scan` is the affine
    (4, 4) of the scan to LPS mm: frames that all lie on its slices have its distance, whatever is stated, for a slice
    between two of them that has no frame has no voxel of the mask either. Slices may be shifted against each other
    evenly, as those of a tilted gantry.
    """
    along_row, along_column = np.array(axes[:3]), np.array(axes[3:])
    normal = np.cross(along_row, along_column)
    depths = places @ normal
    distances = np.diff(np.unique(depths))
    distances = distances[distances > SAME_PLACE_MM]
    step = None if scan is None else _step_of_scan(places, normal, scan)
    if step is None:
        step = _step(distances, between) if len(distances) else between or 1.0
    if step is None:
        return None
    slices = np.rint((depths - depths.min()) / step).astype(np.int64)
    first, last = int(depths.argmin()), int(depths.argmax())
    toward = (places[last] - places[first]) / slices[last] if slices[last] else normal * step
    if np.abs(places - places[first] - slices[:, None] * toward).max() > OFF_GRID * step:
        return None
    affine = np.eye(4)
    affine[:3, :3] = np.stack([along_row * spacing[1], along_column * spacing[0], toward], axis=1)
    affine[:3, 3] = places[first]
    return FrameGrid(affine, slices)


def _step_of_scan(
    places: np.ndarray[Any, Any], normal: np.ndarray[Any, Any], scan: np.ndarray[Any, Any]
) -> float | None:
    """Return the distance of a scan's slices along the normal of frames; None where these lie on no slices of it."""
    along = normal @ scan[:3, :3]
    axis = int(np.abs(along).argmax())
    in_plane = np.delete(along, axis)
    if np.abs(in_plane).max() > SAME_DIRECTION * np.linalg.norm(scan[:3, :3], axis=0).min():
        return None
    slices = (places - scan[:3, 3]) @ normal / along[axis]
    return float(abs(along[axis])) if np.abs(slices - np.rint(slices)).max() <= OFF_GRID else None


def _step(distances: np.ndarray[Any, Any], between: float | None) -> float | None:
    """Return the distance of slices: the smallest of these, or the part of it that is stated.

    None where one is much smaller than stated and than the others: slices are not where they should be.
    """
    smallest = float(distances.min())
    if not between:
        return smallest
    if smallest < CLOSER * between and np.median(distances) > (1 + OFF_GRID) * smallest:
        return None
    parts = round(smallest / between)
    return smallest / parts if parts > 1 and abs(smallest / between - parts) < OFF_GRID else smallest
