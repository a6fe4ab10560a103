"""The connector's first steps, on voxels of a few volumes whose features are worked out once.

Image encoder and decoder come pretrained, the connector knows nothing yet. As long as it is the only one that has to
learn, no volume needs to go through the network again: thousands of cheap steps on stored features come first, and the
decoder joins in afterwards. Shapes: B volumes, P prompts, N sampled voxels of a volume, C channels of a level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from curation.runtime.progress import Progress
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits
from train.config import Segmenting
from train.data.crops import Patches
from train.data.training_set import Place
from train.loop.engine import Engine
from train.losses.segmentation import SMOOTH, presence_loss, resized
from train.order import random

from .step_prompts import Asked

# Patches that are stored.
VOLUMES = 48
# Voxels of each level that are kept of a volume: of each structure so many, and so many of all.
OF_EACH, OF_ALL = 48, 2048
TOGETHER = 3


@dataclass(frozen=True)
class Level:
    """Sampled voxels of one decoder level of a volume: `features` (C, N), label ids (N,), how many each stands for."""

    features: Tensor
    labels: Tensor
    weight: Tensor


@dataclass(frozen=True)
class Sampled:
    """One volume: its levels, its bottleneck (1, C, d, h, w), all label ids in it, and which case it is of."""

    levels: tuple[Level, ...]
    bottleneck: Tensor
    present: Tensor
    place: Place


def warm_up(
    model: TextSegmenter,
    patches: Patches,
    asked: Callable[[int], Asked],
    engine: Engine,
    learning_rate: float,
    options: Segmenting,
    progress: Progress,
) -> None:
    """Trains the connector alone for `options.connector_steps`; every process does the same."""
    steps = options.connector_steps
    progress.message(f"the connector alone, {steps:,} steps on stored features")
    # Of few volumes many patches: what no patch shows would be learned to be nowhere.
    sampled = [_sampled(model, patches, number, engine) for number in range(VOLUMES)]
    progress.start(steps, 0)
    optimizer = AdamW(model.connector.parameters(), lr=learning_rate)
    for step in range(steps):
        progress.raise_if_interrupted()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * min((step + 1) / 50, 1.0) * (1 - 0.9 * step / steps)
        chosen = random((patches.order.seed, 6, step)).permutation(len(sampled))[:TOGETHER]
        prompts = asked(step)
        loss = torch.stack(
            [_loss(model, patches, sampled[place], prompts, engine.device, options) for place in chosen]
        ).mean()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.connector.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        progress.advance()


@torch.no_grad()
def _sampled(model: TextSegmenter, patches: Patches, number: int, engine: Engine) -> Sampled:
    sample = patches[number]
    with engine.autocast():
        features = model.image_features(sample.volume[None].to(engine.device), levels=model.levels)
    generator = torch.Generator().manual_seed(number)
    labels = sample.labels.to(engine.device)
    ignored = patches.data.sources[sample.place.source].dataset.ignored
    levels = [
        _level(level[0].float(), resized(labels[None, None], level)[0, 0], ignored, generator)
        for level in features.levels
    ]
    return Sampled(tuple(levels), features.bottleneck.float(), torch.unique(labels).long().cpu(), sample.place)


def _level(features: Tensor, labels: Tensor, ignored: Sequence[int], generator: torch.Generator) -> Level:
    """Some voxels of each structure and some of all but the `ignored`; each stands for as many as it was drawn from."""
    flat, count = labels.flatten().long(), labels.numel()
    places, weights = [flat.new_zeros(0)], [features.new_zeros(0)]
    for label, size in zip(*torch.unique(flat, return_counts=True), strict=True):
        if int(label) in ignored:
            continue
        own = (flat == label).nonzero()[:, 0]
        wanted = min(int(size), max(OF_EACH, round(OF_ALL * int(size) / count)))
        drawn = own[torch.randperm(len(own), generator=generator)[:wanted].to(own.device)]
        places.append(drawn)
        weights.append(torch.full((len(drawn),), int(size) / len(drawn), device=flat.device))
    where = torch.cat(places)
    return Level(features.flatten(1)[:, where], flat[where], torch.cat(weights))


def _loss(
    model: TextSegmenter,
    patches: Patches,
    sampled: Sampled,
    asked: Asked,
    device: torch.device,
    options: Segmenting,
) -> Tensor:
    """Soft Dice, BCE and what is missed as in train/losses/segmentation.py, each voxel counted as often as it stands
    for.
    """
    labelled = patches.data.labelled(sampled.place)
    known = torch.tensor([set(each) <= labelled for each in asked.structures], device=device)
    if not known.any():
        return torch.zeros((), device=device)
    table = patches.data.members(sampled.place.source, asked.structures)
    *queries, presence = model.queries(asked.embeddings.to(device), sampled.bottleneck)
    logits = [query.logits(level.features[None]) for query, level in zip(queries, sampled.levels, strict=True)]
    losses = [
        0.5**place * _weighted(each[0], table.to(device)[level.labels].T, level.weight, known, options.rescue_weight)
        for place, (each, level) in enumerate(zip(logits, sampled.levels, strict=True))
    ]
    there = table[sampled.present].any(dim=0).to(device)
    finest = sampled.levels[0]
    found = presence_logits(presence, MaskStatistics.of(logits[0], finest.features[None], finest.weight))
    judged = presence_loss(found, there[None], known[None])
    masks = torch.stack(losses).sum() / sum(0.5**place for place in range(len(losses)))
    return masks + options.presence_weight * judged


def _weighted(logits: Tensor, target: Tensor, weight: Tensor, known: Tensor, rescue: float) -> Tensor:
    """Logits and targets (P, N), `weight` (N,), `known` (P,)."""
    logits, truth = logits[known], target[known].to(logits.dtype)
    probability = logits.sigmoid()
    overlap = (probability * truth * weight).sum(1)
    dice = (2 * overlap + SMOOTH) / ((probability + truth) * weight).sum(1).add(SMOOTH)
    bce = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    share = truth * weight / (truth * weight).sum(1, keepdim=True).clamp(min=1)
    found = (probability.detach() * share).sum(1)
    missed = (1 - 2 * found).clamp(min=0) * (bce * share).sum(1)
    return (1 - dice + (bce * weight).sum(1) / weight.sum() + rescue * missed).mean()


def pretrained(model: TextSegmenter) -> bool:
    """Whether the decoder has learned structures already: then its features are worth storing."""
    return model.image.num_classes is not None
