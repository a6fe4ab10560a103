"""Values of a whole volume on a network's grid, from which each prompt's logits at the scan's voxels follow.

What is stored, and how logits follow from it, differs: `logit_volume` for prompts that a network was asked by text,
`engines.class_scores` for a network's own classes, `engines.class_labels` for finished labels. The label map is made of
all of them in the same way.

Shapes: P prompts, p some of them, K stored channels, D H W voxels of the network's grid, X Y Z voxels of the scan, N
any number of voxels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from train.scans.grid import Grid, sample_slab

from .logit_storage import release_pages

# Logits that are computed at once: 8 MiB of float32, which stay in a processor's cache.
LOGITS_AT_ONCE = 1 << 21
# Voxels of the scan that are interpolated at once, all channels together.
SLAB_BYTES = 1 << 27


@dataclass(frozen=True, eq=False)
class MaskVolume(ABC):
    """Stored values (K, D, H, W), float16, of P prompts, and where they lie.

    `presence` (P) float32 holds logits of how surely each prompt's structure is there at all; None where nothing judges
    that, and a structure is there if its mask has a voxel.
    """

    stored: np.ndarray
    presence: Tensor | None
    grid: Grid

    @abstractmethod
    def logits(self, values: Tensor, prompts: Tensor) -> Tensor:
        """Return the logits (p, N) of the prompts numbered in `prompts` (p), from stored values (K, N).

        A voxel belongs to a prompt where its logit is above that of the threshold.
        """

    @abstractmethod
    def of_prompt(self, number: int) -> MaskVolume:
        """Return a volume of one prompt alone, whose logits are those of its probability."""

    def resampled_slabs(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield what is stored, interpolated to the scan's voxels, for a slab of its slices along Z at a time.

        Each slab is its slices of Z and the values (K, X * Y * n) float32, for `logits` to turn into logits.
        """
        x, y, z = self.grid.scan_shape
        step = max(SLAB_BYTES // (4 * len(self.stored) * x * y), 1)
        for start in range(0, z, step):
            slices = slice(start, min(start + step, z))
            yield slices, sample_slab(self.stored, self.grid, slices.start, slices.stop).flatten(1)
            release_pages(self.stored)

    def network_slabs(self, prompts: Tensor) -> Iterator[Tensor]:
        """Yield logits (p, n * H * W) float32 on the network's own grid, a slab of slices along D at a time.

        `prompts` (p) are the numbers of the prompts.
        """
        for values in self.stored_slabs(max(len(prompts), 1)):
            yield self.logits(values, prompts)

    def stored_slabs(self, logits_per_voxel: int) -> Iterator[Tensor]:
        """Yield stored values (K, n * H * W) float32, so few slices that their logits stay in a cache."""
        step = max(LOGITS_AT_ONCE // (logits_per_voxel * self.stored[0, 0].size), 1)
        for start in range(0, self.stored.shape[1], step):
            slab = np.array(self.stored[:, start : start + step])
            yield torch.from_numpy(slab).float().flatten(1)
            release_pages(self.stored)
