"""Whole volumes: overlapping windows through the network, blended once, and then held against any number of prompts.

With the `mlp` connector the features are blended (C channels) and multiplied with the queries afterwards, a slab at a
time: time and memory hardly depend on the number of prompts P. With `cross_attention` queries differ from window to
window, so the P logits themselves are blended. Shapes: P prompts, C channels, D H W voxels of the volume, T places of
the bottlenecks of all windows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from models.connectors import Queries
from models.inference import Precision, faster
from models.segmenter import TextSegmenter, presence_logits

# Logits held at once: 8 MiB of float32, which stay in a processor's cache.
LOGITS_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class Windows:
    """Size (D, H, W) in voxels, the share that neighbours overlap by, and how many go through the network at once."""

    size: tuple[int, int, int] = (128, 128, 128)
    overlap: float = 0.5
    batch: int = 1
    precision: Precision = "auto"
    compile: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < 1 or self.batch < 1:
            raise ValueError(
                f"an overlap from 0 to below 1 and at least one window at once, not {self.overlap} and {self.batch}"
            )


class VolumeFeatures(NamedTuple):
    """What the network says of a volume, before any prompt: `finest` (C, D, H, W) blended, `bottleneck` (C', T) as it
    came.
    """

    finest: Tensor
    bottleneck: Tensor


def volume_features(segmenter: TextSegmenter, volume: Tensor, windows: Windows = Windows()) -> VolumeFeatures:
    """A volume (1, D, H, W), preprocessed as the checkpoint says, to its features; each window runs once."""
    if segmenter.connector.needs_image:
        raise ValueError("cross_attention looks at each window anew: use volume_logits")
    bottlenecks: list[Tensor] = []

    def finest(window: Tensor) -> Tensor:
        features = segmenter.image_features(window)
        bottlenecks.append(features.bottleneck)
        return features.levels[0]

    blended = _blend(segmenter, finest, volume, windows)
    places = [bottleneck.float().flatten(2).transpose(0, 1).flatten(1) for bottleneck in bottlenecks]
    return VolumeFeatures(blended, torch.cat(places, dim=1))


def volume_logits(
    segmenter: TextSegmenter, volume: Tensor, prompts: Tensor, windows: Windows = Windows()
) -> tuple[Tensor, Tensor]:
    """Blended logits (P, D, H, W) and presence logits (P) for prompt embeddings (P, E): for either connector, with
    memory for P.
    """
    presences: list[Tensor] = []

    def logits(window: Tensor) -> Tensor:
        features = segmenter.image_features(window)
        first, *_, last = segmenter.queries(prompts, features.bottleneck)
        presences.append(presence_logits(last, features.bottleneck))
        return first.logits(features.levels[0])

    blended = _blend(segmenter, logits, volume, windows)
    return blended, torch.cat(presences).float().amax(dim=0)


def presence(features: VolumeFeatures, queries: Sequence[Queries]) -> Tensor:
    """Presence logits (P): the largest over all windows."""
    return presence_logits(queries[-1], features.bottleneck.unsqueeze(0))[0]


@torch.no_grad()
def label_map(
    features: VolumeFeatures, queries: Sequence[Queries], *, threshold: float = 0.5, presence_threshold: float = 0.5
) -> Tensor:
    """(D, H, W) int16: the number of the prompt, counted from 1, whose logit is highest in each voxel, or 0 where
    none is likely.

    A voxel is likely above `threshold`, a structure that is present with less than `presence_threshold` has none.
    """
    there = (presence(features, queries).sigmoid() >= presence_threshold).nonzero()[:, 0]
    voxels = features.finest.flatten(1)
    labels = torch.zeros(voxels.shape[1], dtype=torch.int16, device=voxels.device)
    numbers, least = (there + 1).to(torch.int16), _logit(threshold)
    for part, logits in _logits_in_parts(voxels, _only(queries[0], there)):
        # The position of a maximum is far slower to find than the maximum: it is looked for where there is one to find.
        likely = logits.amax(dim=0) > least
        labels[part][likely] = numbers[logits[:, likely].argmax(dim=0)]
    return labels.view(features.finest.shape[1:])


@torch.no_grad()
def prompt_masks(
    features: VolumeFeatures, queries: Sequence[Queries], *, threshold: float = 0.5, presence_threshold: float = 0.5
) -> Iterator[Tensor]:
    """One mask (D, H, W), bool, for each prompt in turn; structures may overlap. Thresholds as in `label_map`."""
    there = (presence(features, queries).sigmoid() >= presence_threshold).tolist()
    voxels, least = features.finest.flatten(1), _logit(threshold)
    for number, is_there in enumerate(there):
        mask = torch.zeros(voxels.shape[1], dtype=torch.bool, device=voxels.device)
        one = torch.tensor([number] if is_there else [], dtype=torch.long, device=voxels.device)
        for part, logits in _logits_in_parts(voxels, _only(queries[0], one)):
            mask[part] = logits[0] > least
        yield mask.view(features.finest.shape[1:])


def _logit(probability: float) -> float:
    if not 0 <= probability <= 1:
        raise ValueError(f"a threshold is a probability from 0 to 1, not {probability}")
    return float(torch.logit(torch.tensor(probability, dtype=torch.float64)))


def _only(queries: Queries, which: Tensor) -> Queries:
    return Queries(queries.vectors[which], queries.scale[which], queries.bias[which])


def _logits_in_parts(voxels: Tensor, queries: Queries) -> Iterator[tuple[slice, Tensor]]:
    """Features (C, N) to logits (P, n) of n voxels at a time, with the place of these; nothing without prompts."""
    count = len(queries.scale)
    step = LOGITS_AT_ONCE // max(count, 1) + 1
    for start in range(0, voxels.shape[1] if count else 0, step):
        part = slice(start, start + step)
        yield part, queries.logits(voxels[None, :, part])[0]


def _blend(segmenter: TextSegmenter, function: Callable[[Tensor], Tensor], volume: Tensor, windows: Windows) -> Tensor:
    from monai.inferers.utils import sliding_window_inference

    if volume.dim() != 4 or volume.shape[0] != segmenter.image.in_channels:
        raise ValueError(f"a volume is ({segmenter.image.in_channels}, D, H, W), not {tuple(volume.shape)}")
    segmenter.image.architecture.check_patch(windows.size)
    run = faster(segmenter.image, function, precision=windows.precision, compile=windows.compile)
    with torch.no_grad():
        blended = sliding_window_inference(
            volume.unsqueeze(0),
            windows.size,
            windows.batch,
            run,
            overlap=windows.overlap,
            mode="gaussian",
            cval=float(volume.min()),
        )
    assert isinstance(blended, Tensor)
    return blended[0]
