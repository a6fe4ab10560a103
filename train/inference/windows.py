"""Whole volumes: overlapping windows through the network, blended once, and then held against any number of prompts.

With the `mlp` connector the features are blended (C channels) and multiplied with the queries afterwards, a slab at a
time: time and memory hardly depend on the number of prompts P. With `cross_attention` queries differ from window to
window, so the P logits themselves are blended, beside the features that say whether a structure is there. Windows run
in the order of D, and only one window's depth of the sums is held: what is finished is handed out. Shapes: P prompts,
C channels, K of either, D H W voxels of the volume.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from curation.runtime.progress import Progress
from models.connectors import Queries
from models.inference import Precision, faster
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits

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

    def starts(self, shape: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
        """Where windows begin along D, H and W of a volume of this shape; one that would stand out is moved back."""
        deep, high, wide = (
            _starts(voxels, size, max(int(size * (1 - self.overlap)), 1))
            for voxels, size in zip(shape, self.size, strict=True)
        )
        return deep, high, wide


class Slab(NamedTuple):
    """Slices from `start` on of what was blended, (K, n, H, W) float32; overwritten when the next one is asked for."""

    start: int
    values: Tensor


@torch.no_grad()
def blended_slabs(
    segmenter: TextSegmenter,
    function: Callable[[Tensor], Tensor],
    volume: Tensor,
    windows: Windows = Windows(),
    progress: Progress | None = None,
) -> Iterator[Slab]:
    """What `function` makes of windows (B, 1, d, h, w), (B, K, d, h, w), blended over a volume (1, D, H, W): slab by
    slab, in the order of D.

    Windows are weighed by a Gaussian, and where a volume is smaller than a window it is padded with its lowest value,
    both as MONAI's sliding_window_inference does. The sums are held where the network is, for one window's depth.
    `progress` counts windows. ValueError for a volume or a window of a wrong shape.
    """
    progress = progress or Progress()
    _check(segmenter, volume, windows)
    run = faster(segmenter.image, function, precision=windows.precision, compile=windows.compile)
    device = next(segmenter.image.parameters()).device
    (before, shape), volume = _margins(volume, windows), padded(volume, windows.size)
    deep, high, wide = windows.starts(volume.shape[1:])
    progress.start(len(deep) * len(high) * len(wide), 0)
    weight, sums, total = _gaussian(windows.size).to(device), torch.empty(0), torch.empty(0)
    for start, following in zip(deep, [*deep[1:], volume.shape[1]], strict=True):
        for places in _batches(list(product(high, wide)), windows.batch):
            progress.raise_if_interrupted()
            batch = torch.stack([_window(volume, (start, *place), windows.size) for place in places])
            for place, made in zip(places, run(batch.to(device)), strict=True):
                if not sums.numel():
                    sums = torch.zeros(len(made), windows.size[0], *volume.shape[2:], device=device)
                    total = torch.zeros_like(sums[:1])
                _window(sums, (0, *place), windows.size).add_(made * weight)
                _window(total, (0, *place), windows.size).add_(weight)
                progress.advance()
        finished = following - start
        yield from _without_margins(start, sums[:, :finished].div_(total[:, :finished]), before, shape)
        _move_up(sums, finished)
        _move_up(total, finished)


def volume_features(
    segmenter: TextSegmenter, volume: Tensor, windows: Windows = Windows(), progress: Progress | None = None
) -> Tensor:
    """A volume (1, D, H, W), preprocessed as the checkpoint says, to its finest features (C, D, H, W), blended: all
    that the network says of it before any prompt. Each window runs once.
    """
    refuse_image_queries(segmenter)

    def finest(window: Tensor) -> Tensor:
        return segmenter.image_features(window).levels[0]

    return _whole(blended_slabs(segmenter, finest, volume, windows, progress), volume)


def volume_logits(
    segmenter: TextSegmenter, volume: Tensor, prompts: Tensor, windows: Windows = Windows()
) -> tuple[Tensor, Tensor]:
    """Blended logits (P, D, H, W) and presence logits (P) for prompt embeddings (P, E): for either connector, with
    memory for P.
    """

    def held_against(window: Tensor) -> Tensor:
        features = segmenter.image_features(window)
        first = segmenter.queries(prompts, features.bottleneck)[0]
        return torch.cat((first.logits(features.levels[0]), features.levels[0]), dim=1)

    blended = _whole(blended_slabs(segmenter, held_against, volume, windows), volume)
    logits, finest = blended[: len(prompts)], blended[len(prompts) :]
    return logits, presence_logits(segmenter.presence_queries(prompts), MaskStatistics.of(logits[None], finest[None]))[
        0
    ]


def refuse_image_queries(segmenter: TextSegmenter) -> None:
    """ValueError where features cannot be blended before they are held against prompts."""
    if segmenter.connector.needs_image:
        raise ValueError("cross_attention looks at each window anew: use volume_logits")


@torch.no_grad()
def presence(features: Tensor, queries: Sequence[Queries]) -> Tensor:
    """Presence logits (P) in a volume of features (C, D, H, W)."""
    voxels, count = features.flatten(1)[None], len(queries[0].scale)
    held = MaskStatistics.none(1, count, len(features), features.device)
    for part, logits in _logits_in_parts(voxels[0], queries[0]):
        held = held.plus(MaskStatistics.of(logits[None], voxels[..., part]))
    return presence_logits(queries[-1], held)[0]


@torch.no_grad()
def label_map(
    features: Tensor, queries: Sequence[Queries], *, threshold: float = 0.5, presence_threshold: float = 0.5
) -> Tensor:
    """(D, H, W) int16: the number of the prompt, counted from 1, whose logit is highest in each voxel, or 0 where
    none is likely.

    A voxel is likely above `threshold`, a structure that is present with less than `presence_threshold` has none.
    """
    there = (presence(features, queries).sigmoid() >= presence_threshold).nonzero()[:, 0]
    voxels = features.flatten(1)
    labels = torch.zeros(voxels.shape[1], dtype=torch.int16, device=voxels.device)
    numbers, least = (there + 1).to(torch.int16), logit_of(threshold)
    for part, logits in _logits_in_parts(voxels, _only(queries[0], there)):
        # The position of a maximum is far slower to find than the maximum: it is looked for where there is one to find.
        likely = logits.amax(dim=0) > least
        labels[part][likely] = numbers[logits[:, likely].argmax(dim=0)]
    return labels.view(features.shape[1:])


@torch.no_grad()
def prompt_masks(
    features: Tensor, queries: Sequence[Queries], *, threshold: float = 0.5, presence_threshold: float = 0.5
) -> Iterator[Tensor]:
    """One mask (D, H, W), bool, for each prompt in turn; structures may overlap. Thresholds as in `label_map`."""
    there = (presence(features, queries).sigmoid() >= presence_threshold).tolist()
    voxels, least = features.flatten(1), logit_of(threshold)
    for number, is_there in enumerate(there):
        mask = torch.zeros(voxels.shape[1], dtype=torch.bool, device=voxels.device)
        one = torch.tensor([number] if is_there else [], dtype=torch.long, device=voxels.device)
        for part, logits in _logits_in_parts(voxels, _only(queries[0], one)):
            mask[part] = logits[0] > least
        yield mask.view(features.shape[1:])


def logit_of(probability: float) -> float:
    """The logit that a probability from 0 to 1 stands for, infinite at both ends; ValueError for no probability."""
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


def _check(segmenter: TextSegmenter, volume: Tensor, windows: Windows) -> None:
    if volume.dim() != 4 or volume.shape[0] != segmenter.image.in_channels:
        raise ValueError(f"a volume is ({segmenter.image.in_channels}, D, H, W), not {tuple(volume.shape)}")
    segmenter.image.architecture.check_patch(windows.size)


def _starts(voxels: int, size: int, step: int) -> list[int]:
    count = 1 if voxels <= size else -(-(voxels - size) // step) + 1
    return [min(number * step, max(voxels - size, 0)) for number in range(count)]


def _window(tensor: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    deep, high, wide = (slice(at, at + voxels) for at, voxels in zip(start, size, strict=True))
    return tensor[:, deep, high, wide]


def _batches(places: list[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    for start in range(0, len(places), size):
        yield places[start : start + size]


def _gaussian(size: Sequence[int]) -> Tensor:
    from monai.data.utils import compute_importance_map

    weight = compute_importance_map(tuple(size), mode="gaussian", sigma_scale=0.125)
    assert isinstance(weight, Tensor)
    return weight


def _margins(volume: Tensor, windows: Windows) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """How many voxels are padded before D, H and W, and the volume's own shape."""
    deep, high, wide = (max(size - voxels, 0) // 2 for size, voxels in zip(windows.size, volume.shape[1:], strict=True))
    return (deep, high, wide), (volume.shape[1], volume.shape[2], volume.shape[3])


def padded(volume: Tensor, window: Sequence[int]) -> Tensor:
    """A volume (1, D, H, W) that holds a window at least: in the middle, its lowest value around it."""
    missing = [max(size - voxels, 0) for size, voxels in zip(window, volume.shape[1:], strict=True)]
    if not any(missing):
        return volume
    pad = [part for lacking in reversed(missing) for part in (lacking // 2, lacking - lacking // 2)]
    return functional.pad(volume, pad, value=float(volume.min()))


def _without_margins(
    start: int, values: Tensor, before: tuple[int, int, int], shape: tuple[int, int, int]
) -> Iterator[Slab]:
    """The part of finished slices that lies in the volume; nothing where none does."""
    first, last = max(start, before[0]), min(start + values.shape[1], before[0] + shape[0])
    if first < last:
        high, wide = (slice(at, at + voxels) for at, voxels in zip(before[1:], shape[1:], strict=True))
        yield Slab(first - before[0], values[:, first - start : last - start, high, wide])


def _move_up(sums: Tensor, by: int) -> None:
    """Begin `by` slices later. One slice at a time: the places overlap, and a copy of all would double the memory."""
    kept = sums.shape[1] - by
    for at in range(kept):
        sums[:, at] = sums[:, at + by]
    sums[:, max(kept, 0) :] = 0


def _whole(slabs: Iterator[Slab], volume: Tensor) -> Tensor:
    whole = torch.empty(0)
    for start, values in slabs:
        if not whole.numel():
            whole = values.new_empty(len(values), *volume.shape[1:])
        whole[:, start : start + values.shape[1]] = values
    return whole
