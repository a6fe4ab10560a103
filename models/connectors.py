"""Turns prompt embeddings into queries: vectors whose product with a voxel's features tells if it is in the mask.

Two connectors have one interface. `mlp` sees the prompt alone, so its queries hold for a whole volume and for every
volume, and the features of overlapping windows can be blended before anything is multiplied. `cross_attention` lets
each prompt attend to the image first; its queries hold for one window. The paper names both and gives no sizes: those
here are our choice. Shapes: P prompts, E embedding, B batch, C channels, d h w voxels of the bottleneck, T = d * h * w
image tokens.
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
# Of the sines and cosines that encode a token's position along each axis.
POSITION_FREQUENCIES = 6


class Queries(NamedTuple):
    """Holds one linear classifier of voxels for each prompt: logit = scale * <vector, features> + bias.

    `vectors` are (P, C) or (B, P, C), each of length 1; `scale` and `bias` (P) or (B, P). Without B they hold for every
    image.
    """

    vectors: Tensor
    scale: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Return logits (B, P, ...) of features (B, C, ...)."""
        batch, dtype = features.shape[0], features.dtype  # `len` would fix the number in an exported graph
        weight = (self.vectors * self.scale.unsqueeze(-1)).to(dtype).expand(batch, -1, -1)
        product = torch.baddbmm(self.bias.unsqueeze(-1).to(dtype), weight, features.flatten(2))
        return product.view(batch, -1, *features.shape[2:])


class QueryHead(nn.Module):
    """Maps hidden prompt vectors to queries in a feature space of `channels`."""

    def __init__(self, hidden: int, channels: int) -> None:
        super().__init__()
        self.vector = nn.Linear(hidden, channels)
        self.scale_and_bias = nn.Linear(hidden, 2)
        nn.init.zeros_(self.scale_and_bias.weight)
        with torch.no_grad():
            self.scale_and_bias.bias.copy_(torch.tensor([math.log(math.sqrt(channels) / 2), INITIAL_BIAS]))

    def forward(self, hidden: Tensor) -> Queries:
        """Return queries of the same leading shape for (..., P, hidden); in float32, as a query meets every voxel."""
        vectors = functional.normalize(self.vector(hidden).float(), dim=-1)
        scale, bias = self.scale_and_bias(hidden).float().unbind(dim=-1)
        return Queries(vectors, scale.exp(), bias)


class Connector(nn.Module):
    """Maps prompt embeddings (P, E), and the image's tokens where `needs_image`, to queries in several feature spaces.

    `channels` are the channels of each space: the decoder's levels, finest first, then the evidence in a mask, which
    presence is read from. `tokens` are the channels of the bottleneck. Presence has the last of the `heads`.
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
        """Return the queries of embeddings (P, E) for each space.

        `tokens` is the bottleneck (B, C, d, h, w), which `cross_attention` needs. Raises ValueError where embeddings
        have another shape, or tokens are missing.
        """
        if prompts.dim() != 2 or prompts.shape[1] != self.embedding_dim:
            raise ValueError(f"prompt embeddings are (P, {self.embedding_dim}), not {tuple(prompts.shape)}")
        if self.needs_image and tokens is None:
            raise ValueError("cross_attention needs the image's tokens")
        hidden = self.hidden_vectors(prompts)
        *level_heads, presence_head = self.heads
        attended = self.attend_to_image(hidden, tokens)
        # The loss of presence must not change what is learned of masks.
        return (*(head(attended) for head in level_heads), presence_head(hidden.detach()))

    def hidden_vectors(self, prompts: Tensor) -> Tensor:
        """Return hidden vectors (P, hidden) of embeddings (P, E)."""
        # Embeddings have length 1: without the factor their components would be too small for a linear layer's
        # initial weights.
        hidden: Tensor = self.prompt(prompts * math.sqrt(self.embedding_dim))
        return hidden

    def presence(self, prompts: Tensor) -> Queries:
        """Return the presence queries (P, C) of embeddings (P, E), which are the same for every image."""
        queries: Queries = self.heads[-1](self.hidden_vectors(prompts))
        return queries

    def attend_to_image(self, hidden: Tensor, tokens: Tensor | None) -> Tensor:
        """Return prompts (P, hidden) as they are; a connector that looks at the image overrides this."""
        return hidden


class MLPConnector(Connector):
    """Reads queries from the prompt alone, through two layers."""


class CrossAttentionConnector(Connector):
    """Lets each prompt attend to the tokens of the bottleneck, never to other prompts.

    So a prompt's mask does not depend on which prompts are asked for with it.
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
        """Return (B, P, hidden) of prompts (P, hidden) that have attended to the bottleneck (B, C, d, h, w)."""
        assert tokens is not None
        image = self.image(tokens.flatten(2).transpose(1, 2)) + self.position(position_encoding(tokens))
        hidden = hidden.expand(tokens.shape[0], -1, -1)
        for layer in self.layers:
            hidden = layer(hidden, image)
        return hidden


class AttentionLayer(nn.Module):
    """Adds cross-attention and a feed-forward layer to the prompts, each after a layer norm (pre-norm)."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.norm_prompts, self.norm_image, self.norm_forward = (nn.LayerNorm(hidden) for _ in range(3))
        self.attention = nn.MultiheadAttention(hidden, heads, batch_first=True)
        self.feed_forward = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden))

    def forward(self, prompts: Tensor, image: Tensor) -> Tensor:
        """Return prompts (B, P, hidden) that have attended to an image (B, T, hidden)."""
        image = self.norm_image(image)
        context, _ = self.attention(self.norm_prompts(prompts), image, image, need_weights=False)
        prompts = prompts + context
        result: Tensor = prompts + self.feed_forward(self.norm_forward(prompts))
        return result


def position_encoding(tokens: Tensor) -> Tensor:
    """Return (T, 6 * POSITION_FREQUENCIES), the position of each token of a bottleneck (B, C, d, h, w).

    These are sines and cosines of the token's coordinates, which run from -1 to 1 along each axis.
    """
    axes = [_axis(size, tokens.device) for size in tokens.shape[2:]]
    coordinates = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, 2)
    angles = coordinates.unsqueeze(-1) * (math.pi / 2 * 2.0 ** torch.arange(POSITION_FREQUENCIES, device=tokens.device))
    return torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(1).to(tokens.dtype)


def _axis(size: int, device: torch.device) -> Tensor:
    return torch.linspace(-1, 1, size, device=device) if size > 1 else torch.zeros(1, device=device)


CONNECTORS: dict[str, type[Connector]] = {"mlp": MLPConnector, "cross_attention": CrossAttentionConnector}


def build_connector(
    kind: str, embedding_dim: int, channels: Sequence[int], tokens: int, hidden: int = CONNECTOR_WIDTH
) -> Connector:
    """Build a connector of a kind in CONNECTORS; sizes as in `Connector`. Raises ValueError for another kind."""
    if kind not in CONNECTORS:
        raise ValueError(f"a connector is one of {', '.join(CONNECTORS)}, not {kind!r}")
    return CONNECTORS[kind](embedding_dim, channels, tokens, hidden)
