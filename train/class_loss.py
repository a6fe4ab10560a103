"""The loss of pretraining: classes that exclude each other, as in nnU-Net.

Shapes: B volumes, N classes, D H W voxels. Every sample weighs the same, whatever it shows and however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .segmentation_losses import SMOOTH, resized

# A voxel of which nothing is known.
UNKNOWN = -1


def class_loss(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Weighted mean over the decoder's levels, ½^i each, of soft Dice + cross-entropy (Isensee et al. 2021).

    `logits` finest first, each (B, N, d, h, w); `labels` (B, D, H, W) whole numbers, 0 is background and −1 unknown.
    """
    weights = [0.5**level for level in range(len(logits))]
    levels = [
        weight * _one_level(level, resized(labels[:, None], level)[:, 0].long())
        for weight, level in zip(weights, logits, strict=True)
    ]
    return torch.stack(levels).sum() / sum(weights)


def _one_level(logits: Tensor, labels: Tensor) -> Tensor:
    logits = logits.float()
    known = (labels != UNKNOWN).flatten(1)
    entropy = functional.cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="none").flatten(1).sum(1)
    return (entropy / known.sum(1).clamp(min=1) + _dice(logits.softmax(dim=1), labels.flatten(1), known)).mean()


def _dice(probability: Tensor, labels: Tensor, known: Tensor) -> Tensor:
    """1 − Dice (B,), over the classes that each sample shows, without background; 0 where it shows none.

    Classes that a sample does not show are left to the cross-entropy: their Dice has no slope to speak of.
    """
    flat = labels.clamp(min=0)
    voxels = probability.flatten(2) * known[:, None]
    size = torch.zeros_like(voxels[:, :, 0]).scatter_add_(1, flat, known.to(voxels.dtype))
    own = voxels.gather(1, flat[:, None]).squeeze(1)
    overlap = torch.zeros_like(size).scatter_add(1, flat, own)
    dice = (2 * overlap + SMOOTH) / (voxels.sum(2) + size + SMOOTH)
    shown = (size > 0).to(dice.dtype)
    shown[:, 0] = 0
    return ((1 - dice) * shown).sum(1) / shown.sum(1).clamp(min=1)
