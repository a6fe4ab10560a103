"""Windows -> logits, second half: the logits of all prompts over a volume, stored on the network's own grid.

What is stored are the logits of the queries of P prompts, or the C features that they follow from, whichever takes less
room. Logits of queries are linear in features, so interpolating either to the scan's voxels gives the interpolated
logits; where a prompt has several queries, theirs are joined afterwards.

With the `mlp` connector queries hold for the whole volume: features are blended over windows once, whatever P is. With
`cross_attention` they differ from window to window, so the logits of P prompts are blended, beside the features that
say whether a structure is there.

Shapes: P prompts, p some of them, E embedding, C feature channels, K stored channels (queries of the P prompts, or C),
D H W voxels of the network's grid, X Y Z voxels of the scan, N any number of voxels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from models.connectors import Queries, joined_logits, query_numbers
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits
from train.scans.grid import Grid

from .logit_storage import allocate, store
from .mask_volume import LOGITS_AT_ONCE, MaskVolume
from .windows import Windows, blended_slabs

# The sums of prompts whose logits are blended in one pass (cross_attention).
SUMS_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class LogitVolume(MaskVolume):
    """The logits of P prompts at every voxel of a volume, and whether each prompt's structure is there at all.

    `stored` (K, D, H, W) float16 holds logits where `queries` is None, else features. `members` lists for each prompt
    the texts that the model was asked whose largest logit is the prompt's; None where each prompt is one of its own, in
    order. Of each text there are `per_prompt` channels, or queries.
    """

    presence: Tensor
    queries: Queries | None = None
    members: tuple[tuple[int, ...], ...] | None = None
    per_prompt: int = 1

    def unions(self, members: Sequence[tuple[int, ...]], presence_logit: float) -> LogitVolume:
        """Return the logits of prompts that each stand for several of these: the union of their masks.

        A member that is present with a logit below `presence_logit` adds no voxel, unless all members are absent.
        """
        presence = torch.stack([self.presence[list(numbers)].amax() for numbers in members])
        present_members = [
            tuple(number for number in numbers if self.presence[number] >= presence_logit) or numbers
            for numbers in members
        ]
        return LogitVolume(self.stored, presence, self.grid, self.queries, tuple(present_members), self.per_prompt)

    def logits(self, values: Tensor, prompts: Tensor) -> Tensor:
        """Return the logits (p, N) of the prompts numbered in `prompts` (p), from stored values (K, N)."""
        if self.members is None:
            return self._channel_logits(values, prompts)
        members = [self.members[number] for number in prompts.tolist()]
        channels = torch.tensor([channel for numbers in members for channel in numbers], dtype=torch.long)
        logits = self._channel_logits(values, channels)
        by_prompt = torch.split(logits, [len(numbers) for numbers in members])
        return torch.stack([of_members.amax(dim=0) for of_members in by_prompt]) if by_prompt else logits

    def _channel_logits(self, values: Tensor, numbers: Tensor) -> Tensor:
        if self.queries is not None:
            return self.queries.of_prompts(numbers).logits(values[None])[0]
        rows = query_numbers(numbers, self.per_prompt)
        chosen = values if torch.equal(rows, torch.arange(len(values))) else values[rows]
        return joined_logits(chosen, self.per_prompt, 0)

    def of_prompt(self, number: int) -> LogitVolume:
        """Return one prompt's logits as a volume of their own, which are sampled far faster than all features."""
        prompts = torch.tensor([number])
        return LogitVolume(stored_logits(self.network_slabs(prompts), self.grid), self.presence[prompts], self.grid)


def stored_logits(slabs: Iterable[Tensor], grid: Grid) -> np.ndarray:
    """Return the logits of one prompt, (1, D, H, W) float16, from slabs (1, n * H * W) of a network's grid."""
    stored, start = allocate((1, *grid.shape)), 0
    for logits in slabs:
        slab = logits.view(1, -1, *grid.shape[1:])
        store(stored, start, slab)
        start += slab.shape[1]
    return stored


def predict_logits(
    segmenter: TextSegmenter,
    volume: Tensor,
    grid: Grid,
    embeddings: Tensor,
    windows: Windows,
    progress: Progress | None = None,
) -> LogitVolume:
    """Run the network over a volume (1, D, H, W), intensities scaled, for prompt embeddings (P, E).

    The windows run once with `mlp`; with `cross_attention` once for as many prompts as there is room to blend. Raises
    LogitStorageError if the disk has no room.
    """
    embeddings = embeddings.to(next(segmenter.connector.parameters()).device)
    if segmenter.connector.needs_image:
        return _predict_in_passes(segmenter, volume, grid, embeddings, windows, progress)
    channels = segmenter.image.feature_channels[0]
    with torch.no_grad():
        finest_queries, *_, presence_queries = segmenter.queries(embeddings)
    statistics = MaskStatistics.none(1, len(embeddings), channels, embeddings.device)
    per_prompt, queries_of_all = finest_queries.per_prompt, len(finest_queries.bias)
    store_features = queries_of_all > channels
    stored = allocate((channels if store_features else queries_of_all, *grid.shape))

    def finest_features(window: Tensor) -> Tensor:
        return segmenter.image_features(window).levels[0]

    for start, values in blended_slabs(segmenter.image, finest_features, volume, windows, progress):
        for offset, features in _thin_slabs(values, queries_of_all):
            logits = finest_queries.query_logits(features[None])
            statistics = statistics.plus(MaskStatistics.of(joined_logits(logits, per_prompt, 1), features[None]))
            store(stored, start + offset, features if store_features else logits[0])
    queries = finest_queries.float_on_cpu() if store_features else None
    presence = presence_logits(presence_queries, statistics)[0].cpu()
    return LogitVolume(stored, presence, grid, queries, per_prompt=per_prompt)


def _predict_in_passes(
    segmenter: TextSegmenter,
    volume: Tensor,
    grid: Grid,
    embeddings: Tensor,
    windows: Windows,
    progress: Progress | None,
) -> LogitVolume:
    per_prompt = segmenter.connector.per_prompt
    stored = allocate((len(embeddings) * per_prompt, *grid.shape))
    presence: list[Tensor] = []
    depth, height, width = (max(voxels, size) for voxels, size in zip(grid.shape, windows.size, strict=True))
    channels = segmenter.image.feature_channels[0]
    sums = SUMS_BYTES // (4 * min(depth, windows.size[0]) * height * width)
    at_once = max((sums - channels) // per_prompt, 1)
    progress = _ProgressOfPasses(progress or Progress(), -(-len(embeddings) // at_once))
    for begin in range(0, len(embeddings), at_once):
        chunk = embeddings[begin : begin + at_once]
        count = len(chunk) * per_prompt
        channels_of_chunk = slice(begin * per_prompt, begin * per_prompt + count)
        statistics = MaskStatistics.none(1, len(chunk), channels, embeddings.device)

        def logits_and_features(window: Tensor, chunk: Tensor = chunk) -> Tensor:
            features = segmenter.image_features(window)
            with _in_float32(window):
                queries = segmenter.queries(chunk, features.bottleneck.float())[0]
                finest = features.levels[0].float()
                return torch.cat((queries.query_logits(finest), finest), dim=1)

        for start, values in blended_slabs(segmenter.image, logits_and_features, volume, windows, progress):
            for offset, slab in _thin_slabs(values, count):
                logits, features = slab[:count], slab[count:]
                of_prompts = joined_logits(logits[None], per_prompt, 1)
                statistics = statistics.plus(MaskStatistics.of(of_prompts, features[None]))
                store(stored[channels_of_chunk], start + offset, logits)
        presence.append(presence_logits(segmenter.presence_queries(chunk), statistics)[0].cpu())
    return LogitVolume(stored, torch.cat(presence), grid, per_prompt=per_prompt)


def _thin_slabs(values: Tensor, queries: int) -> Iterator[tuple[int, Tensor]]:
    """Yield (K, n, H, W) in slabs so thin that the logits of so many queries fit a cache, each with its first slice."""
    step = max(LOGITS_AT_ONCE // (max(queries, 1) * values[0, 0].numel()), 1)
    for start in range(0, values.shape[1], step):
        yield start, values[:, start : start + step]


class _ProgressOfPasses(Progress):
    """Counts the windows of several passes as one run."""

    def __init__(self, progress: Progress, passes: int) -> None:
        self._progress, self._passes, self._started = progress, passes, False

    def start(self, total: int | None, done: int) -> None:
        if not self._started and total is not None:
            self._progress.start(self._passes * total, done)
        self._started = True

    def advance(self) -> None:
        self._progress.advance()

    def raise_if_interrupted(self) -> None:
        self._progress.raise_if_interrupted()


def _in_float32(window: Tensor) -> AbstractContextManager[None]:
    """Switch autocast off: the product with a query is cheap and decides; only convolutions gain by half precision."""
    return torch.autocast(window.device.type, enabled=False)
