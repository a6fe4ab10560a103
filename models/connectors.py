"""Turns prompt embeddings into queries: vectors whose product with a voxel's features tells if it is in the mask.

Two connectors have one interface. `mlp` sees the prompt alone, so its queries hold for a whole volume and for every
volume, and the features of overlapping windows can be blended before anything is multiplied. `cross_attention` lets
each prompt attend to the image first; its queries hold for one window. The paper names both and gives no sizes: those
here are our choice. Shapes: P prompts, E embedding, B batch, C channels, d h w voxels of the bottleneck, T = d * h * w
image tokens, K queries of each prompt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .architecture import CONNECTOR_WIDTH
from .blocks import POSITION_FREQUENCIES, AttentionLayer, position_encoding
from .known_words import KnownWords

# A prompt's structure fills a small part of most patches: sigmoid(-2) is 0.12.
INITIAL_BIAS = -2.0


class Queries(NamedTuple):
    """Holds K = `per_prompt` linear classifiers of voxels for each prompt: logit = scale * <vector, features> + bias.

    `vectors` are (P * K, C) or (B, P * K, C), each of length 1, those of a prompt one after the other; `scale` and
    `bias` (P * K) or (B, P * K). Without B they hold for every image. A prompt's logit is the log of the sum of the
    exponentials of its K: about the largest of them, so that a mask may consist of parts that look different.
    """

    vectors: Tensor
    scale: Tensor
    bias: Tensor
    per_prompt: int = 1
    limit: Tensor | None = None
    """Of presence: the largest logit that a prompt may have, (P)."""

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits of prompts, (B, P, ...), of features (B, C, ...)."""
        return joined_logits(self.query_logits(features), self.per_prompt, 1)

    def query_logits(self, features: Tensor) -> Tensor:
        """Return the logits of single queries, (B, P * K, ...), which are linear in the features (B, C, ...)."""
        batch, dtype = features.shape[0], features.dtype  # `len` would fix the number in an exported graph
        weight = (self.vectors * self.scale.unsqueeze(-1)).to(dtype).expand(batch, -1, -1)
        product = torch.baddbmm(self.bias.unsqueeze(-1).to(dtype), weight, features.flatten(2))
        return product.view(batch, -1, *features.shape[2:])

    def of_prompts(self, numbers: Tensor) -> Queries:
        """Return the queries of the prompts with these numbers (p), of queries without B."""
        rows = query_numbers(numbers, self.per_prompt)
        return Queries(self.vectors[rows], self.scale[rows], self.bias[rows], self.per_prompt)

    def float_on_cpu(self) -> Queries:
        """Return the same in float32 on the CPU."""
        return Queries(self.vectors.float().cpu(), self.scale.float().cpu(), self.bias.float().cpu(), self.per_prompt)


def joined_logits(logits: Tensor, per_prompt: int, dim: int) -> Tensor:
    """Return the logits of prompts from those of their queries, along a dimension of P * K."""
    if per_prompt == 1:
        return logits
    return logits.reshape(*logits.shape[:dim], -1, per_prompt, *logits.shape[dim + 1 :]).logsumexp(dim + 1)


def query_numbers(prompts: Tensor, per_prompt: int) -> Tensor:
    """Return the numbers (p * K) of the queries of prompts (p)."""
    if per_prompt == 1:
        return prompts
    return (prompts[:, None] * per_prompt + torch.arange(per_prompt, device=prompts.device)).flatten()


class QueryHead(nn.Module):
    """Maps hidden prompt vectors to queries in a feature space of `channels`, `per_prompt` for each."""

    def __init__(self, hidden: int, channels: int, per_prompt: int = 1) -> None:
        super().__init__()
        self.channels, self.per_prompt = channels, per_prompt
        self.vector = nn.Linear(hidden, per_prompt * channels)
        self.scale_and_bias = nn.Linear(hidden, per_prompt * 2)
        nn.init.zeros_(self.scale_and_bias.weight)
        # Together several queries begin where one would.
        initial = [math.log(math.sqrt(channels) / 2), INITIAL_BIAS - math.log(per_prompt)]
        with torch.no_grad():
            self.scale_and_bias.bias.copy_(torch.tensor(initial * per_prompt))

    def forward(self, hidden: Tensor) -> Queries:
        """Return queries (..., P * K) for hidden (..., P, hidden); in float32, as a query meets every voxel."""
        vectors, scale_and_bias = (
            layer(hidden).float().unflatten(-1, (self.per_prompt, -1)).flatten(-3, -2)
            for layer in (self.vector, self.scale_and_bias)
        )
        scale, bias = scale_and_bias.unbind(dim=-1)
        return Queries(functional.normalize(vectors, dim=-1), scale.exp(), bias, self.per_prompt)


class Connector(nn.Module):
    """Maps prompt embeddings (P, E), and the image's tokens where `needs_image`, to queries in several feature spaces.

    `channels` are the channels of each space: the decoder's levels, finest first, then the evidence in a mask, which
    presence is read from. `tokens` are the channels of the bottleneck. Presence has the last of the `heads`, with one
    query of a prompt; the levels have `per_prompt`.
    """

    needs_image = False

    def __init__(
        self, embedding_dim: int, channels: Sequence[int], tokens: int, hidden: int, per_prompt: int = 1
    ) -> None:
        super().__init__()
        if per_prompt < 1:
            raise ValueError(f"a prompt has at least one query, not {per_prompt}")
        self.embedding_dim, self.hidden, self.per_prompt = embedding_dim, hidden, per_prompt
        *levels, evidence = channels
        heads = [*(QueryHead(hidden, count, per_prompt) for count in levels), QueryHead(hidden, evidence)]
        self.heads = nn.ModuleList(heads)
        self.known: KnownWords | None = None
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
        hidden = self.hidden_vectors(self._read(prompts))
        *level_heads, presence_head = self.heads
        attended = self.attend_to_image(hidden, tokens)
        # The loss of presence must not change what is learned of masks.
        presence = self._limited(presence_head(hidden.detach()), prompts)
        return (*(head(attended) for head in level_heads), presence)

    def hidden_vectors(self, prompts: Tensor) -> Tensor:
        """Return hidden vectors (P, hidden) of embeddings (P, E)."""
        # Embeddings have length 1: without the factor their components would be too small for a linear layer's
        # initial weights.
        hidden: Tensor = self.prompt(prompts * math.sqrt(self.embedding_dim))
        return hidden

    def presence(self, prompts: Tensor) -> Queries:
        """Return the presence queries (P, C) of embeddings (P, E), which are the same for every image."""
        return self._limited(self.heads[-1](self.hidden_vectors(self._read(prompts))), prompts)

    def _read(self, prompts: Tensor) -> Tensor:
        """Return prompts (P, E) as what they are clearly nearest to; in training they are as they are."""
        return prompts if self.training or self.known is None else self.known.read(prompts)

    def _limited(self, presence: Queries, prompts: Tensor) -> Queries:
        """Return presence queries with their limit; in training there is none: what is asked there is known."""
        if self.training or self.known is None:
            return presence
        return presence._replace(limit=self.known.limit(prompts))

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
        self,
        embedding_dim: int,
        channels: Sequence[int],
        tokens: int,
        hidden: int,
        per_prompt: int = 1,
        *,
        layers: int = 2,
        heads: int = 8,
    ) -> None:
        super().__init__(embedding_dim, channels, tokens, hidden, per_prompt)
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


CONNECTORS: dict[str, type[Connector]] = {"mlp": MLPConnector, "cross_attention": CrossAttentionConnector}


def build_connector(
    kind: str,
    embedding_dim: int,
    channels: Sequence[int],
    tokens: int,
    hidden: int = CONNECTOR_WIDTH,
    per_prompt: int = 1,
) -> Connector:
    """Build a connector of a kind in CONNECTORS; sizes as in `Connector`. Raises ValueError for another kind."""
    if kind not in CONNECTORS:
        raise ValueError(f"a connector is one of {', '.join(CONNECTORS)}, not {kind!r}")
    return CONNECTORS[kind](embedding_dim, channels, tokens, hidden, per_prompt)
