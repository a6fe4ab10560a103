"""Does a volume find its report among others, and a report its volume? Shapes: N volumes and reports, E embedding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

AT = (1, 5, 10)


def retrieval(volumes: Tensor, reports: Tensor, texts: Sequence[str]) -> dict[str, float]:
    """R@1, R@5 and R@10 both ways, the median rank, and what chance gives at 1; embeddings (N, E) of length 1.

    Equal texts are one report: each of them counts as the right one. A tie counts as lost.
    """
    number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    group = torch.tensor([number[text] for text in texts])
    right = group[:, None] == group[None]
    similar = (volumes.double() @ reports.double().T).cpu()
    found: dict[str, float] = {}
    for name, scores, own in (("volume_to_report", similar, right), ("report_to_volume", similar.T, right.T)):
        ranks = _ranks(scores, own)
        found |= {f"{name}_r@{at}": float((ranks < at).double().mean()) for at in AT}
        found[f"{name}_median_rank"] = float(ranks.double().median()) + 1
    return found | {"chance_r@1": float(right.double().mean())}


def _ranks(scores: Tensor, right: Tensor) -> Tensor:
    """(N,) how many wrong ones score at least as high as the best right one."""
    best = scores.masked_fill(~right, -torch.inf).amax(dim=1, keepdim=True)
    return ((scores >= best) & ~right).sum(dim=1)
