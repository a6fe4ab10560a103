"""The connector alone, before the first step: trained on voxels of a few volumes whose features are computed once.

Image encoder and decoder come pretrained, the connector knows nothing yet. As long as it is the only one that has to
learn, no volume needs to go through the network again: thousands of cheap steps on stored features come first, and the
decoder joins in afterwards. Shapes: P prompts, N sampled voxels of a volume, C channels of a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from curation.runtime.progress import Progress
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits
from train.config.options import Segmenting
from train.data.crops import Patches
from train.data.training_set import CaseRef, TrainingSet
from train.loop.engine import TrainingEngine
from train.losses.levels import level_weights, resized
from train.losses.mask_losses import SMOOTH, presence_loss
from train.order import random
from train.prompting.patch_content import PatchContent, content_of, joined
from train.prompting.prompt_sampler import PromptSampler, StepPrompts

# Patches that are stored, and how many of them one step sees. Of few volumes many patches: what no patch shows would be
# learned to be nowhere.
PATCHES, PATCHES_IN_STEP = 48, 3
# Voxels of each level that are kept of a volume: of each structure so many, and so many of all.
VOXELS_OF_STRUCTURE, VOXELS_OF_ALL = 48, 2048
# The connector's learning rate here: up to the run's `learning_rate` in these steps, while a line falls from the first
# step's rate to this share of it. AdamW otherwise as PyTorch has it, gradients no longer than `CLIP_NORM`.
RISING_STEPS = 50
FINAL_SHARE = 0.1
CLIP_NORM = 1.0


@dataclass(frozen=True)
class SampledLevel:
    """Sampled voxels of one decoder level of a volume: `features` (C, N), label ids (N,), how many each stands for."""

    features: Tensor
    labels: Tensor
    weight: Tensor


@dataclass(frozen=True)
class SampledVolume:
    """One volume: its levels, its bottleneck (1, C, d, h, w), all label ids in it, what it shows, and its case."""

    levels: tuple[SampledLevel, ...]
    bottleneck: Tensor
    present: Tensor
    content: PatchContent
    case_ref: CaseRef


def decoder_is_pretrained(model: TextSegmenter) -> bool:
    """Return whether the decoder has learned structures already: then its features are worth storing."""
    return model.image.num_classes is not None


def warm_up(
    model: TextSegmenter,
    patches: Patches,
    sampler: PromptSampler,
    engine: TrainingEngine,
    learning_rate: float,
    options: Segmenting,
    progress: Progress,
) -> None:
    """Train the connector alone for `options.connector_steps`; every process does the same. Raises Interrupted."""
    steps = options.connector_steps
    progress.message(f"the connector alone, {steps:,} steps on stored features")
    volumes = [sample_volume(model, patches, number, engine) for number in range(PATCHES)]
    progress.start(steps, 0)
    optimizer = AdamW(model.connector.parameters(), lr=learning_rate)
    for step in range(steps):
        progress.raise_if_interrupted()
        for group in optimizer.param_groups:
            group["lr"] = warm_up_rate(step, steps, learning_rate)
        chosen = random((patches.order.seed, 6, step)).permutation(len(volumes))[:PATCHES_IN_STEP]
        prompts = sampler.draw(step, joined([volumes[index].content for index in chosen]))
        losses = [volume_loss(model, patches.data, volumes[index], prompts, engine.device, options) for index in chosen]
        torch.autograd.backward(torch.stack(losses).mean())
        torch.nn.utils.clip_grad_norm_(model.connector.parameters(), CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad()
        progress.advance()


def warm_up_rate(step: int, steps: int, learning_rate: float) -> float:
    """Return the learning rate of step 0, 1, ... of so many."""
    return learning_rate * min((step + 1) / RISING_STEPS, 1.0) * (1 - (1 - FINAL_SHARE) * step / steps)


@torch.no_grad()
def sample_volume(model: TextSegmenter, patches: Patches, number: int, engine: TrainingEngine) -> SampledVolume:
    """Run the image side on a patch, by its number, and keep some voxels of it."""
    sample = patches[number]
    with engine.autocast():
        features = model.image_features(sample.volume[None].to(engine.device), levels=model.levels)
    generator = torch.Generator().manual_seed(number)
    labels = sample.labels.to(engine.device)
    ignored = patches.data.sources[sample.case_ref.source].dataset.ignored
    levels = [
        _sample_level(level[0].float(), resized(labels[None, None], level)[0, 0], ignored, generator)
        for level in features.levels
    ]
    content = content_of(patches.data, sample.labels, sample.case_ref)
    present = torch.unique(labels).long().cpu()
    return SampledVolume(tuple(levels), features.bottleneck.float(), present, content, sample.case_ref)


def _sample_level(features: Tensor, labels: Tensor, ignored: Sequence[int], generator: torch.Generator) -> SampledLevel:
    """Draw voxels of each structure and of all but the `ignored`; each stands for as many as it was drawn from.

    `features` (C, d, h, w), `labels` (d, h, w).
    """
    flat, count = labels.flatten().long(), labels.numel()
    drawn, weights = [flat.new_zeros(0)], [features.new_zeros(0)]
    for label, size in zip(*torch.unique(flat, return_counts=True), strict=True):
        if int(label) in ignored:
            continue
        voxels = (flat == label).nonzero()[:, 0]
        number = min(int(size), max(VOXELS_OF_STRUCTURE, round(VOXELS_OF_ALL * int(size) / count)))
        chosen = voxels[torch.randperm(len(voxels), generator=generator)[:number].to(voxels.device)]
        drawn.append(chosen)
        weights.append(torch.full((len(chosen),), int(size) / len(chosen), device=flat.device))
    indices = torch.cat(drawn)
    return SampledLevel(features.flatten(1)[:, indices], flat[indices], torch.cat(weights))


def volume_loss(
    model: TextSegmenter,
    data: TrainingSet,
    volume: SampledVolume,
    prompts: StepPrompts,
    device: torch.device,
    options: Segmenting,
) -> Tensor:
    """Return the loss of a step (train/stages/segment.py) on sampled voxels: of masks at each level, and of presence.

    0 where none of the prompts' masks is known in the volume.
    """
    labelled = torch.tensor(prompts.known_in(volume.content), device=device)
    if not labelled.any():
        return torch.zeros((), device=device)
    table = data.label_membership(volume.case_ref.source, prompts.structures)
    *queries, presence = model.queries(prompts.embeddings.to(device), volume.bottleneck)
    logits = [query.logits(level.features[None]) for query, level in zip(queries, volume.levels, strict=True)]
    weights = level_weights(len(logits))
    losses = [
        weight * _level_loss(level_logits[0], table.to(device)[level.labels].T, level.weight, labelled, options)
        for weight, level_logits, level in zip(weights, logits, volume.levels, strict=True)
    ]
    present = table[volume.present].any(dim=0).to(device)
    finest = volume.levels[0]
    statistics = MaskStatistics.of(logits[0], finest.features[None], finest.weight)
    presence_term = presence_loss(presence_logits(presence, statistics), present[None], labelled[None])
    mask_term = torch.stack(losses).sum() / sum(weights)
    return mask_term + options.presence_weight * presence_term


def _level_loss(logits: Tensor, target: Tensor, weight: Tensor, labelled: Tensor, options: Segmenting) -> Tensor:
    """Return soft Dice, BCE and what is missed, as in train/losses/mask_losses.py, over sampled voxels.

    Logits and targets (P, N); `weight` (N,) is how many voxels each counts for; `labelled` (P,).
    """
    logits, truth = logits[labelled], target[labelled].to(logits.dtype)
    probability = logits.sigmoid()
    overlap = (probability * truth * weight).sum(1)
    dice = (2 * overlap + SMOOTH) / ((probability + truth) * weight).sum(1).add(SMOOTH)
    bce = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    share = truth * weight / (truth * weight).sum(1, keepdim=True).clamp(min=1)
    recall = (probability.detach() * share).sum(1)
    missed = (1 - 2 * recall).clamp(min=0) * (bce * share).sum(1)
    return (1 - dice + (bce * weight).sum(1) / weight.sum() + options.missed_structure_weight * missed).mean()
