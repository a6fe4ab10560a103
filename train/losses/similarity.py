"""Similarities of captions with images, some rows at a time: no matrix of all pairs is kept, not even for backward.

A row is a caption of this rank, a column an image of the whole batch, by the part of it that the caption is held
against. b reports on this rank and B on all, K captions of each, G softmaxes and V parts as in `ContrastivePairs`, E
embedding.

The gradients are written out, because `torch.utils.checkpoint` over the same chunks needs two to three times the memory
and is slower.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .pairs import ContrastivePairs

# Stands for −∞ and is finite, because −∞ − (−∞) is NaN: where a whole row or column is left out, forward and backward.
LEFT_OUT = -1e30


def log_sum_exps(
    captions: Tensor, images: Tensor, scale: Tensor, pairs: ContrastivePairs, chunk: int
) -> tuple[Tensor, ...]:
    """Return what a softmax in both directions needs of s_ri = scale · caption_r · image_i: three small tensors.

    Takes captions (b·K, E), images (B, V, E) and scale (), all of one dtype. Returns (b·K,) log Σ_i exp s_ri over
    images; (G, B) log Σ_r exp s_ri over the captions *of this rank*; (b·K,) s_ri of each caption with its own image.
    Captions that are not there have 0 in the first and the last; where all is left out, a sum has about `LEFT_OUT`.

    Forward takes one product of matrices, backward takes it again and one more for each side that has a gradient.
    """
    sums: tuple[Tensor, ...] = _LogSumExps.apply(captions, images, scale, pairs, chunk)  # type: ignore[no-untyped-call]
    return sums


def full_precision(tensor: Tensor) -> torch.autocast:
    """Return a context without autocast on the tensor's device: a logit of 100 in bfloat16 is right to ±0.25."""
    return torch.autocast(tensor.device.type, enabled=False)


class _LogSumExps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, captions: Tensor, images: Tensor, scale: Tensor, pairs: ContrastivePairs, chunk: int
    ) -> tuple[Tensor, ...]:
        row, positive = captions.new_zeros(len(captions)), captions.new_zeros(len(captions))
        column = captions.new_full((len(pairs.images) * pairs.parts, len(images)), LEFT_OUT)
        with full_precision(captions):
            for softmax, rows in pairs.chunks(chunk):
                logits = _masked_logits(captions, images, scale, pairs, softmax, rows)
                row[rows] = logits.logsumexp(1)
                column[softmax] = torch.logaddexp(column[softmax], logits.logsumexp(0))
                # Of the same product as the sums, so that a perfect pair's loss is 0 and never below.
                positive[rows] = logits.gather(1, pairs.own_image[rows, None]).squeeze(1)
        ctx.save_for_backward(captions, images, scale, row, column)
        ctx.pairs, ctx.chunk = pairs, chunk
        return row, column, positive

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, row_grad: Tensor, column_grad: Tensor, positive_grad: Tensor) -> tuple[Tensor | None, ...]:
        captions, images, scale, row, column = ctx.saved_tensors
        gradients = _Gradients(captions, images, scale, ctx.needs_input_grad[1])
        with full_precision(captions):
            for softmax, rows in ctx.pairs.chunks(ctx.chunk):
                logits = _masked_logits(captions, images, scale, ctx.pairs, softmax, rows)
                pull = (logits - row[rows, None]).exp_().mul_(row_grad[rows, None])
                pull.addcmul_(logits.sub_(column[softmax]).exp_(), column_grad[softmax])
                pull.scatter_add_(1, ctx.pairs.own_image[rows, None], positive_grad[rows, None])
                gradients.add(rows, softmax % ctx.pairs.parts, pull)
        return gradients.captions, gradients.images, gradients.scale, None, None


class _Gradients:
    """Sums the gradients of captions, images and scale over chunks of rows."""

    def __init__(self, captions: Tensor, images: Tensor, scale: Tensor, image_grad: bool) -> None:
        self.inputs = captions, images, scale
        self.captions, self.scale = torch.zeros_like(captions), torch.zeros_like(scale)
        # With a frozen image encoder a third of backward's products falls away.
        self.images = torch.zeros_like(images) if image_grad else None

    def add(self, rows: Tensor, part: int, pull: Tensor) -> None:
        """Add what these rows give: ``pull`` (n, B) is the gradient of their logits with a part of the images."""
        captions, images, scale = self.inputs
        rows_captions = captions[rows]
        to_captions = pull @ images[:, part]
        self.scale += (to_captions * rows_captions).sum()
        self.captions[rows] = to_captions * scale
        if self.images is not None:
            self.images[:, part].addmm_(pull.T, rows_captions * scale)


def _masked_logits(
    captions: Tensor, images: Tensor, scale: Tensor, pairs: ContrastivePairs, softmax: int, rows: Tensor
) -> Tensor:
    """Return the similarities (n, B) of some captions with their part of all images; what is left out: `LEFT_OUT`."""
    logits = (captions[rows] * scale) @ images[:, softmax % pairs.parts].T
    return logits.masked_fill_(pairs.left_out(softmax, rows), LEFT_OUT)
