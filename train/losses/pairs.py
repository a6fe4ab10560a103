"""Which captions meet which images in a contrastive loss, over all ranks: positives, negatives and neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from .gather import gather_ids, rank_and_size


@dataclass(frozen=True, eq=False)
class ContrastivePairs:
    """Which captions of this rank (b·K, report by report) meet which images of the whole batch (B).

    They meet in G softmaxes: one for each of the K granularities, or one for all.
    """

    softmax: Tensor
    """(b·K,) number of the softmax that a caption belongs to; −1 where there is no such caption."""
    own_image: Tensor
    """(b·K,) index of the caption's own image, of B."""
    images: Tensor
    """(G, B) bool: the images that have a place in each softmax."""
    exists: Tensor
    """(B, K) bool: which captions there are."""
    texts: tuple[Tensor, Tensor] | None
    """Text ids of this rank's captions (b·K,) and of all (B, K); −1 where there is no such caption."""
    scans: tuple[Tensor, Tensor] | None
    """Scan ids of this rank's captions (b·K,) and of all images (B,)."""

    def chunks(self, size: int) -> Iterator[tuple[int, Tensor]]:
        """Yield the number of a softmax and at most ``size`` of its captions, as indices into b·K."""
        for softmax in range(len(self.images)):
            captions = (self.softmax == softmax).nonzero().squeeze(1)
            for start in range(0, len(captions), size):
                yield softmax, captions[start : start + size]

    def left_out(self, softmax: int, captions: Tensor) -> Tensor:
        """Return (n, B) bool: the images that are neither positive nor negative for n captions (indices into b·K).

        These are images outside the softmax, other images of the caption's scan, and images of which some caption, of
        whatever granularity, has the caption's text. A caption's own image is never left out.
        """
        out = ~self.images[softmax].expand(len(captions), -1)
        if self.texts is not None:
            of_rank, of_all = self.texts
            for slot in range(of_all.shape[1]):
                out |= of_rank[captions, None] == of_all[:, slot]
        if self.scans is not None:
            out |= self.scans[0][captions, None] == self.scans[1]
        return out.scatter_(1, self.own_image[captions, None], False)


def pair_up(
    valid: Tensor,
    text_ids: Tensor | None,
    scan_ids: Tensor | None,
    *,
    joint: bool = False,
    group: dist.ProcessGroup | None = None,
) -> ContrastivePairs:
    """Pair this rank's captions with the images of all ranks, which are told each other's masks and ids.

    ``valid`` (b, K) bool, ``text_ids`` (b, K), ``scan_ids`` (b,). With ``joint`` all captions share one softmax, else
    each granularity has its own.
    """
    reports, slots = valid.shape
    no_ids = torch.zeros_like(valid, dtype=torch.long)
    texts = no_ids if text_ids is None else text_ids
    scans = no_ids[:, 0] if scan_ids is None else scan_ids
    # One collective for all three, of the same width whatever is given.
    gathered = gather_ids(torch.cat([valid, texts, scans[:, None]], dim=1), group)
    exists, scans = gathered[:, :slots].bool(), gathered[:, -1]
    # Counted from 0, so that −1 is nobody's id.
    texts = torch.unique(gathered[:, slots:-1], return_inverse=True)[1].masked_fill(~exists, -1)
    slot = torch.arange(slots, device=valid.device).expand(reports, -1)
    report = torch.arange(reports, device=valid.device) + rank_and_size(group)[0] * reports
    own_image = report.repeat_interleave(slots)
    return ContrastivePairs(
        softmax=torch.where(valid, torch.zeros_like(slot) if joint else slot, -1).flatten(),
        own_image=own_image,
        images=exists.any(1)[None] if joint else exists.T,
        exists=exists,
        texts=None if text_ids is None else (texts[report].flatten(), texts),
        scans=None if scan_ids is None else (scans[own_image], scans),
    )
