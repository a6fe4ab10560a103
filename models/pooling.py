"""Pools a volume of any size to one vector, window by window: what the alignment sees of an image.

`structures`, our own, pools what the network itself outlines. For each of its K classes the vector has the logarithm of
its volume and the mean of the decoder's finest features in it, so a missing gallbladder, a large liver and a dense
kidney each show in components of their own. The other poolings take the bottleneck: its mean, its maximum, or both.
Shapes: W windows of one volume, S length of a window's summary, C channels, K classes (background is one), F numbers of
each class (its volume and C features), B volumes, V parts by organ, E embedding, D H W voxels of a window.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from .stunet import STUNet

Pooling = Literal["structures", "mean", "max", "mean_max"]
# What captions are held against: the classes that show their organ, or the whole.
Mgcl = Literal["organ", "volume"]

# Added to the variance of each feature: one that hardly moves in training must not decide where it moves elsewhere.
LEAST_VARIANCE = 0.0025


def pooled_channels(image: STUNet, pooling: Pooling) -> int:
    """Return the length of a pooled vector.

    Raises ValueError for an unknown pooling, and for `structures` of a network without classes.
    """
    if pooling not in get_args(Pooling):
        raise ValueError(f"pooling is one of {', '.join(get_args(Pooling))}, not {pooling!r}")
    if pooling == "structures":
        if image.num_classes is None:
            raise ValueError(
                "pooling 'structures' takes a network that outlines classes, and this one has no heads; take 'mean_max'"
            )
        return image.num_classes * (1 + image.feature_channels[0])
    return image.architecture.dims[-1] * (2 if pooling == "mean_max" else 1)


def summarise_windows(image: STUNet, pooling: Pooling, windows: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return what windows (W, 1, D, H, W) add to the vector of their volume, (W, S), float32.

    `combine_summaries` puts them together. `weight` (D, H, W), from 0 to 1, is how much each voxel counts in this
    window, where windows overlap; only `structures` makes use of it.
    """
    pyramid = image.encode(windows)
    if pooling == "structures":
        return _class_sums(image, pyramid, weight)
    bottleneck = pyramid[-1].flatten(2).float()
    mean, maximum = bottleneck.mean(dim=2), bottleneck.amax(dim=2)
    return {"mean": mean, "max": maximum, "mean_max": torch.cat((mean, maximum), dim=1)}[pooling]


def combine_summaries(pooling: Pooling, summaries: Tensor, classes: int | None) -> Tensor:
    """Return the vector of a volume, of `pooled_channels` numbers, from the summaries (W, S) of all of its windows.

    `classes` is the network's K, which `structures` needs.
    """
    if pooling == "structures":
        assert classes is not None
        table = summaries.sum(dim=0).view(classes, -1)
        voxels, sums = table[:, :1], table[:, 1:]
        return torch.cat((voxels.log1p(), sums / voxels.clamp(min=1)), dim=1).flatten()
    if pooling == "mean_max":
        mean, maximum = summaries.chunk(2, dim=1)
        return torch.cat((mean.mean(dim=0), maximum.amax(dim=0)))
    return summaries.mean(dim=0) if pooling == "mean" else summaries.amax(dim=0)


def _class_sums(image: STUNet, pyramid: Sequence[Tensor], weight: Tensor | None) -> Tensor:
    """Return the voxels of each class and the sum of the finest features over them: (W, K · (1 + C)).

    A voxel counts for a class by its probability.
    """
    finest = image.decode(pyramid)
    logits = image.seg_outputs[-1](finest)
    probability = logits.float().softmax(dim=1).flatten(2)
    if weight is not None:
        probability = probability * weight.flatten()
    features = finest.float().flatten(2)
    voxels = probability.sum(dim=2, keepdim=True)
    return torch.cat((voxels, probability @ features.transpose(1, 2)), dim=2).flatten(1)


class Standardiser(nn.Module):
    """Scales vectors (B, C) to mean 0 and variance 1 over those given to `fit`; before that it changes nothing."""

    mean: Tensor
    spread: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("spread", torch.ones(channels))

    @torch.no_grad()
    def fit(self, vectors: Tensor) -> None:
        """Store the mean and the standard deviation of vectors (N, C)."""
        self.mean.copy_(vectors.mean(dim=0))
        self.spread.copy_((vectors.var(dim=0, correction=0) + LEAST_VARIANCE).sqrt())

    def forward(self, vectors: Tensor) -> Tensor:
        """Return vectors (B, C), shifted and scaled."""
        return (vectors - self.mean) / self.spread


class OrganProjection(nn.Module):
    """Embeds what a vector of `structures` holds of an organ: the mean over its classes of a linear map for each."""

    def __init__(self, classes: int, features: int, embedding_dim: int) -> None:
        super().__init__()
        bound = features**-0.5
        self.weight = Parameter(torch.empty(classes, features, embedding_dim).uniform_(-bound, bound))
        self.bias = Parameter(torch.empty(classes, embedding_dim).uniform_(-bound, bound))

    def forward(self, vectors: Tensor, parts: Tensor) -> Tensor:
        """Return embeddings (B, V, E), float32, each of length 1.

        `vectors` (B, K · F) are standardised, as `structures` pools them; `parts` (V, K) is True for the classes of
        each part, at least one.
        """
        classes, features, _ = self.weight.shape
        of_classes = torch.einsum("bkf,kfe->bke", vectors.view(-1, classes, features), self.weight) + self.bias
        share = parts.to(of_classes) / parts.sum(dim=1, keepdim=True).clamp(min=1)
        return functional.normalize(torch.einsum("vk,bke->bve", share, of_classes).float(), dim=-1)
