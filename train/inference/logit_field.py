"""What a network says of a volume, on its own grid: logits of P prompts, or C features from which they follow.

Both are linear in each other, so interpolating either to the scan's voxels gives the interpolated logits; what takes
less room is kept, in half precision. Up to a gigabyte stays in memory; more goes to a temporary file that has no name,
so that nothing is left of it however the process ends. Shapes: K channels (P or C), D H W of the network's grid, X Y Z
of the scan.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from curation.runtime.errors import OvctError
from curation.runtime.progress import Progress
from models.connectors import Queries
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits
from train.scans.grid import Grid, sample_slab

from .windows import LOGITS_AT_ONCE, Windows, blended_slabs

IN_MEMORY_BYTES = 1 << 30
# Voxels of the scan that are interpolated at once, all channels together.
SLAB_BYTES = 1 << 27
# The sums of prompts whose logits are blended in one pass (cross_attention).
SUMS_BYTES = 1 << 30
# Half precision ends at 65504, and a logit of that size is as sure as can be.
LARGEST = 6e4


class FieldError(OvctError, ValueError):
    """There is no room for the field."""

    exit_code = 2


@dataclass(frozen=True, eq=False)
class LogitField:
    """`stored` (K, D, H, W) float16: logits where `queries` is None, else features. `presence` logits (P), float32.

    `rows`: the queries, or logits, whose largest is a prompt's; None where each prompt has one, in order.
    """

    stored: np.ndarray
    queries: Queries | None
    presence: Tensor
    grid: Grid
    rows: tuple[tuple[int, ...], ...] | None = None

    def united(self, rows: Sequence[tuple[int, ...]], least: float) -> LogitField:
        """The field of prompts that each stand for several of this one's: the union of their masks.

        A part that is present with a logit below `least` has no voxel, unless all are absent.
        """
        presence = torch.stack([self.presence[list(each)].amax() for each in rows])
        there = [tuple(row for row in each if self.presence[row] >= least) or each for each in rows]
        return LogitField(self.stored, self.queries, presence, self.grid, tuple(there))

    def slabs(self) -> Iterator[tuple[slice, Tensor]]:
        """What is stored at the scan's voxels, (K, X * Y * n) float32, for n slices of its third axis at a time."""
        x, y, z = self.grid.scan_shape
        step = max(SLAB_BYTES // (4 * len(self.stored) * x * y), 1)
        for start in range(0, z, step):
            part = slice(start, min(start + step, z))
            yield part, sample_slab(self.stored, self.grid, part.start, part.stop).flatten(1)
            _let_go(self.stored)

    def logits(self, values: Tensor, which: Tensor) -> Tensor:
        """Of stored values (K, N) the logits (p, N) of the prompts numbered in `which` (p)."""
        if self.rows is None:
            return self._of_rows(values, which)
        wanted = [self.rows[number] for number in which.tolist()]
        every = self._of_rows(values, torch.tensor([row for rows in wanted for row in rows], dtype=torch.long))
        parts = torch.split(every, [len(rows) for rows in wanted])
        return torch.stack([part.amax(dim=0) for part in parts]) if parts else every

    def _of_rows(self, values: Tensor, which: Tensor) -> Tensor:
        if self.queries is None:
            return values if torch.equal(which, torch.arange(len(values))) else values[which]
        vectors, scale, bias = (part[which] for part in self.queries)
        return Queries(vectors, scale, bias).logits(values[None])[0]

    def own_slabs(self, which: Tensor) -> Iterator[Tensor]:
        """Logits (p, n * H * W), float32, on the network's own grid, slices of D after each other."""
        step = max(LOGITS_AT_ONCE // (max(len(which), 1) * self.stored[0, 0].size), 1)
        for start in range(0, self.stored.shape[1], step):
            part = np.array(self.stored[:, start : start + step])
            yield self.logits(torch.from_numpy(part).float().flatten(1), which)
            _let_go(self.stored)

    def of_one(self, number: int) -> LogitField:
        """The field of one prompt: its logits, which are sampled far faster than all features."""
        which = torch.tensor([number])
        stored, at = room((1, *self.stored.shape[1:])), 0
        for logits in self.own_slabs(which):
            slices = logits.view(1, -1, *self.stored.shape[2:])
            _put(stored, at, slices)
            at += slices.shape[1]
        return LogitField(stored, None, self.presence[which], self.grid)


def logit_field(
    segmenter: TextSegmenter,
    volume: Tensor,
    grid: Grid,
    prompts: Tensor,
    windows: Windows,
    progress: Progress | None = None,
) -> LogitField:
    """Runs the windows over a volume (1, D, H, W) for prompt embeddings (P, E).

    With `mlp` once; with `cross_attention` once for as many prompts as there is room to blend. FieldError where the
    disk has no room.
    """
    prompts = prompts.to(next(segmenter.connector.parameters()).device)
    if segmenter.connector.needs_image:
        return _image_queries(segmenter, volume, grid, prompts, windows, progress)
    channels = segmenter.image.feature_channels[0]
    with torch.no_grad():
        first, *_, last = segmenter.queries(prompts)
    held = MaskStatistics.none(1, len(prompts), channels, prompts.device)
    as_features = len(prompts) > channels
    stored = room((channels if as_features else len(prompts), *grid.shape))

    def finest(window: Tensor) -> Tensor:
        return segmenter.image_features(window).levels[0]

    for start, values in blended_slabs(segmenter, finest, volume, windows, progress):
        for at, features in _in_parts(values, len(prompts)):
            logits = first.logits(features[None])
            held = held.plus(MaskStatistics.of(logits, features[None]))
            _put(stored, start + at, features if as_features else logits[0])
    kept = Queries(*(part.float().cpu() for part in first)) if as_features else None
    return LogitField(stored, kept, presence_logits(last, held)[0].cpu(), grid)


def _image_queries(
    segmenter: TextSegmenter, volume: Tensor, grid: Grid, prompts: Tensor, windows: Windows, progress: Progress | None
) -> LogitField:
    stored = room((len(prompts), *grid.shape))
    presence: list[Tensor] = []
    deep, high, wide = (max(voxels, size) for voxels, size in zip(grid.shape, windows.size, strict=True))
    channels = segmenter.image.feature_channels[0]
    at_once = max(SUMS_BYTES // (4 * min(deep, windows.size[0]) * high * wide) - channels, 1)
    progress = _Passes(progress or Progress(), -(-len(prompts) // at_once))
    for begin in range(0, len(prompts), at_once):
        part = slice(begin, begin + at_once)
        asked = prompts[part]
        held = MaskStatistics.none(1, len(asked), channels, prompts.device)

        def held_against(window: Tensor, asked: Tensor = asked) -> Tensor:
            features = segmenter.image_features(window)
            with _in_float32(window):
                first = segmenter.queries(asked, features.bottleneck.float())[0]
                finest = features.levels[0].float()
                return torch.cat((first.logits(finest), finest), dim=1)

        for start, values in blended_slabs(segmenter, held_against, volume, windows, progress):
            for at, both in _in_parts(values, len(asked)):
                held = held.plus(MaskStatistics.of(both[None, : len(asked)], both[None, len(asked) :]))
                _put(stored[part], start + at, both[: len(asked)])
        presence.append(presence_logits(segmenter.presence_queries(asked), held)[0].cpu())
    return LogitField(stored, None, torch.cat(presence), grid)


def _in_parts(values: Tensor, prompts: int) -> Iterator[tuple[int, Tensor]]:
    """Slices of D of (K, n, H, W), as many as the logits of so many prompts have room for, with their place."""
    step = max(LOGITS_AT_ONCE // (max(prompts, 1) * values[0, 0].numel()), 1)
    for start in range(0, values.shape[1], step):
        yield start, values[:, start : start + step]


class _Passes(Progress):
    """Counts the windows of several passes as one."""

    def __init__(self, progress: Progress, passes: int) -> None:
        self._progress, self._passes, self._expected = progress, passes, False

    def start(self, total: int | None, done: int) -> None:
        if not self._expected and total is not None:
            self._progress.start(self._passes * total, done)
        self._expected = True

    def advance(self) -> None:
        self._progress.advance()

    def raise_if_interrupted(self) -> None:
        self._progress.raise_if_interrupted()


def _in_float32(window: Tensor) -> AbstractContextManager[None]:
    """Only convolutions are worth half precision: the product with a query is cheap, and decides."""
    return torch.autocast(window.device.type, enabled=False)


def room(shape: tuple[int, ...]) -> np.ndarray:
    """A float16 array, in memory or in a temporary file that vanishes with it."""
    size = 2 * int(np.prod(shape, dtype=np.int64))
    if size <= IN_MEMORY_BYTES:
        return np.empty(shape, np.float16)
    with tempfile.TemporaryFile() as file:
        try:
            # A file with holes would end the process, not the call, when the disk is full.
            if sys.platform == "linux":
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
        except OSError as error:
            raise FieldError(
                f"no room for {size / 2**30:.1f} GiB of the network's features in {tempfile.gettempdir()} "
                f"({error.strerror}): set TMPDIR to a folder on a larger disk"
            ) from error
        return np.memmap(file, np.float16, "r+", shape=shape)


def _put(stored: np.ndarray, start: int, values: Tensor) -> None:
    stored[:, start : start + values.shape[1]] = values.clamp(-LARGEST, LARGEST).half().cpu().numpy()
    _let_go(stored)


def _let_go(stored: np.ndarray) -> None:
    """Pages of a file that were read or written leave this process' memory; the system keeps or writes them."""
    base: object = stored
    while isinstance(base, np.ndarray):
        base = base.base
    if sys.platform == "linux" and isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
