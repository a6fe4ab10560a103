"""The loss of pretraining: classes that exclude each other, as in nnU-Net, and beyond it what a sample does not show.

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
# Voxels of a class that is not there which are told so.
WORST = 64
LEAST = 1e-6


def class_loss(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Weighted mean over the decoder's levels, ½^i each, of soft Dice + cross-entropy (Isensee et al. 2021), and on the
    finest level `absent_classes`.

    `logits` finest first, each (B, N, d, h, w); `labels` (B, D, H, W) whole numbers, 0 is background and −1 unknown.
    """
    weights = [0.5**level for level in range(len(logits))]
    levels = [
        weight * _one_level(level, resized(labels[:, None], level)[:, 0].long())
        for weight, level in zip(weights, logits, strict=True)
    ]
    return torch.stack(levels).sum() / sum(weights) + absent_classes(logits[0], labels)


def absent_classes(logits: Tensor, labels: Tensor) -> Tensor:
    """Of each sample the mean, over the classes that it does not show, of −log(1 − p) of the WORST voxels that most
    look like them.

    Soft Dice has no slope there, and in a mean over all voxels a made-up gallbladder hardly counts. `logits`
    (B, N, D, H, W), `labels` (B, D, H, W).
    """
    flat = labels.flatten(1).long()
    shown = torch.zeros(logits.shape[:2], dtype=torch.bool, device=logits.device)
    shown.scatter_(1, flat.clamp(min=0), torch.ones_like(flat, dtype=torch.bool))[:, 0] = True
    probability = logits.float().softmax(dim=1).flatten(2).masked_fill((flat == UNKNOWN)[:, None], 0)
    losses = [_made_up(own[absent]) for own, absent in zip(probability, ~shown, strict=True)]
    return torch.stack(losses).mean()


def _made_up(probability: Tensor) -> Tensor:
    """Of absent classes (n, V); 0 where there are none."""
    likely = probability.topk(min(WORST, probability.shape[1]), dim=1, sorted=False).values
    return -torch.log1p(-likely.clamp(max=1 - LEAST)).mean(dim=1).sum() / max(len(likely), 1)


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
