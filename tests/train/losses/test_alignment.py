"""The losses of stage 2 and their weights."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from models.aligner import INITIAL_LOG_SCALE
from tests.train.losses.naive_contrastive import ContrastiveBatch, assert_same, naive_clip, naive_mgcl
from train.losses.alignment import alignment_loss, clamp_log_scale_
from train.losses.contrastive import clip_loss, mgcl_loss


def test_the_parameter_is_set_back() -> None:
    for before, after in ((9.0, math.log(100)), (-1.0, 0.0), (INITIAL_LOG_SCALE, math.log(1 / 0.07))):
        log_scale = torch.nn.Parameter(torch.tensor(before))
        clamp_log_scale_(log_scale)
        assert log_scale.item() == pytest.approx(after) and log_scale.requires_grad


def test_alignment_is_the_weighted_sum() -> None:
    batch = ContrastiveBatch(0)
    masks = batch.masks()
    reports: dict[str, Any] = {"report_ids": batch.text_ids[:, 1], "report_valid": batch.valid[:, 1]}
    captions: dict[str, Any] = {"caption_ids": masks["text_ids"], "caption_valid": masks["valid"]}
    terms = alignment_loss(
        batch.image, batch.captions[:, 1], batch.captions, batch.log_scale, mgcl_variant="joint", weights=[1, 2, 3],
        report_weight=0.5, caption_weight=2, chunk=2, scan_ids=batch.scan_ids, **reports, **captions,
    )  # fmt: skip
    report = naive_clip(batch.image, batch.captions[:, 1], batch.log_scale, **batch.masks(1))
    caption = naive_mgcl(*batch.inputs, "joint", weights=[1, 2, 3], **masks)
    torch.testing.assert_close(terms.report, report)
    torch.testing.assert_close(terms.caption, caption)
    assert_same(terms.total, 0.5 * report + 2 * caption, batch.inputs)


def test_a_term_of_weight_0_is_not_computed() -> None:
    batch = ContrastiveBatch(0)
    text, unused = batch.captions[:, 0], torch.full((6, 5), math.nan, dtype=torch.float64)
    alone = alignment_loss(batch.image, text, unused[:, None], batch.log_scale, caption_weight=0)
    assert alone.caption == 0 and alone.total == alone.report == clip_loss(batch.image, text, batch.log_scale)
    alone = alignment_loss(batch.image, unused, batch.captions, batch.log_scale, report_weight=0)
    assert alone.report == 0 and alone.total == alone.caption == mgcl_loss(*batch.inputs)
    for weights in ((0, 0), (-1, 1)):
        with pytest.raises(ValueError, match="weights must be"):
            alignment_loss(
                batch.image, text, batch.captions, batch.log_scale, report_weight=weights[0], caption_weight=weights[1]
            )
