"""From prompt embeddings to queries: what a voxel's features are multiplied with to say whether it belongs to a prompt.

Two connectors behind one interface. `mlp` sees the prompt alone, so its queries hold for a whole volume and for every
volume, and the features of overlapping windows can be blended before anything is multiplied. `cross_attention` lets
each prompt look at the image first; its queries hold for one window. The paper names both and gives no sizes: those
here are our choice. Shapes: P prompts, E embedding, B batch, C channels, T image tokens.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .architecture import CONNECTOR_WIDTH

# A prompt's structure fills a small part of most patches: sigmoid(-2) is 0.12.
INITIAL_BIAS = -2.0


class Queries(NamedTuple):
    """One linear classifier for each prompt; without B they hold for every image.

    `vectors` (P, C) or (B, P, C) of length 1, `scale` and `bias` (P) or (B, P): logit = scale * <vector, features> +
    bias.
    """

    vectors: Tensor
    scale: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Features (B, C, ...) to logits (B, P, ...)."""
        batch, dtype = len(features), features.dtype
        weight = (self.vectors * self.scale.unsqueeze(-1)).to(dtype).expand(batch, -1, -1)
        product = torch.baddbmm(self.bias.unsqueeze(-1).to(dtype), weight, features.flatten(2))
        return product.view(batch, -1, *features.shape[2:])


class QueryHead(nn.Module):
    """Hidden prompt vectors to queries in a space of `channels`."""

    def __init__(self, hidden: int, channels: int) -> None:
        super().__init__()
        self.vector = nn.Linear(hidden, channels)
        self.scale_and_bias = nn.Linear(hidden, 2)
        nn.init.zeros_(self.scale_and_bias.weight)
        with torch.no_grad():
            self.scale_and_bias.bias.copy_(torch.tensor([math.log(math.sqrt(channels) / 2), INITIAL_BIAS]))

    def forward(self, hidden: Tensor) -> Queries:
        """(..., P, hidden) to queries of the same leading shape; in float32, since a query meets every voxel."""
        vectors = functional.normalize(self.vector(hidden).float(), dim=-1)
        scale, bias = self.scale_and_bias(hidden).float().unbind(dim=-1)
        return Queries(vectors, scale.exp(), bias)


class Connector(nn.Module):
    """Prompt embeddings (P, E), and the image's tokens where `needs_image`, to queries in each of several spaces.

    `channels` are those of the spaces: the decoder's levels, finest first, then what a mask holds, where presence is
    read; `tokens` those of the bottleneck.
    """

    needs_image = False

    def __init__(self, embedding_dim: int, channels: Sequence[int], tokens: int, hidden: int) -> None:
        super().__init__()
        self.embedding_dim, self.hidden = embedding_dim, hidden
        self.heads = nn.ModuleList(QueryHead(hidden, count) for count in channels)
        self.prompt = nn.Sequential(
            nn.Linear(embedding_dim, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU()
        )

    def forward(self, prompts: Tensor, tokens: Tensor | None = None) -> tuple[Queries, ...]:
        """Embeddings (P, E) and, for `cross_attention`, the bottleneck (B, C, d, h, w), to queries for each space."""
        if prompts.dim() != 2 or prompts.shape[1] != self.embedding_dim:
            raise ValueError(f"prompt embeddings are (P, {self.embedding_dim}), not {tuple(prompts.shape)}")
        if self.needs_image and tokens is None:
            raise ValueError("cross_attention needs the image's tokens")
        hidden = self.hidden_vectors(prompts)
        *levels, held = self.heads
        looked = self.attend_to_image(hidden, tokens)
        # What is learned of presence must not bend what is learned of masks.
        return (*(head(looked) for head in levels), held(hidden.detach()))

    def hidden_vectors(self, prompts: Tensor) -> Tensor:
        """Embeddings (P, E) to hidden vectors (P, hidden)."""
        # Embeddings have length 1: without the factor their components would be too small for a linear layer's
        # initial weights.
        hidden: Tensor = self.prompt(prompts * math.sqrt(self.embedding_dim))
        return hidden

    def presence(self, prompts: Tensor) -> Queries:
        """Embeddings (P, E) to the queries for what a mask holds: the same for every image."""
        queries: Queries = self.heads[-1](self.hidden_vectors(prompts))
        return queries

    def attend_to_image(self, hidden: Tensor, tokens: Tensor | None) -> Tensor:
        """What the image adds to prompts (P, hidden): nothing here."""
        return hidden


class MLPConnector(Connector):
    """Two layers on the prompt alone."""


class CrossAttentionConnector(Connector):
    """Each prompt attends to the tokens of the bottleneck, never to other prompts: its mask must not depend on their
    company.
    """

    needs_image = True

    def __init__(
        self, embedding_dim: int, channels: Sequence[int], tokens: int, hidden: int, *, layers: int = 2, heads: int = 8
    ) -> None:
        super().__init__(embedding_dim, channels, tokens, hidden)
        if hidden % heads:
            raise ValueError(f"hidden size {hidden} cannot be shared among {heads} attention heads")
        self.image = nn.Linear(tokens, hidden)
        self.position = nn.Linear(2 * POSITION_FREQUENCIES * 3, hidden)
        self.layers = nn.ModuleList(AttentionLayer(hidden, heads) for _ in range(layers))

    def attend_to_image(self, hidden: Tensor, tokens: Tensor | None) -> Tensor:
        """Prompts (P, hidden) and the bottleneck (B, C, d, h, w) to (B, P, hidden)."""
        assert tokens is not None
        image = self.image(tokens.flatten(2).transpose(1, 2)) + self.position(position_encoding(tokens))
        hidden = hidden.expand(len(tokens), -1, -1)
        for layer in self.layers:
            hidden = layer(hidden, image)
        return hidden


class AttentionLayer(nn.Module):
    """Cross-attention and a feed-forward layer, both normalised before and added."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.norm_prompts, self.norm_image, self.norm_forward = (nn.LayerNorm(hidden) for _ in range(3))
        self.attention = nn.MultiheadAttention(hidden, heads, batch_first=True)
        self.feed_forward = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden))

    def forward(self, prompts: Tensor, image: Tensor) -> Tensor:
        """(B, P, hidden) and (B, T, hidden) to (B, P, hidden)."""
        image = self.norm_image(image)
        seen, _ = self.attention(self.norm_prompts(prompts), image, image, need_weights=False)
        prompts = prompts + seen
        result: Tensor = prompts + self.feed_forward(self.norm_forward(prompts))
        return result


POSITION_FREQUENCIES = 6


def position_encoding(tokens: Tensor) -> Tensor:
    """Where each token of (B, C, d, h, w) lies: sines and cosines of its place from -1 to 1, (d * h * w, 6 *
    POSITION_FREQUENCIES).
    """
    axes = [_axis(size, tokens.device) for size in tokens.shape[2:]]
    place = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, 2)
    angles = place.unsqueeze(-1) * (math.pi / 2 * 2.0 ** torch.arange(POSITION_FREQUENCIES, device=tokens.device))
    return torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(1).to(tokens.dtype)


def _axis(size: int, device: torch.device) -> Tensor:
    return torch.linspace(-1, 1, size, device=device) if size > 1 else torch.zeros(1, device=device)


CONNECTORS: dict[str, type[Connector]] = {"mlp": MLPConnector, "cross_attention": CrossAttentionConnector}


def build_connector(
    kind: str, embedding_dim: int, channels: Sequence[int], tokens: int, hidden: int = CONNECTOR_WIDTH
) -> Connector:
    """A connector by its name, `mlp` or `cross_attention`; ValueError for another."""
    if kind not in CONNECTORS:
        raise ValueError(f"a connector is one of {', '.join(CONNECTORS)}, not {kind!r}")
    return CONNECTORS[kind](embedding_dim, channels, tokens, hidden)
