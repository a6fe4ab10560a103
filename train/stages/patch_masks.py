"""The masks of many prompts in one patch, a few at a time: memory does not grow with how many are asked."""

from __future__ import annotations

import torch
from torch import Tensor

from models.segmenter import MaskStatistics, TextSegmenter, masks, presence_logits
from train.loop.engine import TrainingEngine

# About as many as a training step asks: then an evaluation takes no more memory than a step.
PROMPTS_AT_ONCE = 32


@torch.no_grad()
def patch_masks(model: TextSegmenter, volume: Tensor, embeddings: Tensor, engine: TrainingEngine) -> Tensor:
    """Return the masks (P, D, H, W), bool, of prompts with `embeddings` (P, E) in a patch `volume` (1, D, H, W)."""
    with engine.autocast():
        features = model.image_features(volume[None])
    finest = features.levels[0]
    found = torch.empty(len(embeddings), *volume.shape[1:], dtype=torch.bool, device=volume.device)
    for into, some in zip(torch.split(found, PROMPTS_AT_ONCE), torch.split(embeddings, PROMPTS_AT_ONCE), strict=True):
        with engine.autocast():
            query, *_, presence = model.queries(some, features.bottleneck)
            logits = query.logits(finest)
            present = presence_logits(presence, MaskStatistics.of(logits, finest))
        into.copy_(masks(logits.float(), present)[0])
    return found
