"""Contrastive losses of images with texts (CLIP) and with captions at several granularities (MGCL), over all ranks.

Shapes: B reports on a rank, K captions of each, E embedding. Embeddings come in L2-normalised and are not normalised
again. ``log_scale`` () is the learned log of the factor on the cosine similarities, as in open_clip.

**Pairs that are no negatives.** Two patients' reports often hold the same sentence. Counted as a negative, it holds the
loss up (four same texts of eight, perfectly aligned: ln 2 is left) and pushes apart what belongs together. With
``text_ids``, equal for equal texts, and ``scan_ids``, equal for reconstructions and reports of one scan, such pairs are
left out of the denominators: neither positive nor negative. With ``valid`` False a text is not there; its row and its
column are left out, and what its embedding holds does not matter. Without any text the loss is a 0 with gradients of 0.

**Precision.** Logits are float32 whatever autocast and the inputs say, or float64 where an input is. They are products
of float32 as `torch.set_float32_matmul_precision` has them.

**Several ranks.** Each rank takes its own texts against the images of all, ``chunk`` texts at a time. What it returns
is its share times the number of ranks W: the *mean* over ranks is the loss of the whole batch, and since DDP averages
gradients, what it leaves is the gradient that one process would have with the whole batch, whatever each rank has of
valid texts, because counts are taken over all. The ways to get this wrong (see mlfoundations/open_clip#616 and #894):
gathered without gradient each rank learns 1/W of the true gradient, and its own rows against columns without gradient
even point elsewhere (cosine 0.98). Parameters that DDP does not average, such as a bare ``log_scale``, are the caller's
to average. All ranks call the same loss with the same options and equal B.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.distributed as dist
from torch import Tensor

from models.aligner import MAX_LOG_SCALE

from .gather import gather, rank_and_size
from .pairs import ContrastivePairs, OrganParts, pair_up
from .similarity import log_sum_exps

# Rows of similarities at a time; by time and memory on two CPU threads with B = 4096, K = 3, E = 768.
CHUNK = 512

MgclVariant = Literal["mean", "joint"]


def clip_loss(
    image: Tensor,
    text: Tensor,
    log_scale: Tensor,
    *,
    text_ids: Tensor | None = None,
    scan_ids: Tensor | None = None,
    valid: Tensor | None = None,
    group: dist.ProcessGroup | None = None,
    chunk: int = CHUNK,
) -> Tensor:
    """Return L = ½ [CE(image → text) + CE(text → image)] over a batch of pairs (Radford et al. 2021, figure 3).

    ``image`` and ``text`` (B, E); ``text_ids`` and ``scan_ids`` (B,) whole numbers; ``valid`` (B,) bool. The module
    says what these do, and what holds over ranks; ``chunk`` rows of similarities are held at a time. Raises ValueError
    for shapes and dtypes that do not fit.
    """
    if text.dim() != 2:
        raise ValueError(f"text must be (B, E), got {tuple(text.shape)}")
    text_ids, valid = (None if mask is None else mask.unsqueeze(-1) for mask in (text_ids, valid))
    return mgcl_loss(
        image, text.unsqueeze(1), log_scale,
        text_ids=text_ids, scan_ids=scan_ids, valid=valid, group=group, chunk=chunk,
    )  # fmt: skip


def mgcl_loss(
    image: Tensor,
    captions: Tensor,
    log_scale: Tensor,
    *,
    variant: MgclVariant = "mean",
    text_ids: Tensor | None = None,
    scan_ids: Tensor | None = None,
    valid: Tensor | None = None,
    said: Tensor | None = None,
    parts: OrganParts | None = None,
    weights: Sequence[float] | None = None,
    group: dist.ProcessGroup | None = None,
    chunk: int = CHUNK,
) -> Tensor:
    """Return the multi-granular contrastive loss (MGCL) of images with K captions each.

    OpenVocabCT (arXiv 2503.06030) names the loss; its formula could not be read, so both variants are ours:

    - ``mean``: Σ_k w_k n_k L_k / Σ_k w_k n_k, with L_k the CLIP loss over the n_k reports that have a caption k (as
      DreamLIP, Zheng et al. 2024, sums them). Each caption there is weighs the same, apart from w_k.
    - ``joint``: ½ [mean over images of CE(image → all captions of the batch) + mean over captions of CE(caption →
      images)]. An image has the target 1/K_i on each of its K_i captions (w_k / Σ w with weights, which the mean over
      captions has too); images without a caption are left out.

    With K = 1 both are the CLIP loss. Image i and caption (j, k) are no negatives if some caption of i, in any slot,
    has the text of (j, k), or if both are of one scan; this holds for both directions. ``said`` (B, M), whole numbers,
    below 0 for none, are the text ids of all that is said of an image, whether or not it is among the K captions.

    With ``parts`` the loss is organ-wise (after fVLM, Shui et al. 2025): a caption meets its own organ's part of every
    image, and ``image`` is not used. An image's part meets the captions of that organ, in ``mean`` those of one
    granularity, in ``joint`` all of them, with the target 1/K_iv on each of its own K_iv. A normal caption and an image
    of whose part nothing else is said are no negatives.

    ``image`` (B, E), ``captions`` (B, K, E), ``text_ids`` (B, K) and ``scan_ids`` (B,) whole numbers, ``valid`` (B, K)
    bool, ``weights`` K numbers ≥ 0: a granularity of weight 0 is as if it were not there. Raises ValueError for shapes,
    dtypes, weights and variants that do not fit.
    """
    if variant not in ("mean", "joint"):
        raise ValueError(f"variant must be 'mean' or 'joint', got {variant!r}")
    joint = variant == "joint"
    _check(image, captions, text_ids, scan_ids, valid, chunk)
    _check_parts(captions, said, parts)
    weight = _weights(weights, captions.shape[1]).to(captions.device, logit_dtype(image, captions))
    valid = _present(captions, valid) & (weight > 0)
    pairs = pair_up(valid, text_ids, scan_ids, said=said, parts=parts, joint=joint, group=group)
    images = image.unsqueeze(1) if parts is None else parts.images
    images, captions, scale = _prepare(images, captions, log_scale, valid)
    row, column, positive = log_sum_exps(captions, gather(images, group), scale, pairs, chunk)
    # A column's captions lie on all ranks, each of which has summed its own.
    ranks = rank_and_size(group)[1]
    column = gather(column, group).view(ranks, *column.shape).logsumexp(0)[pairs.softmax, pairs.own_image]
    to_images, to_captions = _shares(valid, pairs, weight, joint)
    return ranks * (to_images * (row - positive) + to_captions * (column - positive)).sum() / 2


def _shares(valid: Tensor, pairs: ContrastivePairs, weight: Tensor, joint: bool) -> tuple[Tensor, Tensor]:
    """Return (b·K,) the weight of each caption of this rank in either direction; over all ranks both sum to 1."""
    to_images = weight * valid / _or_one((weight * pairs.exists).sum())
    if not joint:
        return to_images.flatten(), to_images.flatten()
    # What an image has to choose: each of its parts that has captions once, shared by these.
    part = pairs.softmax.view(valid.shape)
    together = (part[:, :, None] == part[:, None, :]) & valid[:, None, :]
    target = weight * valid / _or_one((weight * together).sum(2))
    choices = (pairs.exists.to(weight.dtype) / _or_one(pairs.targets)).sum()
    return to_images.flatten(), (target / _or_one(choices)).flatten()


def _or_one(total: Tensor) -> Tensor:
    """Return a denominator: 1 where there is nothing to divide."""
    return torch.where(total > 0, total, torch.ones_like(total))


def _prepare(images: Tensor, captions: Tensor, log_scale: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return images (b, V, E), captions (b·K, E) and the clamped scale () in the logits' dtype."""
    dtype = logit_dtype(images, captions)
    # Whatever stands for a missing pair, NaN included, must not reach a product.
    images = images.to(dtype).masked_fill(~valid.any(1)[:, None, None], 0)
    log_scale = log_scale.reshape(()).to(dtype)
    clamped = log_scale - (log_scale - MAX_LOG_SCALE).clamp(min=0).detach()
    return images, captions.flatten(0, 1).to(dtype), clamped.exp()


def logit_dtype(image: Tensor, captions: Tensor) -> torch.dtype:
    """Return the dtype in which similarities are taken: float32, or float64 where an input is."""
    return torch.promote_types(torch.float32, torch.promote_types(image.dtype, captions.dtype))


def _present(captions: Tensor, valid: Tensor | None) -> Tensor:
    """Return which captions there are, (b, K) bool: all of them without `valid`."""
    return torch.ones(captions.shape[:2], dtype=torch.bool, device=captions.device) if valid is None else valid


def _weights(weights: Sequence[float] | None, slots: int) -> Tensor:
    """Return the weight of each granularity (K,), 1 where None is given. Raises ValueError for what does not fit."""
    values = [1.0] * slots if weights is None else list(weights)
    if len(values) != slots or not all(0 <= value < math.inf for value in values) or not any(values):
        raise ValueError(f"weights must be {slots} numbers ≥ 0, not all of them 0, got {values}")
    return torch.tensor(values, dtype=torch.float64)


def _check(
    image: Tensor, captions: Tensor, text_ids: Tensor | None, scan_ids: Tensor | None, valid: Tensor | None, chunk: int
) -> None:
    """Raise ValueError for shapes and dtypes that do not fit."""
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, got {chunk}")
    if image.dim() != 2 or captions.dim() != 3 or captions.shape[::2] != image.shape or not captions.shape[1]:
        raise ValueError(
            f"image must be (B, E) and captions (B, K, E), got {tuple(image.shape)} and {tuple(captions.shape)}"
        )
    for name, mask, shape, boolean in (
        ("text_ids", text_ids, captions.shape[:2], False),
        ("scan_ids", scan_ids, image.shape[:1], False),
        ("valid", valid, captions.shape[:2], True),
    ):
        if mask is None:
            continue
        if mask.shape != shape:
            raise ValueError(f"{name} must have the shape {tuple(shape)}, got {tuple(mask.shape)}")
        if mask.is_floating_point() or (mask.dtype == torch.bool) != boolean:
            raise ValueError(f"{name} must be {'bool' if boolean else 'whole numbers'}, got {mask.dtype}")


def _check_parts(captions: Tensor, said: Tensor | None, parts: OrganParts | None) -> None:
    """Raise ValueError for shapes that do not fit those of captions (b, K, E)."""
    reports, slots, size = captions.shape
    if said is not None and (said.dim() != 2 or len(said) != reports or said.is_floating_point()):
        raise ValueError(f"said must be whole numbers ({reports}, M), got {said.dtype} {tuple(said.shape)}")
    if parts is None:
        return
    count = parts.images.shape[1]
    for name, tensor, shape in (
        ("images", parts.images, (reports, count, size)),
        ("of_caption", parts.of_caption, (reports, slots)),
        ("normal", parts.normal, (reports, slots)),
        ("unremarkable", parts.unremarkable, (reports, count)),
    ):
        if tensor.shape != shape:
            raise ValueError(f"{name} of the parts must have the shape {shape}, got {tuple(tensor.shape)}")
