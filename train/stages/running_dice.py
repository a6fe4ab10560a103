"""Dice while training: one value for each mask from the voxels of all cases together, and the share of false masks."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


class RunningDice:
    """Counts the voxels of P masks, in the overlap, the reference and the prediction; float64, so sums are exact."""

    def __init__(self, prompts: int, device: torch.device) -> None:
        self.counts = torch.zeros(3, prompts, dtype=torch.float64, device=device)
        self.absent = torch.zeros(2, dtype=torch.float64, device=device)

    def add(self, predicted: Tensor, reference: Tensor, labelled: Tensor | None = None) -> None:
        """Add a case: masks (P, D, H, W) bool; `labelled` (P,) bool says which references are known, all if None."""
        predicted, reference = predicted.flatten(1), reference.flatten(1)
        both, size, predicted_size = (predicted & reference).sum(1), reference.sum(1), predicted.sum(1)
        if labelled is None:
            labelled = torch.ones_like(size, dtype=torch.bool)
        present, absent = labelled & (size > 0), labelled & (size == 0)
        self.counts += torch.stack([both, size, predicted_size]) * present
        self.absent += torch.stack([absent.sum(), (absent & (predicted_size > 0)).sum()])

    def sum_over_processes(self) -> None:
        """Replace the counts by their sums over all processes."""
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(self.counts)
            dist.all_reduce(self.absent)

    def dice(self) -> Tensor:
        """Return the Dice (P,) of all cases' voxels together; NaN where no case shows the structure."""
        both, size, predicted_size = self.counts
        dice: Tensor = 2 * both / (size + predicted_size)
        return dice

    def mean(self, indices: list[int] | slice = slice(None)) -> float:
        """Return the mean Dice over the structures that some case shows; NaN where there is none."""
        return float(self.dice()[indices].nanmean())

    def false_masks(self) -> float:
        """Return the share of masks for structures that a patch does not show, of all such prompts; NaN if none."""
        absent, made_up = self.absent.tolist()
        return made_up / absent if absent else float("nan")
