"""The loss of pretraining: classes that exclude each other, as in nnU-Net.

Shapes: B volumes, N classes, D H W voxels. Every sample weighs the same, whatever it shows and however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

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


SMOOTH = 1e-5
# Of this logit sigmoid and softplus are 0 in float32 and float64: a voxel that counts for nothing.
OUTSIDE = -1e4


def dice_bce_loss(
    logits: Tensor,
    target: Tensor,
    labelled: Tensor | None = None,
    *,
    dice_weight: float = 1.0,
    bce_weight: float = 1.0,
    smooth: float = SMOOTH,
    voxels: Tensor | None = None,
) -> Tensor:
    """Mean over labelled (b, p) of dice_weight · (1 − (2 Σ q t + smooth) / (Σ q + Σ t + smooth)) + bce_weight · BCE.

    ``logits`` (B, P, D, H, W), q = sigmoid(logits), sums and the mean of the binary cross-entropy (BCE) over the voxels
    of one prompt; ``target`` t of the same shape, bool or 0 to 1; ``labelled`` (B, P) bool, all where None; ``voxels``
    (B, 1, D, H, W) bool, where they count, everywhere where None. Soft Dice is V-Net's (Milletari et al. 2016) with
    sums in place of squares, and its sum with cross-entropy nnU-Net's (Isensee et al. 2021).

    Prompts overlap (a lobe lies in a lung), so each has a sigmoid of its own. MONAI's ``DiceCELoss(sigmoid=True)`` on
    (B, P, …) takes a softmax cross-entropy *across* the prompts beside the Dice, which makes them exclude each other
    (Project-MONAI/MONAI#6923); on (B·P, 1, …) it is this loss.

    Raises ValueError for shapes that do not fit.
    """
    _check_masks(logits, target, voxels)
    known = _known(logits, labelled)
    if voxels is not None:
        known = known & voxels.flatten(1).any(1, keepdim=True)
    chosen, truth = (_chosen(volume, known).to(_dtype(logits)) for volume in (logits, target))
    count: Tensor | int = chosen.shape[1]
    if voxels is not None:
        inside = _chosen(voxels.expand_as(logits), known)
        chosen, truth, count = chosen.masked_fill(~inside, OUTSIDE), truth.masked_fill(~inside, 0), inside.sum(1)
    probability = chosen.sigmoid()
    overlap, size = (probability * truth).sum(1), probability.sum(1) + truth.sum(1)
    dice = 1 - (2 * overlap + smooth) / (size + smooth)
    bce = functional.binary_cross_entropy_with_logits(chosen, truth, reduction="none").sum(1) / count
    return _mean(dice_weight * dice + bce_weight * bce)


def deep_supervision_loss(
    logits: Sequence[Tensor],
    target: Tensor,
    labelled: Tensor | None = None,
    *,
    weights: Sequence[float] | None = None,
    dice_weight: float = 1.0,
    bce_weight: float = 1.0,
    smooth: float = SMOOTH,
    voxels: Tensor | None = None,
) -> Tensor:
    """Weighted mean of `dice_bce_loss` over the decoder's levels, as in nnU-Net.

    ``logits`` finest first, each (B, P, d, h, w); ``weights`` one for each level, ½^i where None, divided by their sum;
    a level of weight 0 is left out. ``target`` and ``voxels`` (B, ·, D, H, W) are resized to a level by nearest
    neighbour: voxel i of n is voxel ⌊i N / n⌋ of N, on which a convolution with stride N / n is centred.

    Raises ValueError for shapes or weights that do not fit.
    """
    if not logits:
        raise ValueError("logits must hold at least one level")
    weights = [0.5**level for level in range(len(logits))] if weights is None else weights
    if len(weights) != len(logits) or not sum(weights) > 0 or min(weights) < 0:
        raise ValueError(f"weights must be {len(logits)} numbers ≥ 0, not all of them 0, got {list(weights)}")
    levels = [
        weight
        * dice_bce_loss(
            level, resized(target, level), labelled,
            dice_weight=dice_weight, bce_weight=bce_weight, smooth=smooth,
            voxels=None if voxels is None else resized(voxels, level),
        )
        for weight, level in zip(weights, logits, strict=True)
        if weight
    ]  # fmt: skip
    return torch.stack(levels).sum() / sum(weights)


def rescue_loss(
    logits: Tensor,
    target: Tensor,
    labelled: Tensor | None = None,
    *,
    worst: int = 64,
    voxels: Tensor | None = None,
) -> Tensor:
    """What Dice and a mean over all voxels are blind to: a small mask that is missed whole, and one that is made up.

    Mean over labelled (b, p) of the cross-entropy of the mask's own voxels, times 1 − 2 r where r, their mean
    probability without its gradient, is below a half, else 0: it is for what is missed, and would draw the edges of
    what is found too far out. Of an empty mask that of its ``worst`` most likely voxels.

    Soft Dice has a slope in neither case, and the mean over all voxels gives a rib of 30 voxels, or a made-up
    gallbladder, the weight that 30 voxels have. Arguments as in `dice_bce_loss`; a target of more than a half is there.
    Raises ValueError for shapes that do not fit.
    """
    _check_masks(logits, target, voxels)
    known = _known(logits, labelled)
    chosen, there = _chosen(logits, known).to(_dtype(logits)), _chosen(target, known) > 0.5
    if voxels is not None:
        inside = _chosen(voxels.expand_as(logits), known)
        chosen, there = chosen.masked_fill(~inside, OUTSIDE), there & inside
    size, row, own = there.sum(1), there.nonzero()[:, 0], chosen[there]
    none = own.new_zeros(len(chosen))
    entropy, found = (
        none.index_add(0, row, each) / size.clamp(min=1) for each in (functional.softplus(-own), own.detach().sigmoid())
    )
    likely = chosen[size == 0].topk(min(worst, chosen.shape[1]), dim=1, sorted=False).values
    lost = ((1 - 2 * found).clamp(min=0) * entropy).sum() + functional.softplus(likely).mean(1).sum()
    return lost / max(len(chosen), 1)


def presence_loss(logits: Tensor, present: Tensor, labelled: Tensor | None = None) -> Tensor:
    """Mean over labelled (b, p) of the binary cross-entropy of whether the prompt's structure is in the volume.

    ``logits``, ``present`` (bool or 0 to 1) and ``labelled`` (bool) are (B, P). Raises ValueError for other shapes.
    """
    if logits.dim() != 2 or present.shape != logits.shape:
        raise ValueError(f"logits and present must be (B, P), got {tuple(logits.shape)} and {tuple(present.shape)}")
    known = _known(logits, labelled)
    chosen, truth = logits[known].to(_dtype(logits)), present[known].to(_dtype(logits))
    return _mean(functional.binary_cross_entropy_with_logits(chosen, truth, reduction="none"))


def _chosen(volume: Tensor, known: Tensor) -> Tensor:
    """(n, D·H·W) the masks that are known, without a copy where that is all of them."""
    return volume.flatten(0, 1).flatten(1) if known.all() else volume[known].flatten(1)


def _mean(each: Tensor) -> Tensor:
    """The mean of (n,), 0 where there is none."""
    return each.sum() / max(len(each), 1)


def resized(volume: Tensor, level: Tensor) -> Tensor:
    """Nearest neighbour in whole numbers, so that a mask stays bool and no voxel depends on another."""
    if volume.dim() != 5 or level.dim() != 5:
        raise ValueError(f"volumes must be (B, P, D, H, W), got {tuple(volume.shape)} and {tuple(level.shape)}")
    for axis in (2, 3, 4):
        old, new = volume.shape[axis], level.shape[axis]
        if old != new:
            volume = volume.index_select(axis, torch.arange(new, device=volume.device) * old // new)
    return volume


def _known(logits: Tensor, labelled: Tensor | None) -> Tensor:
    if labelled is None:
        return torch.ones(logits.shape[:2], dtype=torch.bool, device=logits.device)
    if labelled.shape != logits.shape[:2] or labelled.dtype != torch.bool:
        raise ValueError(
            f"labelled must be bool of shape {tuple(logits.shape[:2])}, "
            f"got {labelled.dtype} of shape {tuple(labelled.shape)}"
        )
    return labelled


def _check_masks(logits: Tensor, target: Tensor, voxels: Tensor | None) -> None:
    if logits.dim() != 5 or target.shape != logits.shape:
        raise ValueError(
            f"logits and target must both be (B, P, D, H, W), got {tuple(logits.shape)} and {tuple(target.shape)}"
        )
    if voxels is not None and (voxels.shape != (logits.shape[0], 1, *logits.shape[2:]) or voxels.dtype != torch.bool):
        raise ValueError(
            f"voxels must be bool of shape {(logits.shape[0], 1, *logits.shape[2:])}, "
            f"got {voxels.dtype} of shape {tuple(voxels.shape)}"
        )


def _dtype(logits: Tensor) -> torch.dtype:
    # The cast is enough: nothing that the losses take of it is among what autocast does in half precision.
    return torch.promote_types(torch.float32, logits.dtype)
