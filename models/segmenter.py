"""Segments a volume by prompts: a mask is the finest decoder features times the query of its prompt.

Shapes: B batch, P prompts, C channels, E embedding, D H W voxels; s_i is the stride of decoder level i in voxels. The
image side runs once, whatever P is. With the `mlp` connector a query is the same for every part of a volume, and the
product is linear in the features: blending the features of overlapping windows and multiplying once gives the logits
that blending P of them would give, with memory that grows with C and not with P.

Whether a structure is there at all (presence) is read from the features inside its own mask: a kidney that was made up
where bowel lies looks like bowel, and a scrap at the edge of the scan is small and unsure. A prompt that is far from
every word that the connector was trained on names nothing that it could find, whatever its mask holds (`KnownWords`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple, Self

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.nn import functional

from .architecture import CONNECTOR_WIDTH
from .connectors import CONNECTORS, Connector, Queries, build_connector
from .freezing import Members, ModelPart, StagedModel
from .known_words import KnownWords
from .stunet import STUNet
from .text import TextEncoder


class ImageFeatures(NamedTuple):
    """The features of a volume, before any prompt has a part in them."""

    levels: tuple[Tensor, ...]
    """(B, C_i, D / s_i, H / s_i, W / s_i), finest first."""
    bottleneck: Tensor
    """(B, C, d, h, w)."""


class Segmentation(NamedTuple):
    """All outputs, for training: logits of each decoder level, finest first, and presence of each structure."""

    logits: tuple[Tensor, ...]
    """(B, P, D / s_i, H / s_i, W / s_i)."""
    presence: Tensor
    """Logits (B, P)."""


# The numbers that `MaskStatistics.evidence` has beside C features: how large the mask is and how sure.
EXTRA_EVIDENCE = 2


class MaskStatistics(NamedTuple):
    """Per-prompt sums over the voxels under the soft mask; those of the tiles of an image add up to those of the image.

    They carry no gradients: presence is judged from the mask and must not change it. `squares` over `mass` is how sure
    the mask is of itself.
    """

    mass: Tensor
    """Sum of the probabilities, in voxels, (B, P)."""
    squares: Tensor
    """Sum of their squares, (B, P)."""
    features: Tensor
    """Sum of the finest decoder features, each times its probability, (B, P, C)."""

    @classmethod
    def none(cls, batch: int, prompts: int, channels: int, device: torch.device) -> MaskStatistics:
        """Return the statistics of no voxel: all sums are 0."""
        empty = torch.zeros(batch, prompts, device=device)
        return cls(empty, empty, torch.zeros(batch, prompts, channels, device=device))

    @classmethod
    @torch.no_grad()
    def of(cls, logits: Tensor, features: Tensor, weight: Tensor | None = None) -> MaskStatistics:
        """Return the statistics of logits (B, P, ...) and features (B, C, ...) at the same voxels.

        `weight` (N,) is how many voxels each of them stands for.
        """
        # A device without autocast, such as `meta`, has nothing to switch off.
        kind = logits.device.type
        with torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext():
            probability = logits.flatten(2).float().sigmoid()
            counted = probability if weight is None else probability * weight
            summed = counted @ features.flatten(2).float().transpose(1, 2)
            return cls(counted.sum(dim=2), (counted * probability).sum(dim=2), summed)

    def plus(self, other: MaskStatistics) -> MaskStatistics:
        """Return the sums over the voxels of both."""
        return MaskStatistics(self.mass + other.mass, self.squares + other.squares, self.features + other.features)

    def evidence(self) -> Tensor:
        """Return what presence is judged by, (B, P, C + EXTRA_EVIDENCE).

        It is the mean feature, normalised over its channels, ln(1 + voxels) / 4, and how sure the mask is, from 0 to 1.
        """
        voxels = self.mass.clamp(min=1e-6).unsqueeze(-1)
        mean = functional.layer_norm(self.features / voxels, self.features.shape[-1:])
        return torch.cat((mean, self.mass.log1p().unsqueeze(-1) / 4, self.squares.unsqueeze(-1) / voxels), dim=-1)


class TextSegmenter(StagedModel):
    """Joins an image encoder and decoder with a text encoder by a connector.

    `text` is None where prompts come as embeddings; then `embedding_dim` must be given. `levels` counts the decoder
    levels that have queries of their own, for deep supervision; one is enough to segment. `connector` is a name in
    `CONNECTORS`, `hidden` its width, `queries_per_prompt` how many queries a mask is joined from, `known_words` and
    `known_unions` how many words and unions it knows, of weights that are loaded afterwards. Raises ValueError where
    they do not go together.
    """

    def __init__(
        self,
        image: STUNet,
        text: TextEncoder | None,
        connector: str = "mlp",
        *,
        embedding_dim: int | None = None,
        hidden: int = CONNECTOR_WIDTH,
        levels: int = 4,
        queries_per_prompt: int = 1,
        known_words: int = 0,
        known_unions: int = 0,
    ) -> None:
        super().__init__()
        embedding_dim = embedding_dim or (text.embedding_dim if text else None)
        if embedding_dim is None or (text and text.embedding_dim != embedding_dim):
            raise ValueError("embedding_dim is that of the text encoder, and has to be given where there is none")
        if not 1 <= levels <= len(image.feature_channels):
            raise ValueError(f"this decoder has 1 to {len(image.feature_channels)} levels, not {levels}")
        self.image, self.text, self.levels = image, text, levels
        channels = (*image.feature_channels[:levels], image.feature_channels[0] + EXTRA_EVIDENCE)
        self.connector: Connector = build_connector(
            connector, embedding_dim, channels, image.architecture.dims[-1], hidden, queries_per_prompt
        )
        if known_words:
            self.connector.known = KnownWords(known_words, embedding_dim, known_unions)

    def parts(self) -> dict[ModelPart, Members]:
        """Return all parameters by part; the pretraining's heads, if any, take no part in segmenting by text."""
        return self.image.parts() | {"text": [self.text] if self.text else [], "connector": [self.connector]}

    def forward(self, volume: Tensor, prompts: Sequence[str] | Tensor, *, full: bool = False) -> Tensor | Segmentation:
        """Return logits (B, P, D, H, W) of a volume (B, 1, D, H, W) for P prompts, as texts or embeddings (P, E).

        With `full` return a `Segmentation`, for training. The logits alone do not tell whether a structure is there at
        all; its presence does, see `masks`.
        """
        features = self.image_features(volume, levels=self.levels if full else 1)
        *queries, presence = self.queries(prompts, features.bottleneck)
        logits = tuple(query.logits(level) for query, level in zip(queries, features.levels, strict=False))
        if not full:
            return logits[0]
        return Segmentation(logits, presence_logits(presence, MaskStatistics.of(logits[0], features.levels[0])))

    def image_features(self, volume: Tensor, *, levels: int = 1) -> ImageFeatures:
        """Return the features of a volume (B, 1, D, H, W) at the `levels` finest decoder levels."""
        pyramid = self.image.encode(volume)
        features = self.image.decode(pyramid, deep_supervision=levels > 1)
        return ImageFeatures((features,) if isinstance(features, Tensor) else features[:levels], pyramid[-1])

    def queries(self, prompts: Sequence[str] | Tensor, bottleneck: Tensor | None = None) -> tuple[Queries, ...]:
        """Return the queries of P prompts for each level, finest first, and last those for presence.

        With `cross_attention` they are those of the images whose `bottleneck` (B, C, d, h, w) is given. Raises
        ValueError as `embed`.
        """
        image = bottleneck if self.connector.needs_image else None
        queries: tuple[Queries, ...] = self.connector(self.embed(prompts), image)
        return queries

    def presence_queries(self, prompts: Sequence[str] | Tensor) -> Queries:
        """Return the presence queries of P prompts, the last of `queries`: no image has a part in them."""
        return self.connector.presence(self.embed(prompts))

    def embed(self, prompts: Sequence[str] | Tensor) -> Tensor:
        """Return embeddings (P, E) of texts, with gradients only where the text encoder trains.

        Embeddings are returned as they are. Raises ValueError for a single text, for no prompt, and for texts where
        there is no text encoder.
        """
        if isinstance(prompts, Tensor):
            return prompts
        if isinstance(prompts, str):
            raise ValueError(f"prompts are a list of texts; [{prompts!r}] is one prompt")
        if self.text is None:
            raise ValueError("this segmenter has no text encoder: prompts must come as embeddings (P, E)")
        if not prompts:
            raise ValueError("no prompts: name at least one structure")
        trains = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.text.parameters())
        return self.text.embed(prompts) if trains else self.text.encode(prompts).to(self.text.device)


class ConnectorRecord(BaseModel):
    """Describes a segmenter's connector in `checkpoint.json`.

    It has its kind (`CONNECTORS`), its sizes, how many decoder levels it has queries for and how many for each prompt,
    and how many words and unions of like-named structures it knows. Records of earlier versions have none of the last
    three: one query, no word and no union.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    embedding_dim: int
    hidden: int
    levels: int
    queries_per_prompt: int = 1
    known_words: int = 0
    known_unions: int = 0

    @classmethod
    def of(cls, model: TextSegmenter) -> Self:
        """Return the record of a segmenter's connector."""
        kind = next(name for name, connector_class in CONNECTORS.items() if type(model.connector) is connector_class)
        connector = model.connector
        return cls(
            kind=kind,
            embedding_dim=connector.embedding_dim,
            hidden=connector.hidden,
            levels=model.levels,
            queries_per_prompt=connector.per_prompt,
            known_words=len(connector.known.vectors) if connector.known else 0,
            known_unions=len(connector.known.unions) if connector.known else 0,
        )

    def build(self, image: STUNet, text: TextEncoder | None) -> TextSegmenter:
        """Build the segmenter around an image network, with new weights. Raises ValueError for an unknown kind."""
        sizes: dict[str, Any] = self.model_dump(exclude={"kind"})
        return TextSegmenter(image, text, self.kind, **sizes)


def presence_logits(queries: Queries, statistics: MaskStatistics) -> Tensor:
    """Return presence logits (B, P): how surely each prompt's structure is in the image, by its mask's statistics."""
    return presence_from_evidence(queries, statistics.evidence())


def presence_from_evidence(queries: Queries, evidence: Tensor) -> Tensor:
    """Return presence logits (..., P) of evidence (..., P, C + EXTRA_EVIDENCE) and a query for each prompt."""
    logits = queries.scale * (queries.vectors * evidence).sum(dim=-1) + queries.bias
    return logits if queries.limit is None else torch.minimum(logits, queries.limit)


def masks(logits: Tensor, presence: Tensor, *, threshold: float = 0.5, presence_threshold: float = 0.5) -> Tensor:
    """Return masks (B, P, D, H, W), bool, of logits of the same shape and presence logits (B, P).

    A mask has the voxels above `threshold`, and none where the structure is absent. Both thresholds are probabilities;
    with `presence_threshold` 0 every structure counts as present.
    """
    present = presence.sigmoid() >= presence_threshold
    return (logits.sigmoid() > threshold) & present[..., None, None, None]
