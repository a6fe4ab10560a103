"""The losses of stage 3: one mask for each prompt, of any size, and whether the prompt's structure is there at all.

Shapes: B volumes, P prompts, D H W voxels. What is not labelled, and voxels that do not count, have no part in a loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .levels import level_weights, resized

# Added above and below the line of Dice, so that an empty mask that stays empty has a Dice of 1.
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
    """Return soft Dice + binary cross-entropy (BCE), the mean over labelled masks (b, p).

    Of one mask it is dice_weight · (1 − (2 Σ q t + smooth) / (Σ q + Σ t + smooth)) + bce_weight · BCE.
    ``logits`` (B, P, D, H, W), q = sigmoid(logits), sums and the mean of BCE over the voxels of one
    prompt; ``target`` t of the same shape, bool or 0 to 1; ``labelled`` (B, P) bool, all where None; ``voxels``
    (B, 1, D, H, W) bool, where they count, everywhere where None. Soft Dice is V-Net's (Milletari et al. 2016) with
    sums in place of squares, and its sum with cross-entropy nnU-Net's (Isensee et al. 2021).

    Prompts overlap (a lobe lies in a lung), so each has a sigmoid of its own. MONAI's ``DiceCELoss(sigmoid=True)`` on
    (B, P, …) takes a softmax cross-entropy *across* the prompts beside the Dice, which makes them exclude each other
    (Project-MONAI/MONAI#6923); on (B·P, 1, …) it is this loss.

    Raises ValueError for shapes that do not fit.
    """
    _check_masks(logits, target, voxels)
    counted = _counted_masks(logits, labelled)
    if voxels is not None:
        counted = counted & voxels.flatten(1).any(1, keepdim=True)
    chosen, truth = (_chosen(volume, counted).to(_dtype(logits)) for volume in (logits, target))
    count: Tensor | int = chosen.shape[1]
    if voxels is not None:
        inside = _chosen(voxels.expand_as(logits), counted)
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
    """Return the weighted mean of `dice_bce_loss` over the decoder's levels, as in nnU-Net.

    ``logits`` finest first, each (B, P, d, h, w); ``weights`` one for each level, ½^i where None, divided by their sum;
    a level of weight 0 is left out. ``target`` and ``voxels`` (B, ·, D, H, W) are resized to each level.

    Raises ValueError for shapes or weights that do not fit.
    """
    if not logits:
        raise ValueError("logits must hold at least one level")
    weights = level_weights(len(logits)) if weights is None else weights
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


def missed_structure_loss(
    logits: Tensor,
    target: Tensor,
    labelled: Tensor | None = None,
    *,
    worst: int = 64,
    voxels: Tensor | None = None,
) -> Tensor:
    """Return a loss on what Dice and a mean over all voxels do not see: small masks that are missed whole or made up.

    It is the mean over labelled (b, p) of the cross-entropy of the mask's own voxels, times 1 − 2 r where r, their
    mean probability without its gradient, is below a half, else 0: it is for what is missed, and would draw the edges
    of what is found too far out. For an empty mask it is the cross-entropy of its ``worst`` most likely voxels.

    Soft Dice has a slope in neither case, and the mean over all voxels gives a rib of 30 voxels, or a made-up
    gallbladder, the weight that 30 voxels have. Arguments as in `dice_bce_loss`; a target of more than a half is there.
    Raises ValueError for shapes that do not fit.
    """
    _check_masks(logits, target, voxels)
    counted = _counted_masks(logits, labelled)
    chosen, there = _chosen(logits, counted).to(_dtype(logits)), _chosen(target, counted) > 0.5
    if voxels is not None:
        inside = _chosen(voxels.expand_as(logits), counted)
        chosen, there = chosen.masked_fill(~inside, OUTSIDE), there & inside
    size, row, inside_logits = there.sum(1), there.nonzero()[:, 0], chosen[there]
    zeros = inside_logits.new_zeros(len(chosen))
    entropy, recall = (
        zeros.index_add(0, row, values) / size.clamp(min=1)
        for values in (functional.softplus(-inside_logits), inside_logits.detach().sigmoid())
    )
    missed = ((1 - 2 * recall).clamp(min=0) * entropy).sum()
    most_likely = chosen[size == 0].topk(min(worst, chosen.shape[1]), dim=1, sorted=False).values
    made_up = functional.softplus(most_likely).mean(1).sum()
    return (missed + made_up) / max(len(chosen), 1)


def presence_loss(logits: Tensor, present: Tensor, labelled: Tensor | None = None) -> Tensor:
    """Return the mean over labelled (b, p) of the cross-entropy of whether the prompt's structure is in the volume.

    ``logits``, ``present`` (bool or 0 to 1) and ``labelled`` (bool) are (B, P). Raises ValueError for other shapes.
    """
    if logits.dim() != 2 or present.shape != logits.shape:
        raise ValueError(f"logits and present must be (B, P), got {tuple(logits.shape)} and {tuple(present.shape)}")
    counted = _counted_masks(logits, labelled)
    chosen, truth = logits[counted].to(_dtype(logits)), present[counted].to(_dtype(logits))
    return _mean(functional.binary_cross_entropy_with_logits(chosen, truth, reduction="none"))


def _chosen(volume: Tensor, counted: Tensor) -> Tensor:
    """Return the masks that are counted, (n, D·H·W), without a copy where that is all of them."""
    return volume.flatten(0, 1).flatten(1) if counted.all() else volume[counted].flatten(1)


def _mean(values: Tensor) -> Tensor:
    """Return the mean of (n,), 0 where there is none."""
    return values.sum() / max(len(values), 1)


def _counted_masks(logits: Tensor, labelled: Tensor | None) -> Tensor:
    """Return which masks (B, P) count: all where `labelled` is None. Raises ValueError for another shape or dtype."""
    if labelled is None:
        return torch.ones(logits.shape[:2], dtype=torch.bool, device=logits.device)
    if labelled.shape != logits.shape[:2] or labelled.dtype != torch.bool:
        raise ValueError(
            f"labelled must be bool of shape {tuple(logits.shape[:2])}, "
            f"got {labelled.dtype} of shape {tuple(labelled.shape)}"
        )
    return labelled


def _check_masks(logits: Tensor, target: Tensor, voxels: Tensor | None) -> None:
    """Raise ValueError for shapes and dtypes that do not fit."""
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
    """Return the dtype of a loss: float32, or float64 if the logits are."""
    # The cast is enough: nothing that the losses take of it is among what autocast does in half precision.
    return torch.promote_types(torch.float32, logits.dtype)
