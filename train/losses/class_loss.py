"""The loss of stage 1: classes that exclude each other, as in nnU-Net.

Shapes: B volumes, N classes, D H W voxels. Every sample weighs the same, whatever it shows and however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .levels import level_weights, resized
from .mask_losses import SMOOTH

# The label of a voxel of which nothing is known.
UNKNOWN = -1


# The logit of a class that is merged into another one: its probability is 0.
NEVER = -1e9


def class_loss(logits: Sequence[Tensor], labels: Tensor, merged: Sequence[Mapping[int, int]] | None = None) -> Tensor:
    """Return the mean over the decoder's levels, ½^i each, of soft Dice + cross-entropy (Isensee et al. 2021).

    `logits` finest first, each (B, N, d, h, w); `labels` (B, D, H, W) whole numbers, 0 is background and −1 unknown.
    `merged` has for each sample the classes that its labels do not tell apart from others: class -> the class whose
    label stands for both. The two count as one, with the sum of their probabilities (marginal loss, Shi et al. 2021).
    """
    weights = level_weights(len(logits))
    if merged is not None and any(merged):
        labels = torch.stack([_merge_labels(each, into) for each, into in zip(labels, merged, strict=True)])
        logits = [
            torch.stack([_merge_classes(each, into) for each, into in zip(level, merged, strict=True)])
            for level in logits
        ]
    levels = [
        weight * _level_loss(level, resized(labels[:, None], level)[:, 0].long())
        for weight, level in zip(weights, logits, strict=True)
    ]
    return torch.stack(levels).sum() / sum(weights)


def _merge_labels(labels: Tensor, into: Mapping[int, int]) -> Tensor:
    """Return labels (D, H, W) in which no merged class is left."""
    labels = labels.clone()
    for number, target in into.items():
        labels[labels == number] = target
    return labels


def _merge_classes(logits: Tensor, into: Mapping[int, int]) -> Tensor:
    """Return logits (N, d, h, w) of one sample: a class has the probability of all that are merged into it."""
    classes = list(logits.float().unbind())
    for target in set(into.values()):
        members = [target, *(number for number, other in into.items() if other == target)]
        classes[target] = torch.stack([classes[number] for number in members]).logsumexp(dim=0)
    for number in into:
        classes[number] = torch.full_like(classes[number], NEVER)
    return torch.stack(classes)


def _level_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over samples of the loss at one level: logits (B, N, d, h, w), labels (B, d, h, w)."""
    logits = logits.float()
    known_voxels = (labels != UNKNOWN).flatten(1)
    entropy = functional.cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="none").flatten(1).sum(1)
    dice = _dice_loss(logits.softmax(dim=1), labels.flatten(1), known_voxels)
    return (entropy / known_voxels.sum(1).clamp(min=1) + dice).mean()


def _dice_loss(probability: Tensor, labels: Tensor, known_voxels: Tensor) -> Tensor:
    """Return 1 − Dice (B,), over the classes that each sample shows, without background; 0 where it shows none.

    Classes that a sample does not show are left to the cross-entropy: their Dice has no slope to speak of.
    """
    flat = labels.clamp(min=0)
    voxels = probability.flatten(2) * known_voxels[:, None]
    size = torch.zeros_like(voxels[:, :, 0]).scatter_add_(1, flat, known_voxels.to(voxels.dtype))
    of_label = voxels.gather(1, flat[:, None]).squeeze(1)
    overlap = torch.zeros_like(size).scatter_add(1, flat, of_label)
    dice = (2 * overlap + SMOOTH) / (voxels.sum(2) + size + SMOOTH)
    shown = (size > 0).to(dice.dtype)
    shown[:, 0] = 0
    return ((1 - dice) * shown).sum(1) / shown.sum(1).clamp(min=1)
