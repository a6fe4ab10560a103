"""The loss on opposites against a loop over captions."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from models.aligner import MAX_LOG_SCALE
from tests.train.losses.naive_contrastive import ContrastiveBatch, assert_same
from train.losses.alignment import alignment_loss
from train.losses.opposites import opposite_loss


def opposites_of(batch: ContrastiveBatch) -> Tensor:
    drawn = torch.randn(batch.captions.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    return functional.normalize(drawn, dim=-1).requires_grad_()


def naive(images: Tensor, batch: ContrastiveBatch, opposites: Tensor, of_caption: Tensor | None) -> Tensor:
    losses = []
    for report, slot in batch.valid.nonzero().tolist():
        image = images[report, 0 if of_caption is None else int(of_caption[report, slot])]
        scores = batch.log_scale.exp() * torch.stack(
            [batch.captions[report, slot] @ image, opposites[report, slot] @ image]
        )
        losses.append(-scores.log_softmax(dim=0)[0])
    return torch.stack(losses).mean()


def test_a_caption_against_its_opposite_is_a_softmax_of_two() -> None:
    batch = ContrastiveBatch(0)
    opposites = opposites_of(batch)
    inputs = (batch.captions, opposites, batch.log_scale)
    for images, part in ((batch.image[:, None], None), (batch.parts.images, batch.parts.of_caption)):
        ours = opposite_loss(images, batch.captions, opposites, batch.valid, batch.log_scale, of_caption=part)
        assert_same(ours, naive(images, batch, opposites, part), (images, *inputs) if part is not None else inputs)


def test_without_any_opposite_the_loss_is_a_zero_with_gradients() -> None:
    batch = ContrastiveBatch(0)
    none = torch.zeros_like(batch.valid)
    nothing = torch.full_like(batch.captions, math.nan)
    loss = opposite_loss(batch.image[:, None], batch.captions, nothing, none, batch.log_scale)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss == 0 and batch.captions.grad is not None and not batch.captions.grad.any()


def test_it_is_a_weighted_term_and_the_scale_is_held_at_100() -> None:
    batch = ContrastiveBatch(0)
    opposites, text = opposites_of(batch), batch.captions[:, 0]

    def terms(weight: float) -> tuple[Tensor, Tensor]:
        loss = alignment_loss(
            batch.image, text, batch.captions, batch.log_scale, parts=batch.parts, opposites=opposites,
            opposite_valid=batch.valid, opposite_weight=weight,
        )  # fmt: skip
        return loss.total, loss.opposite

    (without, unused), (total, opposite) = terms(0), terms(3)
    assert unused == 0 and opposite > 0
    torch.testing.assert_close(total, without + 3 * opposite)
    above, limit = (
        opposite_loss(batch.image[:, None], batch.captions, opposites, batch.valid, torch.tensor(value))
        for value in (MAX_LOG_SCALE + 2, MAX_LOG_SCALE)
    )
    assert above == limit
