"""Presence, learned once more after the last step: from what the final masks hold of many patches.

A training step shows the connector's presence head a few masks that still change. Here the network is run over many
patches once, without gradients, the evidence of each prompt's mask is kept (a few dozen numbers), and the head alone
learns from it, in thousands of cheap steps.

Few patients have lost a kidney, so that few patches show what a mask holds where its structure is absent. Each mask
whose structure is there gives a second sample: what is left of it outside of the structure and its rim. That is what
the prompt finds in a body without the structure, and it counts as absent.

Shapes: N patches, P prompts of each, C numbers of evidence, E embedding, D H W voxels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW

from curation.runtime.progress import Progress
from models.segmenter import MaskStatistics, TextSegmenter, presence_from_evidence
from train.data.crops import Patches, collate_patches
from train.loop.engine import TrainingEngine
from train.losses.mask_losses import OUTSIDE
from train.order import random
from train.prompting.patch_content import contents_of, joined
from train.prompting.prompt_sampler import PromptSampler

from .prompt_targets import known_masks, presence_is_decided, target_masks

# How the presence head learns here, whatever the run's settings are: AdamW from this rate down to 0 in a line.
PRESENCE_STEPS = 1000
PRESENCE_LEARNING_RATE = 0.003
PRESENCE_WEIGHT_DECAY = 0.1
# Prompts of one step, drawn from those of all patches.
PRESENCE_BATCH = 512


class PresenceSamples(NamedTuple):
    """Prompts of N patches: `embeddings` (N, P, E), the `evidence` of their masks (N, P, C), and (N, P) bool whether
    each is `present` and whether that is `decided`. Each patch gives two rows, see the module.
    """

    embeddings: Tensor
    evidence: Tensor
    present: Tensor
    decided: Tensor

    def empty(self, patches: int, prompts: int) -> PresenceSamples:
        """Return room for so many patches as this one, of shapes (P, ...), is, each of up to so many prompts.

        Nothing in it is decided.
        Kept apart, small results would lie scattered between the large tensors of each patch, and a process that keeps
        freed memory would grow and grow.
        """
        return PresenceSamples(*(tensor.new_zeros((patches, prompts, *tensor.shape[1:])) for tensor in self))


@torch.no_grad()
def collect_presence(
    model: TextSegmenter,
    patches: Patches,
    sampler: PromptSampler,
    count: int,
    engine: TrainingEngine,
    progress: Progress,
) -> PresenceSamples:
    """Run the network over the first `count` patches; every process does the same. Raises Interrupted."""
    samples: PresenceSamples | None = None
    for number in range(count):
        progress.raise_if_interrupted()
        part = collate_patches([patches[number]])
        prompts = sampler.draw(number, joined(contents_of(patches.data, part)), presence=True)
        embeddings = prompts.embeddings.to(engine.device)
        with engine.autocast():
            features = model.image_features(part.volume.to(engine.device))
        finest = features.levels[0].float()
        query = model.queries(embeddings, features.bottleneck.float())[0]
        targets = target_masks(patches.data, part, prompts.structures, engine.device)
        labelled = known_masks(patches.data, part, prompts)[0].to(engine.device)
        of_patch = patch_samples(embeddings, query.logits(finest), finest, targets, labelled)
        for row, sample in enumerate(of_patch, len(of_patch) * number):
            samples = samples or sample.empty(len(of_patch) * count, sampler.options.prompts_per_step)
            for target, tensor in zip(samples, sample, strict=True):
                target[row, : len(tensor)] = tensor
    assert samples is not None
    return samples


@torch.no_grad()
def patch_samples(
    embeddings: Tensor, logits: Tensor, finest: Tensor, targets: Tensor, labelled: Tensor
) -> tuple[PresenceSamples, PresenceSamples]:
    """Return the samples (P, ...) of one patch: its masks, and what is left of those whose structure is there.

    Given embeddings (P, E), logits and targets (1, P, D, H, W), features (1, C, D, H, W), and `labelled` (P).
    """
    voxels = targets.flatten(2).sum(2)[0]
    there, decided = voxels > 0, labelled & presence_is_decided(voxels)
    outside = logits.masked_fill(_with_rim(targets), OUTSIDE)
    whole, left = (MaskStatistics.of(each, finest).evidence()[0] for each in (logits, outside))
    absent = torch.zeros_like(there)
    return (
        PresenceSamples(embeddings, whole, there, decided),
        PresenceSamples(embeddings, left, absent, decided & there),
    )


def _with_rim(masks: Tensor) -> Tensor:
    """Return masks (B, P, D, H, W), bool, with their 26 neighbours: features next to a structure still look like it.

    As `max_pool3d` of 3 voxels would, but in a small part of its time on a CPU.
    """
    for axis in (2, 3, 4):
        wider, inner = masks.clone(), masks.shape[axis] - 1
        wider.narrow(axis, 0, inner).logical_or_(masks.narrow(axis, 1, inner))
        wider.narrow(axis, 1, inner).logical_or_(masks.narrow(axis, 0, inner))
        masks = wider
    return masks


def fit_presence(model: TextSegmenter, samples: PresenceSamples, seed: int, progress: Progress) -> None:
    """Train the connector's presence head on these samples; nothing else of the model changes. Raises Interrupted."""
    head = model.connector.heads[-1]
    decided = samples.decided
    with torch.no_grad():
        hidden, evidence = model.connector.hidden_vectors(samples.embeddings[decided]), samples.evidence[decided]
    present = samples.present[decided].float()
    if not len(present):
        return
    optimizer = AdamW(head.parameters(), lr=PRESENCE_LEARNING_RATE, weight_decay=PRESENCE_WEIGHT_DECAY)
    for step in range(PRESENCE_STEPS):
        progress.raise_if_interrupted()
        for group in optimizer.param_groups:
            group["lr"] = PRESENCE_LEARNING_RATE * (1 - step / PRESENCE_STEPS)
        drawn = random((seed, 8, step)).integers(len(present), size=PRESENCE_BATCH)
        rows = torch.from_numpy(drawn).to(present.device)
        loss = _loss(head, hidden[rows], evidence[rows], present[rows])
        for parameter, gradient in zip(
            head.parameters(), torch.autograd.grad(loss, list(head.parameters())), strict=True
        ):
            parameter.grad = gradient
        optimizer.step()
    for parameter in head.parameters():
        parameter.grad = None


def _loss(head: nn.Module, hidden: Tensor, evidence: Tensor, present: Tensor) -> Tensor:
    """Return the cross-entropy of whether each prompt is present."""
    return functional.binary_cross_entropy_with_logits(presence_from_evidence(head(hidden), evidence), present)
