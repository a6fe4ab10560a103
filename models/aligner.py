"""Volumes and texts in one embedding space: what the second stage trains.

Shapes: B volumes or texts, C channels of the bottleneck, E embedding.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from .freezing import Members, Part, Staged
from .logit_scale import INITIAL_LOG_SCALE
from .stunet import STUNet
from .text import TextEncoder

Pooling = Literal["mean", "max", "mean_max"]


class Aligner(Staged):
    """The image encoder, what projects its pooled bottleneck to E, the text encoder, and the logit scale.

    The mean over the bottleneck tells volumes hardly apart before training, the maximum does better: `pooling` is a
    choice.
    """

    def __init__(self, image: STUNet, text: TextEncoder, *, pooling: Pooling = "mean_max") -> None:
        super().__init__()
        if pooling not in get_args(Pooling):
            raise ValueError(f"pooling is one of {', '.join(get_args(Pooling))}, not {pooling!r}")
        self.image, self.text, self.pooling = image, text, pooling
        pooled = image.architecture.dims[-1] * (2 if pooling == "mean_max" else 1)
        self.projection = nn.Sequential(nn.LayerNorm(pooled), nn.Linear(pooled, text.embedding_dim))
        self.log_scale = Parameter(torch.tensor(INITIAL_LOG_SCALE))

    def parts(self) -> dict[Part, Members]:
        """The image's decoder and heads take no part in the alignment."""
        return self.image.parts() | {"text": [self.text], "projection": [self.projection, self.log_scale]}

    def pool(self, volume: Tensor) -> Tensor:
        """(B, 1, D, H, W) to the pooled bottleneck (B, C) or (B, 2 C), float32: with a frozen encoder worth caching."""
        bottleneck = self.image.encode(volume)[-1].flatten(2).float()
        mean, most = bottleneck.mean(dim=2), bottleneck.amax(dim=2)
        return {"mean": mean, "max": most, "mean_max": torch.cat((mean, most), dim=1)}[self.pooling]

    def embed_pooled(self, pooled: Tensor) -> Tensor:
        """What `pool` gave, to embeddings (B, E) of length 1."""
        return functional.normalize(self.projection(pooled).float(), dim=-1)

    def forward(self, pooled: Tensor, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Pooled volumes (B, C) and any number N of texts, to their embeddings (B, E) and (N, E), with gradients."""
        return self.embed_pooled(pooled), self.text.embed(texts)
