"""The judgement of presence, learned once more when all else has been: from what the final masks hold of many patches.

A training step shows it a few masks that still change. Here the network is run over many patches once, without
gradients, what each prompt's mask holds is kept (a few dozen numbers), and only the connector's last head learns from
it, in thousands of cheap steps. Shapes: R rows, one for each prompt of each patch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW

from curation.progress import Watch
from models.connectors import Queries
from models.segmenter import Held, TextSegmenter

from .order import random

STEPS = 1000
ROWS = 512
LEARNING_RATE = 0.003
WEIGHT_DECAY = 0.1


class Judged(NamedTuple):
    """Prompts of one patch: `embeddings` (P, E), what their masks `held`, whether each is `present`, and whether that
    is `decided`, (P) bool.
    """

    embeddings: Tensor
    held: Held
    present: Tensor
    decided: Tensor


def fit_presence(model: TextSegmenter, patches: Sequence[Judged], seed: int, watch: Watch) -> None:
    """Trains the last head of the connector on what was seen; nothing else moves."""
    head = model.connector.heads[-1]
    with torch.no_grad():
        hidden, evidence, present = (torch.cat(each) for each in zip(*_rows(model, patches), strict=True))
    if not len(present):
        return
    optimizer = AdamW(head.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for step in range(STEPS):
        watch.check()
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


def _rows(model: TextSegmenter, patches: Sequence[Judged]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    for patch in patches:
        evidence = patch.held.evidence()[0]
        hidden = model.connector.hidden_of(patch.embeddings)
        yield hidden[patch.decided], evidence[patch.decided], patch.present[patch.decided].float()


def _loss(head: nn.Module, hidden: Tensor, evidence: Tensor, present: Tensor) -> Tensor:
    queries: Queries = head(hidden)
    logits = queries.scale * (queries.vectors * evidence).sum(dim=-1) + queries.bias
    return functional.binary_cross_entropy_with_logits(logits, present)
