"""The judgement of presence, learned once more when all else has been: from what the final masks hold of many patches.

A training step shows it a few masks that still change. Here the network is run over many patches once, without
gradients, what each prompt's mask holds is kept (a few dozen numbers), and only the connector's last head learns from
it, in thousands of cheap steps. Shapes: N patches, P prompts of each.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW

from curation.runtime.progress import Progress
from models.segmenter import TextSegmenter, judged_by
from train.order import random

STEPS = 1000
ROWS = 512
LEARNING_RATE = 0.003
WEIGHT_DECAY = 0.1


class Judged(NamedTuple):
    """Prompts of N patches: `embeddings` (N, P, E), the `evidence` of what their masks hold (N, P, C), whether each is
    `present`, and whether that is `decided`, (N, P) bool.
    """

    embeddings: Tensor
    evidence: Tensor
    present: Tensor
    decided: Tensor

    def room(self, patches: int) -> Judged:
        """For so many patches as this one, (P, ...), is. Kept apart, small results would lie scattered between the
        large tensors of each patch, and a process that keeps freed memory would grow and grow.
        """
        return Judged(*(each.new_empty((patches, *each.shape)) for each in self))


def fit_presence(model: TextSegmenter, judged: Judged, seed: int, progress: Progress) -> None:
    """Trains the last head of the connector on what was seen; nothing else moves."""
    head = model.connector.heads[-1]
    decided = judged.decided
    with torch.no_grad():
        hidden, evidence = model.connector.hidden_of(judged.embeddings[decided]), judged.evidence[decided]
    present = judged.present[decided].float()
    if not len(present):
        return
    optimizer = AdamW(head.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for step in range(STEPS):
        progress.raise_if_interrupted()
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 - step / STEPS)
        rows = torch.from_numpy(random((seed, 8, step)).integers(len(present), size=ROWS)).to(present.device)
        loss = _loss(head, hidden[rows], evidence[rows], present[rows])
        for parameter, gradient in zip(
            head.parameters(), torch.autograd.grad(loss, list(head.parameters())), strict=True
        ):
            parameter.grad = gradient
        optimizer.step()
    for parameter in head.parameters():
        parameter.grad = None


def _loss(head: nn.Module, hidden: Tensor, evidence: Tensor, present: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(judged_by(head(hidden), evidence), present)
