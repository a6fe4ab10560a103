"""Pools a volume of any size to one vector, window by window: what the alignment sees of an image.

`structures`, our own, pools what the network itself outlines. For each of its K classes the vector has the logarithm of
its volume and the mean of the decoder's finest features in it, so a missing gallbladder, a large liver and a dense
kidney each show in components of their own. `structures_hu` adds how many voxels in and around it lie where in HU: a
stone, a calcified wall, emphysema and fat in a liver are voxels of a range of HU in a structure, fluid beside a lung or
a heart is what belongs to none around one, and their number says it better than a mean. The other poolings take the
bottleneck: its mean, its maximum, or both.
Shapes: W windows of one volume, S length of a window's summary, C channels, R ranges of HU, K classes (background is
one), F numbers of each class, B volumes, V parts by organ, E embedding, D H W voxels of a window.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import Parameter, functional

from .stunet import STUNet

Pooling = Literal["structures_hu", "structures", "mean", "max", "mean_max"]
# What captions are held against: the classes that show their organ, or the whole.
Mgcl = Literal["organ", "volume"]

# Added to the variance of each feature: one that hardly moves in training must not decide where it moves elsewhere.
LEAST_VARIANCE = 0.0025

# Where ranges of HU end: emphysema below −950, lung, the fat of the body, water, soft tissue before and after contrast,
# calcium from 130 (Agatston et al. 1990), bone, stones and metal.
EDGES = (-950, -900, -800, -600, -300, -150, -60, -20, 0, 20, 40, 60, 80, 100, 130, 160, 200, 260, 320, 400, 500)
RANGES = len(EDGES) + 1
# What is around a structure is found on voxels of twice the size.
COARSE = 2


def outlines(pooling: Pooling) -> bool:
    """Return whether a pooling takes what the network outlines, and so its decoder and heads."""
    return pooling in ("structures_hu", "structures")


def pooled_channels(image: STUNet, pooling: Pooling) -> int:
    """Return the length of a pooled vector.

    Raises ValueError for an unknown pooling, and for one by structures of a network without classes.
    """
    if pooling not in get_args(Pooling):
        raise ValueError(f"pooling is one of {', '.join(get_args(Pooling))}, not {pooling!r}")
    if outlines(pooling):
        if image.num_classes is None:
            raise ValueError(
                f"pooling {pooling!r} takes a network that outlines classes, and this one has no heads; take 'mean_max'"
            )
        return image.num_classes * (1 + image.feature_channels[0] + _counts(pooling))
    return image.architecture.dims[-1] * (2 if pooling == "mean_max" else 1)


def _counts(pooling: Pooling) -> int:
    """Return how many numbers of each class are counts of voxels by their HU."""
    return 2 * RANGES if pooling == "structures_hu" else 0


def summarise_windows(image: STUNet, pooling: Pooling, windows: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return what windows (W, C, D, H, W) add to the vector of their volume, (W, S), float32.

    `combine_summaries` puts them together. C is the channels of the network, and for `structures_hu` one more, which
    is HU. `weight` (D, H, W), from 0 to 1, is how much each voxel counts in this window, where windows overlap; only
    structures make use of it. Raises ValueError for another number of channels.
    """
    wanted = image.in_channels + (pooling == "structures_hu")
    if windows.shape[1] != wanted:
        raise ValueError(f"pooling {pooling!r} takes volumes of {wanted} channels, not {windows.shape[1]}")
    pyramid = image.encode(windows[:, : image.in_channels])
    if outlines(pooling):
        return _class_sums(image, pyramid, weight, windows[:, image.in_channels :])
    bottleneck = pyramid[-1].flatten(2).float()
    mean, maximum = bottleneck.mean(dim=2), bottleneck.amax(dim=2)
    return {"mean": mean, "max": maximum, "mean_max": torch.cat((mean, maximum), dim=1)}[pooling]


def combine_summaries(pooling: Pooling, summaries: Tensor, classes: int | None) -> Tensor:
    """Return the vector of a volume, of `pooled_channels` numbers, from the summaries (W, S) of all of its windows.

    `classes` is the network's K, which structures need.
    """
    if outlines(pooling):
        assert classes is not None
        table = summaries.sum(dim=0).view(classes, -1)
        counted = _counts(pooling)
        voxels, sums, counts = torch.split(table, [1, table.shape[1] - 1 - counted, counted], dim=1)
        return torch.cat((voxels.log1p(), sums / voxels.clamp(min=1), counts.log1p()), dim=1).flatten()
    if pooling == "mean_max":
        mean, maximum = summaries.chunk(2, dim=1)
        return torch.cat((mean.mean(dim=0), maximum.amax(dim=0)))
    return summaries.mean(dim=0) if pooling == "mean" else summaries.amax(dim=0)


def _class_sums(image: STUNet, pyramid: Sequence[Tensor], weight: Tensor | None, hounsfield: Tensor) -> Tensor:
    """Return of each class the voxels, the sums of the finest features, and the voxels in and around it by HU.

    A voxel counts for a class by its probability: (W, K · (1 + C + 2 · R)). `hounsfield` (W, 1, D, H, W), or without a
    channel: then R is 0.
    """
    finest = image.decode(pyramid)
    probability = image.seg_outputs[-1](finest).float().softmax(dim=1)
    weighted = (probability if weight is None else probability * weight).flatten(2)
    with torch.autocast(finest.device.type, enabled=False):  # sums over a million voxels, compared over patients
        counts = [count_in_ranges(probability, channel, weight) for channel in hounsfield.float().unbind(1)]
        sums = weighted @ finest.float().flatten(2).transpose(1, 2)
    return torch.cat((weighted.sum(dim=2, keepdim=True), sums, *counts), dim=2).flatten(1)


def count_in_ranges(probability: Tensor, hounsfield: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return how many voxels of each class, and of the background around each, lie in each range: (W, K, 2 · R).

    `probability` (W, K, D, H, W) and `hounsfield` (W, D, H, W), with even D, H and W; `weight` (D, H, W), from 0 to 1,
    is how much each voxel counts. Around is what lies within one to two coarse voxels.
    """
    lies_in = _lies_in(hounsfield)
    if weight is not None:
        lies_in = lies_in * weight
    inside = probability.flatten(2) @ lies_in.flatten(2).transpose(1, 2)
    # Each class is widened by a coarse voxel on all sides; what counts there is how far it is background.
    widened = functional.max_pool3d(functional.max_pool3d(probability, COARSE), 3, stride=1, padding=1)
    free = functional.avg_pool3d(lies_in * probability[:, :1], COARSE) * COARSE**3
    return torch.cat((inside, widened.flatten(2) @ free.flatten(2).transpose(1, 2)), dim=2)


def _lies_in(hounsfield: Tensor) -> Tensor:
    """Return which range each voxel of (W, D, H, W) lies in, as 0 and 1: (W, R, D, H, W) float32."""
    edges = torch.tensor(EDGES, dtype=hounsfield.dtype, device=hounsfield.device)
    place = torch.bucketize(hounsfield.contiguous(), edges, right=True)
    return (place[:, None] == torch.arange(RANGES, device=place.device).view(-1, 1, 1, 1)).float()


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
