"""Volumes and texts in one embedding space: what the second stage trains.

Shapes: B volumes or texts, C length of a pooled volume, E embedding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from .freezing import Members, Part, Staged
from .pooling import Pooling, Standardised, combined, pooled_channels, summary
from .stunet import STUNet
from .text import TextEncoder


class Aligner(Staged):
    """The image encoder, what projects its pooled volumes to E, the text encoder, and the logit scale."""

    def __init__(self, image: STUNet, text: TextEncoder, *, pooling: Pooling = "mean_max") -> None:
        super().__init__()
        channels = pooled_channels(image, pooling)
        self.image, self.text, self.pooling = image, text, pooling
        self.standardised = Standardised(channels)
        self.projection = nn.Linear(channels, text.embedding_dim)
        self.log_scale = Parameter(torch.tensor(INITIAL_LOG_SCALE))

    def parts(self) -> dict[Part, Members]:
        """Of the image's decoder and heads only pooling by structures makes use; they never train here."""
        projection: Members = [self.standardised, self.projection, self.log_scale]
        return self.image.parts() | {"text": [self.text], "projection": projection}

    def pool(self, volume: Tensor) -> Tensor:
        """(B, 1, D, H, W), each a whole volume, to vectors (B, C), float32: with a frozen encoder worth caching."""
        return torch.stack([self.combined(each[None]) for each in self.summary(volume)])

    def summary(self, windows: Tensor, weight: Tensor | None = None) -> Tensor:
        """What windows of one volume add to its vector; see `models.pooling.summary`."""
        return summary(self.image, self.pooling, windows, weight)

    def combined(self, summaries: Tensor) -> Tensor:
        """The vector (C,) of a volume from the summaries of its windows."""
        return combined(self.pooling, summaries, self.image.num_classes)

    def embed_pooled(self, pooled: Tensor) -> Tensor:
        """What `pool` gave, to embeddings (B, E) of length 1."""
        return functional.normalize(self.projection(self.standardised(pooled)).float(), dim=-1)

    def forward(self, pooled: Tensor, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Pooled volumes (B, C) and any number N of texts, to their embeddings (B, E) and (N, E), with gradients."""
        return self.embed_pooled(pooled), self.text.embed(texts)


INITIAL_LOG_SCALE = math.log(1 / 0.07)
MAX_LOG_SCALE = math.log(100)
