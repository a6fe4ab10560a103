"""The loss on opposites: a caption is more similar to its own image than the caption that says the opposite.

Opposite sentences as hard negatives are after COLIPRI (Wald et al. 2025, arXiv 2510.15042). Shapes: b reports on this
rank, K captions of each, V parts of an image, E embedding; embeddings come in L2-normalised.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional

from models.aligner import MAX_LOG_SCALE

from .gather import gather_ids, rank_and_size
from .similarity import full_precision


def opposite_loss(
    images: Tensor,
    captions: Tensor,
    opposites: Tensor,
    valid: Tensor,
    log_scale: Tensor,
    *,
    of_caption: Tensor | None = None,
    group: dist.ProcessGroup | None = None,
) -> Tensor:
    """Return the mean over captions that have an opposite of −log sigmoid(s · (caption − opposite) · image).

    ``images`` (b, V, E), ``captions`` and ``opposites`` (b, K, E), ``valid`` (b, K) bool; ``of_caption`` (b, K) is the
    part that a caption is held against, 0 without it. Over ranks it is what `mgcl_loss` is: a share times the number of
    ranks, whose mean is the loss of the whole batch. Without any opposite it is a 0 with gradients of 0.
    """
    dtype = torch.promote_types(torch.float32, torch.promote_types(images.dtype, captions.dtype))
    report, slot = valid.nonzero(as_tuple=True)
    part = torch.zeros_like(report) if of_caption is None else of_caption[report, slot]
    count = gather_ids(valid.sum().reshape(1), group).sum().clamp(min=1)
    with full_precision(captions):
        apart = (captions[report, slot] - opposites[report, slot]).to(dtype)
        margin = log_scale.to(dtype).clamp(max=MAX_LOG_SCALE).exp() * (apart * images[report, part].to(dtype)).sum(1)
        return rank_and_size(group)[1] * functional.softplus(-margin).sum() / count
