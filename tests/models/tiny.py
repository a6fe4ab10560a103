"""Models small enough to build and train in a test."""

import torch
from torch import Tensor
from torch.nn import functional

from models.segmenter import TextSegmenter
from models.stunet import STUNet

EMBEDDING = 32


def embeddings(count: int, seed: int = 0) -> Tensor:
    """Return prompt embeddings (P, E) of length 1."""
    vectors = torch.randn(count, EMBEDDING, generator=torch.Generator().manual_seed(seed))
    return functional.normalize(vectors, dim=-1)


def volume(*shape: int, seed: int = 0) -> Tensor:
    """Return noise with some structure, (B, 1, D, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(shape[0], 1, *(max(size // 8, 1) for size in shape[1:]), generator=generator)
    smooth = functional.interpolate(coarse, size=shape[1:], mode="trilinear")
    return smooth + 0.1 * torch.randn(smooth.shape, generator=generator)


def segmenter(connector: str = "mlp", *, levels: int = 3, seed: int = 0, queries_per_prompt: int = 1) -> TextSegmenter:
    """Return a segmenter without a text encoder, in evaluation mode."""
    torch.manual_seed(seed)
    image = STUNet("tiny")
    sizes = {"embedding_dim": EMBEDDING, "hidden": 64, "levels": levels, "queries_per_prompt": queries_per_prompt}
    return TextSegmenter(image, None, connector, **sizes).eval()
