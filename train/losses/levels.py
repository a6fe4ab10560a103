"""The decoder's levels in a loss (deep supervision, as in nnU-Net): their weights, and targets of their size."""

from __future__ import annotations

import torch
from torch import Tensor


def level_weights(count: int) -> list[float]:
    """Return the weights of so many levels, finest first: 1, ½, ¼ and so on."""
    return [0.5**level for level in range(count)]


def resized(volume: Tensor, level: Tensor) -> Tensor:
    """Resize a volume (B, P, D, H, W) to a level's voxels (B, ·, d, h, w) by nearest neighbour.

    Voxel i of n is voxel ⌊i N / n⌋ of N, in whole numbers, so that a mask stays bool and no voxel depends on another;
    a convolution with stride N / n is centred on it. Raises ValueError for other numbers of dimensions.
    """
    if volume.dim() != 5 or level.dim() != 5:
        raise ValueError(f"volumes must be (B, P, D, H, W), got {tuple(volume.shape)} and {tuple(level.shape)}")
    for axis in (2, 3, 4):
        old, new = volume.shape[axis], level.shape[axis]
        if old != new:
            volume = volume.index_select(axis, torch.arange(new, device=volume.device) * old // new)
    return volume
