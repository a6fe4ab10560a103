"""Dice while training, on patches of held-out cases: counts of voxels, summed over cases and processes.

nnU-Net calls it a pseudo Dice: one value for each structure from all voxels together, not a mean over cases.
`ovct evaluate` measures whole volumes.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


class RunningDice:
    """Counts for P masks: of both, of the reference, of the prediction; float64, so that sums are exact."""

    def __init__(self, prompts: int, device: torch.device) -> None:
        self.counts = torch.zeros(3, prompts, dtype=torch.float64, device=device)
        self.absent = torch.zeros(2, dtype=torch.float64, device=device)

    def add(self, predicted: Tensor, reference: Tensor, labelled: Tensor | None = None) -> None:
        """Masks (P, D, H, W) bool; `labelled` (P,) bool says which references are known."""
        predicted, reference = predicted.flatten(1), reference.flatten(1)
        both, size, found = ((predicted & reference).sum(1), reference.sum(1), predicted.sum(1))
        known = torch.ones_like(size, dtype=torch.bool) if labelled is None else labelled
        there = known & (size > 0)
        self.counts += torch.stack([both, size, found]) * there
        absent = known & (size == 0)
        self.absent += torch.stack([absent.sum(), (absent & (found > 0)).sum()])

    def total(self) -> None:
        """Sums over all processes, in place."""
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(self.counts)
            dist.all_reduce(self.absent)

    def dice(self) -> Tensor:
        """(P,), NaN where no case shows the structure."""
        both, size, found = self.counts
        dice: Tensor = 2 * both / (size + found)
        return dice

    def mean(self, which: list[int] | slice = slice(None)) -> float:
        """Over the structures that some case shows; NaN where there is none."""
        return float(self.dice()[which].nanmean())

    def false_masks(self) -> float:
        """Of the prompts for a structure that a patch does not show, the share that got a mask all the same."""
        absent, found = self.absent.tolist()
        return found / absent if absent else float("nan")
