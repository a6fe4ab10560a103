"""The scores of a network's classes over a volume: a voxel belongs to the class with the highest one.

What is stored are the finest decoder features; the outputs are linear in them. So features are blended over windows and
interpolated to the scan's voxels once, and give the blended and interpolated logits of all classes, with memory that
grows with the features and not with 105 classes. nnU-Net (version 2) blends and interpolates these logits themselves.

Shapes: P prompts, p some of them, L classes, C feature channels, D H W voxels of the network's grid, N any number of
voxels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from curation.runtime.progress import Progress
from models.stunet import STUNet
from train.inference.logit_storage import allocate, store
from train.inference.logit_volume import LogitVolume, stored_logits
from train.inference.mask_volume import LOGITS_AT_ONCE, MaskVolume
from train.inference.windows import Windows, blended_slabs
from train.scans.grid import Grid

# Of two classes with equal scores the first has the voxel, which a difference of 0 would not say.
SMALLEST_MARGIN = 1e-6


@dataclass(frozen=True, eq=False)
class ClassScores(MaskVolume):
    """The scores of L classes; each of P prompts is the union of some of them.

    `stored` (C, D, H, W) holds features, `weight` (L, C) and `bias` (L) turn them into scores; `members` lists the
    numbers of each prompt's classes.
    """

    weight: Tensor
    bias: Tensor
    members: tuple[tuple[int, ...], ...]

    def logits(self, values: Tensor, prompts: Tensor) -> Tensor:
        """Return margins (p, N): how far a prompt's highest class is above all others, or below the highest."""
        members = [self.members[number] for number in prompts.tolist()]
        margins = torch.empty(len(members), values.shape[1])
        for start, scores in self._scores(values):
            margins[:, start : start + scores.shape[1]] = class_margins(scores, members)
        return margins

    def of_prompt(self, number: int) -> LogitVolume:
        """Return the logits of a prompt's probability: the sum of its classes' shares (softmax)."""

        def log_odds() -> Iterator[Tensor]:
            for values in self.stored_slabs(len(self.bias)):
                yield torch.cat([class_log_odds(scores, self.members[number]) for _, scores in self._scores(values)])[
                    None
                ]

        return LogitVolume(stored_logits(log_odds(), self.grid), torch.zeros(1), self.grid)

    def _scores(self, values: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield scores (L, n) of few voxels at a time, with the first of these."""
        step = LOGITS_AT_ONCE // len(self.bias) + 1
        for start in range(0, values.shape[1], step):
            yield start, torch.addmm(self.bias[:, None], self.weight, values[:, start : start + step])


def class_margins(scores: Tensor, members: Sequence[tuple[int, ...]]) -> Tensor:
    """Return margins (p, N) of prompts with these classes, from scores (L, N): above 0 where the highest is theirs."""
    highest, winner = scores.max(dim=0)
    margins = torch.empty(len(members), scores.shape[1])
    for row, numbers in enumerate(members):
        own = torch.zeros(len(scores), dtype=torch.bool)
        own[list(numbers)] = True
        margins[row] = scores[list(numbers)].amax(dim=0) - highest
        won = own[winner].nonzero()[:, 0]
        others = (~own).nonzero()
        margins[row, won] = (highest[won] - scores[others, won].amax(dim=0)).clamp(min=SMALLEST_MARGIN)
    return margins


def class_log_odds(scores: Tensor, numbers: Sequence[int]) -> Tensor:
    """Return the logits (N) of the softmax share that some classes have together, from scores (L, N)."""
    own = torch.zeros(len(scores), dtype=torch.bool)
    own[list(numbers)] = True
    return scores[own].logsumexp(dim=0) - scores[~own].logsumexp(dim=0)


def predict_class_scores(
    network: STUNet,
    volume: Tensor,
    grid: Grid,
    members: Sequence[tuple[int, ...]],
    windows: Windows,
    progress: Progress | None = None,
) -> ClassScores:
    """Run the network over a volume (1, D, H, W), intensities scaled, for prompts that are unions of its outputs.

    Raises LogitStorageError if the disk has no room.
    """

    def finest_features(window: Tensor) -> Tensor:
        return network.decode(network.encode(window))

    stored = allocate((network.feature_channels[0], *grid.shape))
    for start, features in blended_slabs(network, finest_features, volume, windows, progress):
        store(stored, start, features)
    head = network.seg_outputs[-1]
    assert isinstance(head, nn.Conv3d)
    weight = head.weight.detach().float().cpu().flatten(1).contiguous()
    bias = torch.zeros(len(weight)) if head.bias is None else head.bias.detach().float().cpu()
    return ClassScores(stored, None, grid, weight, bias, tuple(members))
