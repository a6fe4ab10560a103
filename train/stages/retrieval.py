"""Retrieval while training: how far up the list of most similar reports a volume's own is, and the other way round."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# The k of R@k.
MOST_SIMILAR = (1, 5, 10)


def retrieval(volumes: Tensor, reports: Tensor, texts: Sequence[str]) -> dict[str, float]:
    """Return R@1, R@5 and R@10 both ways, the median rank, and what chance gives at 1.

    `volumes` and `reports` are embeddings (N, E) of length 1, of the same pairs. Equal texts are one report: each of
    them counts as the right one. A tie counts as lost.
    """
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    groups = torch.tensor([numbers[text] for text in texts])
    right = groups[:, None] == groups[None]
    similarity = (volumes.double() @ reports.double().T).cpu()
    measures: dict[str, float] = {}
    for name, scores, answers in (("volume_to_report", similarity, right), ("report_to_volume", similarity.T, right.T)):
        ranks = _ranks(scores, answers)
        measures |= {f"{name}_r@{k}": float((ranks < k).double().mean()) for k in MOST_SIMILAR}
        measures[f"{name}_median_rank"] = float(ranks.double().median()) + 1
    return measures | {"chance_r@1": float(right.double().mean())}


def _ranks(scores: Tensor, right: Tensor) -> Tensor:
    """Return (N,): how many wrong answers score at least as high as the best right one."""
    best = scores.masked_fill(~right, -torch.inf).amax(dim=1, keepdim=True)
    return ((scores >= best) & ~right).sum(dim=1)
