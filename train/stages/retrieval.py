"""Retrieval while training: how far up the list of most similar reports a volume's own is, and the other way round.

Shapes: N pairs of a volume and its report, V views of a volume (the whole, then its parts by organ), K captions of a
report, E embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# The k of R@k.
MOST_SIMILAR = (1, 5, 10)
# What the captions of a report weigh beside the report in `similarities`, all of them together.
CAPTIONS_WEIGHT = 2.0


class EmbeddedPair(NamedTuple):
    """A volume (V, E), its report (E,) with its text, and its captions (K, E), each with the view that it is about."""

    volume: Tensor
    report: Tensor
    text: str
    captions: Tensor
    views: tuple[int, ...]


def retrieval_of(pairs: Sequence[EmbeddedPair]) -> dict[str, float]:
    """Return the measures of `retrieval` by the reports alone, and `with_captions_…` by reports and captions."""
    texts = [pair.text for pair in pairs]
    by_report = (
        torch.stack([pair.volume[0] for pair in pairs]).double()
        @ torch.stack([pair.report for pair in pairs]).double().T
    )
    both = by_report + CAPTIONS_WEIGHT * caption_similarity(pairs)
    with_captions = {f"with_captions_{name}": value for name, value in retrieval(both, texts).items()}
    return retrieval(by_report, texts) | {name: with_captions[name] for name in with_captions if "chance" not in name}


def caption_similarity(pairs: Sequence[EmbeddedPair]) -> Tensor:
    """Return how similar each volume is to the captions of each report, (N, N): the mean over the captions.

    A caption meets the part of the volume that shows its organ. A report without captions has 0.
    """
    volumes = torch.stack([pair.volume for pair in pairs]).double()
    columns = [
        torch.einsum("nke,ke->nk", volumes[:, list(pair.views)], pair.captions.double()).mean(dim=1)
        if pair.views
        else volumes.new_zeros(len(pairs))
        for pair in pairs
    ]
    return torch.stack(columns, dim=1)


def retrieval(similarity: Tensor, texts: Sequence[str]) -> dict[str, float]:
    """Return R@1, R@5 and R@10 both ways, the median rank, and what chance gives at 1.

    `similarity` (N, N) of each volume to each report; the diagonal is that of pairs. Equal texts are one report: each
    of them counts as the right one. A tie counts as lost.
    """
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    groups = torch.tensor([numbers[text] for text in texts])
    right = groups[:, None] == groups[None]
    similarity = similarity.double().cpu()
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
