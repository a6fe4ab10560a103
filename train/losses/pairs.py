"""Which captions meet which images in a contrastive loss, over all ranks: positives, negatives and neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from .gather import gather_ids, rank_and_size


@dataclass(frozen=True, eq=False)
class OrganParts:
    """What captions are held against organ by organ: V parts of each image. Shapes as in `train.losses.contrastive`."""

    images: Tensor
    """(B, V, E) embeddings of length 1; part 0, 1, … is of the same organ in all images."""
    of_caption: Tensor
    """(B, K) whole numbers: the part that a caption is held against."""
    normal: Tensor
    """(B, K) bool: the caption says that its organ is normal."""
    unremarkable: Tensor
    """(B, V) bool: nothing is said of the part that is not normal, so normal captions of it are no negatives."""


@dataclass(frozen=True, eq=False)
class ContrastivePairs:
    """Which captions of this rank (b·K, report by report) meet which images of the whole batch (B).

    They meet in G = S·V softmaxes: S is one for each of the K granularities, or one for all; in each, captions of one
    part of the images stand by themselves (softmax = granularity · V + part). Without `OrganParts` V is 1.
    """

    parts: int
    """V."""
    softmax: Tensor
    """(b·K,) number of the softmax that a caption belongs to; −1 where there is no such caption."""
    own_image: Tensor
    """(b·K,) index of the caption's own image, of B."""
    images: Tensor
    """(S, B) bool: the images that have a place in each softmax."""
    exists: Tensor
    """(B, K) bool: which captions there are."""
    targets: Tensor
    """(B, K): how many captions an image has in the same part, of all granularities together; 0 where there is none."""
    texts: tuple[Tensor, Tensor] | None
    """Text ids of this rank's captions (b·K,) and of all that is said of each image (B, M); −1 where there is none."""
    scans: tuple[Tensor, Tensor] | None
    """Scan ids of this rank's captions (b·K,) and of all images (B,)."""
    normal: tuple[Tensor, Tensor] | None
    """Which of this rank's captions are normal (b·K,), and of which images all of a part is (B, V)."""

    def chunks(self, size: int) -> Iterator[tuple[int, Tensor]]:
        """Yield the number of a softmax and at most ``size`` of its captions, as indices into b·K."""
        for softmax in torch.unique(self.softmax[self.softmax >= 0]).tolist():
            captions = (self.softmax == softmax).nonzero().squeeze(1)
            for start in range(0, len(captions), size):
                yield softmax, captions[start : start + size]

    def left_out(self, softmax: int, captions: Tensor) -> Tensor:
        """Return (n, B) bool: the images that are neither positive nor negative for n captions (indices into b·K).

        These are images outside the softmax, other images of the caption's scan, images of which the caption's text is
        said, and for a normal caption those whose part is normal too. A caption's own image is never left out.
        """
        granularity, part = divmod(softmax, self.parts)
        out = ~self.images[granularity].expand(len(captions), -1)
        if self.texts is not None:
            of_rank, of_all = self.texts
            out |= _said(of_rank[captions], of_all)
        if self.scans is not None:
            out |= self.scans[0][captions, None] == self.scans[1]
        if self.normal is not None:
            out |= self.normal[0][captions, None] & self.normal[1][:, part]
        return out.scatter_(1, self.own_image[captions, None], False)


def _said(texts: Tensor, of_images: Tensor) -> Tensor:
    """Return (n, B) bool: which of texts (n,) are among those of each image (B, M), of which −1 is none."""
    wanted, place = torch.unique(texts, return_inverse=True)
    found = torch.searchsorted(wanted, of_images).clamp_(max=len(wanted) - 1)
    image, column = ((wanted[found] == of_images) & (of_images >= 0)).nonzero(as_tuple=True)
    said = torch.zeros(len(wanted), len(of_images), dtype=torch.bool, device=texts.device)
    said[found[image, column], image] = True
    return said[place]


def pair_up(
    valid: Tensor,
    text_ids: Tensor | None,
    scan_ids: Tensor | None,
    *,
    said: Tensor | None = None,
    parts: OrganParts | None = None,
    joint: bool = False,
    group: dist.ProcessGroup | None = None,
) -> ContrastivePairs:
    """Pair this rank's captions with the images of all ranks, which are told each other's masks and ids.

    ``valid`` (b, K) bool, ``text_ids`` (b, K), ``scan_ids`` (b,), ``said`` (b, M). With ``joint`` all captions share
    one softmax, else each granularity has its own.
    """
    reports, slots = valid.shape
    no_ids = torch.zeros_like(valid, dtype=torch.long)
    texts = no_ids if text_ids is None else text_ids
    scans = no_ids[:, 0] if scan_ids is None else scan_ids
    # One collective for all.
    columns = [valid, texts, scans[:, None]]
    columns += [] if parts is None else [parts.of_caption, parts.unremarkable]
    columns += [] if said is None else [said]
    gathered = gather_ids(torch.cat([column.long() for column in columns], dim=1), group)
    exists, texts, scans, *more = torch.split(gathered, [column.shape[1] for column in columns], dim=1)
    exists, scans = exists.bool(), scans[:, 0]
    part = torch.zeros_like(texts) if parts is None else more[0]
    texts, said_ids = _counted(texts, exists, None if said is None else more[-1])
    slot = torch.arange(slots, device=valid.device).expand(reports, -1)
    report = torch.arange(reports, device=valid.device) + rank_and_size(group)[0] * reports
    own_image = report.repeat_interleave(slots)
    count = 1 if parts is None else parts.images.shape[1]
    softmax = (torch.zeros_like(slot) if joint else slot) * count + part[report]
    together = (part[:, :, None] == part[:, None, :]) & exists[:, None, :]
    return ContrastivePairs(
        parts=count,
        softmax=torch.where(valid, softmax, -1).flatten(),
        own_image=own_image,
        images=exists.any(1)[None] if joint else exists.T,
        exists=exists,
        targets=together.sum(2).masked_fill(~exists, 0),
        texts=None if text_ids is None else (texts[report].flatten(), said_ids),
        scans=None if scan_ids is None else (scans[own_image], scans),
        normal=None if parts is None else (parts.normal.flatten(), more[1].bool()),
    )


def _counted(texts: Tensor, exists: Tensor, said: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return ids of captions (B, K) and of what is said of images (B, M), counted from 0 so that −1 is nobody's."""
    if said is None:
        texts = torch.unique(texts, return_inverse=True)[1].masked_fill(~exists, -1)
        return texts, texts
    numbers = torch.unique(torch.cat([texts, said], dim=1), return_inverse=True)[1]
    texts, counted = torch.split(numbers, [texts.shape[1], said.shape[1]], dim=1)
    return texts.masked_fill(~exists, -1), counted.masked_fill(said < 0, -1)
