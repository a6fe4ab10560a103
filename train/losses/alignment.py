"""The contrastive losses of stage 2 and their weights: CLIP on reports, MGCL on captions, captions and their opposites.

Shapes are those of train/losses/contrastive.py. A loss on the embeddings of the whole batch belongs
here: a term of `AlignmentTerms`, with a weight of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from models.aligner import MAX_LOG_SCALE

from .contrastive import CHUNK, MgclVariant, clip_loss, logit_dtype, mgcl_loss
from .opposites import opposite_loss
from .pairs import OrganParts


class AlignmentTerms(NamedTuple):
    """Terms of the loss: ``total`` is their weighted sum; a term of weight 0 is not computed and is 0."""

    total: Tensor
    report: Tensor
    caption: Tensor
    opposite: Tensor


def clamp_log_scale_(log_scale: Tensor) -> None:
    """Set the parameter back into [0, ln 100] after an optimizer step, as CLIP does (Radford et al. 2021, 2.5).

    The losses clamp as well, but only the value: the gradient passes, as if the limit were not there. Each needs the
    other. A parameter above the limit, from a checkpoint or a large step, would have no gradient under a plain clamp
    and never come back; and without this function it could drift so far above that coming back takes long.
    """
    with torch.no_grad():
        log_scale.clamp_(0, MAX_LOG_SCALE)


def alignment_loss(
    image: Tensor,
    report_text: Tensor,
    captions: Tensor,
    log_scale: Tensor,
    *,
    report_weight: float = 1.0,
    caption_weight: float = 1.0,
    opposite_weight: float = 0.0,
    report_ids: Tensor | None = None,
    report_valid: Tensor | None = None,
    caption_ids: Tensor | None = None,
    caption_valid: Tensor | None = None,
    scan_ids: Tensor | None = None,
    said: Tensor | None = None,
    parts: OrganParts | None = None,
    opposites: Tensor | None = None,
    opposite_valid: Tensor | None = None,
    mgcl_variant: MgclVariant = "mean",
    weights: Sequence[float] | None = None,
    group: dist.ProcessGroup | None = None,
    chunk: int = CHUNK,
) -> AlignmentTerms:
    """Return the weighted sum of `clip_loss` on whole reports, `mgcl_loss` on captions and `opposite_loss`.

    ``image`` and ``report_text`` (B, E), ``captions`` (B, K, E); ids and masks of the reports (B,), of the captions
    (B, K), ``scan_ids`` (B,) for both; ``said`` and ``parts`` of `mgcl_loss`. ``opposites`` (B, K, E), where
    ``opposite_valid`` (B, K) has one; captions meet them in ``parts``, else in ``image``. Raises ValueError also for
    weights below 0 and where those of reports and captions are both 0.
    """
    if min(report_weight, caption_weight, opposite_weight) < 0 or not report_weight + caption_weight > 0:
        raise ValueError(
            f"weights must be ≥ 0 and that of reports or captions > 0, got {report_weight}, {caption_weight} and "
            f"{opposite_weight}"
        )
    zero = log_scale.new_zeros((), dtype=logit_dtype(image, captions))
    report = caption = opposite = zero
    if report_weight:
        report = clip_loss(
            image, report_text, log_scale,
            text_ids=report_ids, scan_ids=scan_ids, valid=report_valid, group=group, chunk=chunk,
        )  # fmt: skip
    if caption_weight:
        caption = mgcl_loss(
            image, captions, log_scale, variant=mgcl_variant, text_ids=caption_ids, scan_ids=scan_ids,
            valid=caption_valid, said=said, parts=parts, weights=weights, group=group, chunk=chunk,
        )  # fmt: skip
    if opposite_weight and opposites is not None and opposite_valid is not None:
        images, of_caption = (image.unsqueeze(1), None) if parts is None else (parts.images, parts.of_caption)
        opposite = opposite_loss(
            images, captions, opposites, opposite_valid, log_scale, of_caption=of_caption, group=group
        )
    total = report_weight * report + caption_weight * caption + opposite_weight * opposite
    return AlignmentTerms(total, report, caption, opposite)
