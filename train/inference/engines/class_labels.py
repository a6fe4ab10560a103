"""Finished labels on a scan's own voxels, as another program gives them: a voxel belongs to the class of its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from train.inference.errors import SegmentError
from train.inference.logit_storage import allocate
from train.inference.mask_volume import MaskVolume
from train.scans.grid import Grid
from train.scans.scan import Scan

# float16 holds whole numbers to here.
HIGHEST_LABEL = 2048


@dataclass(frozen=True, eq=False)
class ClassLabels(MaskVolume):
    """Labels of classes, (1, X, Y, Z); `members` lists the labels of each prompt's classes."""

    members: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, scan: Scan, labels: np.ndarray, members: Sequence[tuple[int, ...]]) -> ClassLabels:
        """Return labels (X, Y, Z) on the grid of a scan. Raises ValueError for a label that is out of range."""
        if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) <= HIGHEST_LABEL:
            raise ValueError(f"labels from {labels.min()} to {labels.max()}: they are 0 to {HIGHEST_LABEL}")
        x, y, z = scan.voxels.shape
        stored = allocate((1, x, y, z))
        stored[0] = labels
        return cls(stored, None, Grid((x, y, z), scan.affine, (x, y, z), scan.affine), tuple(members))

    def logits(self, values: Tensor, prompts: Tensor) -> Tensor:
        """Return 1 where the label is one of the prompt's, else -1: (p, N)."""
        labels = values[0].round().long()
        members = torch.zeros(len(prompts), HIGHEST_LABEL + 1, dtype=torch.bool)
        for row, number in enumerate(prompts.tolist()):
            members[row, list(self.members[number])] = True
        return torch.where(members[:, labels], 1.0, -1.0)

    def of_prompt(self, number: int) -> MaskVolume:
        """Raise SegmentError: labels have no probabilities."""
        raise SegmentError("these masks came as labels, without probabilities")
