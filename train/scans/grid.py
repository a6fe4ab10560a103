"""Between a scan's voxels and the network's: axes turned and flipped, spacing changed, and the same way back.

A network volume lies along the axes of its scan, permuted, flipped and scaled: an oblique scan is not rotated. So each
way is three interpolations along one axis. Shapes: X Y Z voxels of the scan, D H W of the network, C channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import nibabel
import numpy as np
import torch
from torch import Tensor

from models.preprocessing import Preprocessing

from .scan import Scan

# An axis whose spacing is right to this share is taken as it is; the grid's affine keeps its true spacing.
SAME_SPACING = 1e-3

# A place is on a voxel if it is so near to it, in voxels: affines are stored as float32.
WHOLE = 1e-4


@dataclass(frozen=True, eq=False)
class Grid:
    """Where a network volume lies: `shape` (D, H, W) with `affine` (4, 4) from its index to RAS mm, and its scan's
    `scan_shape` (X, Y, Z) with `scan_affine`.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray[Any, Any]
    scan_shape: tuple[int, int, int]
    scan_affine: np.ndarray[Any, Any]


class _Along(NamedTuple):
    """One axis of the network: the scan's axis it runs along, and where index i of one is in indices of the other."""

    scan_axis: int
    step: float
    first: float

    def in_scan(self, length: int) -> np.ndarray[Any, Any]:
        """Where the network's voxels 0 to length - 1 are in the scan."""
        return self.first + self.step * np.arange(length)

    def in_network(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Where the scan's voxels start to stop - 1 are in the network's volume."""
        return (np.arange(start, stop) - self.first) / self.step


def to_network(scan: Scan, preprocessing: Preprocessing) -> tuple[Tensor, Grid]:
    """The scan as the network sees it, (1, D, H, W) float32, and where that lies.

    Linear interpolation without smoothing first, as in nnU-Net and TotalSegmentator: the noise that the published
    weights know. Both ends of an axis may lose or gain half a voxel, the centre stays where it is.
    """
    grid = network_grid(scan, preprocessing)
    axes = _axes(grid)
    voxels = scan.voxels if scan.voxels.flags.writeable else scan.voxels.copy()
    volume = torch.from_numpy(voxels.transpose([along.scan_axis for along in axes]))
    volume = _resampled(volume, [along.in_scan(length) for along, length in zip(axes, grid.shape, strict=True)])
    return _normalised(volume.contiguous(), preprocessing).unsqueeze(0), grid


def network_grid(scan: Scan, preprocessing: Preprocessing) -> Grid:
    """Where the network's volume of `scan` lies."""
    wanted = nibabel.orientations.axcodes2ornt(tuple(preprocessing.orientation))
    turns = nibabel.orientations.ornt_transform(nibabel.io_orientation(scan.affine), wanted)
    shape, index = [0, 0, 0], np.zeros((4, 4))
    index[3, 3] = 1
    for scan_axis, (axis, sign) in enumerate(turns):
        dim, length, spacing = int(axis), scan.voxels.shape[scan_axis], scan.spacing_mm[scan_axis]
        ratio = preprocessing.spacing_mm[dim] / spacing
        if abs(ratio - 1) <= SAME_SPACING:
            ratio = 1.0
        shape[dim] = max(1, round(length / ratio))
        index[scan_axis, dim] = sign * ratio
        index[scan_axis, 3] = (length - 1) / 2 - sign * ratio * (shape[dim] - 1) / 2
    x, y, z = scan.voxels.shape
    return Grid((shape[0], shape[1], shape[2]), scan.affine @ index, (x, y, z), scan.affine)


def labels_to_network(labels: np.ndarray[Any, Any], grid: Grid) -> Tensor:
    """Labels (X, Y, Z) on the network's grid, (D, H, W) int16: each voxel has the label of the nearest one."""
    if labels.shape != grid.scan_shape:
        raise ValueError(f"labels are {labels.shape}, their scan is {grid.scan_shape}")
    axes = _axes(grid)
    places = [_nearest(a.in_scan(n), labels.shape[a.scan_axis]) for a, n in zip(axes, grid.shape, strict=True)]
    turned = labels.transpose([along.scan_axis for along in axes])
    return torch.from_numpy(turned[np.ix_(*places)].astype(np.int16))


def nearest_back(labels: Tensor, grid: Grid) -> Tensor:
    """Labels (D, H, W) of the network's grid at the scan's voxels, (X, Y, Z): of the nearest voxel."""
    axes = _axes(grid)
    for dim, along in enumerate(axes):
        places = _nearest(along.in_network(0, grid.scan_shape[along.scan_axis]), grid.shape[dim])
        labels = labels.index_select(dim, torch.from_numpy(places).to(labels.device))
    return labels.permute(_scan_order(axes))


def sample_slab(features: Tensor | np.ndarray[Any, Any], grid: Grid, start: int, stop: int) -> Tensor:
    """Features (C, D, H, W) at the scan's slices start to stop - 1 of the third axis, (C, X, Y, stop - start) float32.

    Trilinear at the centres of the voxels; beyond the outermost the value there. Of `features`, which may be a
    memory-mapped array, only the part around these slices is read.
    """
    if tuple(features.shape[1:]) != grid.shape:
        raise ValueError(f"features are {tuple(features.shape)}, their grid is {grid.shape}")
    if not 0 <= start < stop <= grid.scan_shape[2]:
        raise ValueError(f"slices {start} to {stop} of a scan with {grid.scan_shape[2]}")
    axes = _axes(grid)
    ends = [(0, length) for length in grid.scan_shape[:2]] + [(start, stop)]
    places = [along.in_network(*ends[along.scan_axis]) for along in axes]
    through = next(dim for dim, along in enumerate(axes) if along.scan_axis == 2)
    part, places[through] = _around(features, through + 1, places[through])
    return _resampled(part, places).permute(0, *(dim + 1 for dim in _scan_order(axes)))


def _axes(grid: Grid) -> list[_Along]:
    """For each of D, H and W how it runs in the scan."""
    index = np.linalg.inv(grid.scan_affine) @ grid.affine
    axes = []
    for dim in range(3):
        scan_axis = int(np.abs(index[:3, dim]).argmax())
        axes.append(_Along(scan_axis, float(index[scan_axis, dim]), float(index[scan_axis, 3])))
    return axes


def _scan_order(axes: list[_Along]) -> list[int]:
    return sorted(range(3), key=lambda dim: axes[dim].scan_axis)


def _around(features: Tensor | np.ndarray[Any, Any], dim: int, places: np.ndarray[Any, Any]) -> tuple[Tensor, Any]:
    """The part of `features` along `dim` that lies around `places`, float32, and the places within it."""
    last = features.shape[dim] - 1
    low = int(np.clip(np.floor(places.min()), 0, last))
    high = int(np.clip(np.ceil(places.max()), 0, last))
    part = features[(slice(None),) * dim + (slice(low, high + 1),)]
    tensor = part if isinstance(part, Tensor) else torch.from_numpy(np.array(part))
    return tensor.float(), np.clip(places, 0, last) - low


def _resampled(values: Tensor, places: Sequence[np.ndarray[Any, Any]]) -> Tensor:
    """`values` (..., D, H, W) at `places` along each of the last three, those that shrink most or grow least first."""
    leading = values.dim() - 3
    growth = [len(wanted) / values.shape[leading + dim] for dim, wanted in enumerate(places)]
    for dim in sorted(range(3), key=growth.__getitem__):
        values = _interpolated(values, leading + dim, places[dim])
    return values


def _interpolated(values: Tensor, dim: int, places: np.ndarray[Any, Any]) -> Tensor:
    """`values` at `places` along `dim`, linear between neighbours, the outermost beyond the ends.

    A product with a matrix of two weights in each row: on a processor five times as fast as picking and weighing the
    neighbours, and twice as fast as torch's grid_sample.
    """
    length = values.shape[dim]
    places = np.clip(places, 0, length - 1)
    whole = np.rint(places).astype(np.int64)
    if np.abs(places - whole).max() < WHOLE:
        return _picked(values, dim, whole)
    below = np.minimum(np.floor(places), max(length - 2, 0)).astype(np.int64)
    weights = np.zeros((len(places), length), dtype=np.float32)
    rows = np.arange(len(places))
    weights[rows, below] = 1 - (places - below)
    weights[rows, np.minimum(below + 1, length - 1)] += places - below
    matrix = torch.from_numpy(weights).to(values.device)
    if dim == values.dim() - 1:
        return values @ matrix.T
    before, after = values.shape[:dim], values.shape[dim + 1 :]
    return (matrix @ values.reshape(prod(before), length, prod(after))).view(*before, len(places), *after)


def _picked(values: Tensor, dim: int, places: np.ndarray[Any, Any]) -> Tensor:
    if np.array_equal(places, np.arange(values.shape[dim])):
        return values
    return values.index_select(dim, torch.from_numpy(places).to(values.device))


def _nearest(places: np.ndarray[Any, Any], length: int) -> np.ndarray[Any, Any]:
    return np.clip(np.floor(places + 0.5 + WHOLE), 0, length - 1).astype(np.int64)


def _normalised(volume: Tensor, preprocessing: Preprocessing) -> Tensor:
    if preprocessing.hu_window is not None:
        low, high = preprocessing.hu_window
        return ((volume - low) / (high - low)).clamp_(0, 1)
    deviation, mean = torch.std_mean(volume, correction=0)
    # nnU-Net's: a constant volume becomes 0, not a division by 0.
    return (volume - mean) / (deviation + 1e-8)
