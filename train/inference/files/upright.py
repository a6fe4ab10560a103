"""A tilted gantry's grid, and the upright one beside it: axes at right angles, which is all that ITK opens.

The slices of a tilted gantry lie one behind the other along a line that is not at right angles to them, and so do the
voxels of a mask on the scan's own grid. On the upright grid they are those next to their place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# The cosine between two axes from which they count as sheared: ITK refuses a grid from about here.
SHEARED = 1e-4
# A corner that is so little beyond a voxel, in voxels, needs no further one.
ON_GRID = 1e-3


def tilt_degrees(affine: np.ndarray) -> float:
    """Return how far the axes of a grid are from right angles, in degrees; 0 where a viewer would see no shear."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    shear = float(np.abs(axes.T @ axes - np.eye(3)).max())
    return float(np.degrees(np.arcsin(min(shear, 1.0)))) if shear > SHEARED else 0.0


def upright_grid(affine: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return affine (4, 4) and shape of the upright grid that holds all voxels of a sheared one.

    Rows run as before, and slices are as far apart along their normal as before.
    """
    rows, columns, slices = affine[:3, :3].T
    across = rows / np.linalg.norm(rows)
    down = columns - (columns @ across) * across
    down /= np.linalg.norm(down)
    normal = np.cross(across, down)
    normal *= np.sign(normal @ slices)
    axes = np.stack([across, down, normal], axis=1)
    spacing = np.array([np.linalg.norm(rows), columns @ down, slices @ normal])
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)], dtype=float).T
    corners[:3] *= np.reshape(shape, (3, 1)) - 1
    places = axes.T @ (affine @ corners)[:3]
    lowest, highest = places.min(axis=1), places.max(axis=1)
    x, y, z = (int(length) for length in np.ceil((highest - lowest) / spacing - ON_GRID) + 1)
    upright = np.eye(4)
    upright[:3, :3], upright[:3, 3] = axes * spacing, axes @ lowest
    return upright, (x, y, z)


def to_upright(array: np.ndarray[Any, Any], affine: np.ndarray) -> tuple[np.ndarray[Any, Any], np.ndarray]:
    """Return an array (X, Y, Z) on the upright grid, and that grid's affine; both as they are if it is upright already.

    Labels and masks take the nearest voxel, probabilities are interpolated; outside of the scan is 0.
    """
    from scipy.ndimage import affine_transform

    if not tilt_degrees(affine):
        return array, affine
    upright, shape = upright_grid(affine, array.shape)
    to_scan = np.linalg.inv(affine) @ upright
    order = 1 if array.dtype.kind == "f" else 0
    values = array.astype(np.uint8) if array.dtype == bool else array
    moved = affine_transform(values, to_scan[:3, :3], to_scan[:3, 3], shape, order=order, mode="constant", cval=0)
    return moved.astype(array.dtype, copy=False), upright
