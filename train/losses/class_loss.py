"""The loss of stage 1: classes that exclude each other, as in nnU-Net.

Shapes: B volumes, N classes, D H W voxels. Every sample weighs the same, whatever it shows and however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .levels import level_weights, resized
from .mask_losses import SMOOTH

# The label of a voxel of which nothing is known.
UNKNOWN = -1


# The logit of a class that is merged into another one: its probability is 0.
NEVER = -1e9


def class_loss(
    logits: Sequence[Tensor],
    labels: Tensor,
    merged: Sequence[Mapping[int, int]] | None = None,
    *,
    missed_weight: float = 0.0,
) -> Tensor:
    """Return the mean over the decoder's levels, ½^i each, of soft Dice + cross-entropy (Isensee et al. 2021).

    `logits` finest first, each (B, N, d, h, w); `labels` (B, D, H, W) whole numbers, 0 is background and −1 unknown.
    `merged` has for each sample the classes that its labels do not tell apart from others: class -> the class whose
    label stands for both. The two count as one, with the sum of their probabilities (marginal loss, Shi et al. 2021).
    `missed_weight` weighs a third term, on the classes of which most is missed: see `_missed_loss`.
    """
    weights = level_weights(len(logits))
    if merged is not None and any(merged):
        labels = torch.stack([_merge_labels(each, into) for each, into in zip(labels, merged, strict=True)])
        logits = [
            torch.stack([_merge_classes(each, into) for each, into in zip(level, merged, strict=True)])
            for level in logits
        ]
    levels = [
        weight * _level_loss(level, resized(labels[:, None], level)[:, 0].long(), missed_weight)
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


def _level_loss(logits: Tensor, labels: Tensor, missed_weight: float) -> Tensor:
    """Return the mean over samples of the loss at one level: logits (B, N, d, h, w), labels (B, d, h, w)."""
    logits = logits.float()
    known_voxels = (labels != UNKNOWN).flatten(1)
    entropy = functional.cross_entropy(logits, labels, ignore_index=UNKNOWN, reduction="none").flatten(1)
    voxels = LabelledVoxels.of(logits.softmax(dim=1), labels.flatten(1), known_voxels)
    loss = entropy.sum(1) / known_voxels.sum(1).clamp(min=1) + _mean_over_shown(1 - voxels.dice(), voxels)
    if missed_weight:
        loss = loss + missed_weight * _missed_loss(entropy, voxels)
    return loss.mean()


class LabelledVoxels(NamedTuple):
    """Sums over the known voxels of B samples, by class; V voxels."""

    labels: Tensor
    """The label of each voxel (B, V), 0 where it is not known."""
    size: Tensor
    """Voxels of each class (B, N)."""
    predicted: Tensor
    """Sum of each class's probabilities (B, N)."""
    overlap: Tensor
    """The same over the class's own voxels (B, N)."""

    @classmethod
    def of(cls, probability: Tensor, labels: Tensor, known_voxels: Tensor) -> LabelledVoxels:
        """Return the sums of probabilities (B, N, ...) with labels and `known_voxels` (B, V)."""
        flat = labels.clamp(min=0)
        voxels = probability.flatten(2) * known_voxels[:, None]
        size = torch.zeros_like(voxels[:, :, 0]).scatter_add_(1, flat, known_voxels.to(voxels.dtype))
        of_label = voxels.gather(1, flat[:, None]).squeeze(1)
        return cls(flat, size, voxels.sum(2), torch.zeros_like(size).scatter_add(1, flat, of_label))

    def dice(self) -> Tensor:
        """Return the soft Dice of each class (B, N)."""
        return (2 * self.overlap + SMOOTH) / (self.predicted + self.size + SMOOTH)


def _missed_loss(entropy: Tensor, voxels: LabelledVoxels) -> Tensor:
    """Return (B,) the loss on classes that are missed, as `missed_structure_loss` has it for prompts.

    It is the mean cross-entropy of a class's own voxels, times 1 − 2 r where r, their mean probability without its
    gradient, is below a half, else 0. A trachea whose voxels are all taken for lung has next to no slope in Dice, and
    among all voxels of a body no weight in the mean of the cross-entropy.
    """
    own = torch.zeros_like(voxels.size).scatter_add(1, voxels.labels, entropy) / voxels.size.clamp(min=1)
    recall = voxels.overlap.detach() / voxels.size.clamp(min=1)
    return _mean_over_shown((1 - 2 * recall).clamp(min=0) * own, voxels)


def _mean_over_shown(values: Tensor, voxels: LabelledVoxels) -> Tensor:
    """Return the mean (B,) of values (B, N) over the classes that each sample shows, without background; else 0.

    Classes that a sample does not show are left to the cross-entropy: their Dice has no slope to speak of.
    """
    shown = (voxels.size > 0).to(values.dtype)
    shown[:, 0] = 0
    return (values * shown).sum(1) / shown.sum(1).clamp(min=1)
