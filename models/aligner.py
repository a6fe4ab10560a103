"""Volumes and texts in one embedding space: what the second stage trains.

Shapes: B volumes or texts, W windows, C length of a pooled volume, V parts of a volume by organ, E embedding, D H W
voxels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from .freezing import Members, ModelPart, StagedModel
from .pooling import (
    Mgcl,
    OrganProjection,
    Pooling,
    Standardiser,
    combine_summaries,
    outlines,
    pooled_channels,
    summarise_windows,
)
from .stunet import STUNet
from .text import TextEncoder

# Logarithms of the factor on the cosine similarities: CLIP starts at 1 / 0.07 and clips at 100 (Radford et al. 2021,
# "Learning Transferable Visual Models From Natural Language Supervision", section 2.5).
INITIAL_LOG_SCALE = math.log(1 / 0.07)
MAX_LOG_SCALE = math.log(100)


class Aligner(StagedModel):
    """Embeds volumes and texts: the image encoder and the projection of its pooled volumes to E, and the text encoder.

    `log_scale` is the logarithm of the factor on their cosine similarities in the contrastive loss. With `mgcl` "organ"
    there is also a projection of the parts of a pooled volume that show an organ, `embed_organs`: a report is similar
    to the volume, a caption about an organ to that organ's part of it.
    """

    def __init__(
        self, image: STUNet, text: TextEncoder, *, pooling: Pooling = "mean_max", mgcl: Mgcl = "volume"
    ) -> None:
        super().__init__()
        if mgcl == "organ" and not outlines(pooling):
            raise ValueError(f"mgcl 'organ' takes the pooling 'structures_hu' or 'structures', not {pooling!r}")
        channels = pooled_channels(image, pooling)
        self.image, self.text, self.pooling = image, text, pooling
        self.standardised = Standardiser(channels)
        self.projection = nn.Linear(channels, text.embedding_dim)
        self.log_scale = Parameter(torch.tensor(INITIAL_LOG_SCALE))
        self.mgcl = mgcl
        self.organ_projection: OrganProjection | None = None
        if mgcl == "organ":
            assert image.num_classes is not None
            features = channels // image.num_classes
            self.organ_projection = OrganProjection(image.num_classes, features, text.embedding_dim)

    def parts(self) -> dict[ModelPart, Members]:
        """Return all parameters by part.

        Only pooling by structures makes use of the image's decoder and heads, and they never train here.
        """
        projection: Members = [self.standardised, self.projection, self.log_scale]
        if self.organ_projection is not None:
            projection = [*projection, self.organ_projection]
        return self.image.parts() | {"text": [self.text], "projection": projection}

    @property
    def reads_hounsfield(self) -> bool:
        """Whether volumes come with HU as their last channel, beside what the network takes."""
        return self.pooling == "structures_hu"

    def pool(self, volume: Tensor) -> Tensor:
        """Pool whole volumes (B, 1, D, H, W) to vectors (B, C), float32: with a frozen encoder worth caching.

        Where the model `reads_hounsfield` they are (B, 2, D, H, W); likewise in `summarise`.
        """
        return torch.stack([self.combine(summary[None]) for summary in self.summarise(volume)])

    def summarise(self, windows: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return what windows (W, 1, D, H, W) add to the vector of their volume; see `pooling.summarise_windows`."""
        return summarise_windows(self.image, self.pooling, windows, weight)

    def combine(self, summaries: Tensor) -> Tensor:
        """Return the vector (C,) of a volume from the summaries of all of its windows (W, S)."""
        return combine_summaries(self.pooling, summaries, self.image.num_classes)

    def embed_pooled(self, pooled: Tensor) -> Tensor:
        """Embed pooled volumes (B, C), as `pool` returns them: (B, E), float32, each of length 1."""
        return functional.normalize(self.projection(self.standardised(pooled)).float(), dim=-1)

    def embed_organs(self, pooled: Tensor, parts: Tensor) -> Tensor:
        """Embed parts (V, K) of pooled volumes (B, C), the classes that show an organ each: (B, V, E), float32.

        Raises ValueError where the model was not trained organ by organ.
        """
        if self.organ_projection is None:
            raise ValueError("this model has no parts by organ: it was aligned with --mgcl volume")
        embedded: Tensor = self.organ_projection(self.standardised(pooled), parts)
        return embedded

    def forward(self, pooled: Tensor, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Embed pooled volumes (B, C) and any number N of texts: (B, E) and (N, E), both with gradients."""
        return self.embed_pooled(pooled), self.text.embed(texts)
