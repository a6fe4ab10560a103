"""Logits -> label map: which prompt each voxel of the scan is assigned to, and what one label a voxel cannot show.

Masks of prompts may overlap. In the label map a structure that lies inside another one is kept, and among the rest the
highest logit decides; `OverlapStore` keeps which other masks a voxel belongs to, so that each prompt's own mask can be
given back whole. Shapes: P prompts, p those that are present, X Y Z voxels of the scan, N any number of voxels.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from train.scans.scan import Scan

from .label_totals import LabelTotals
from .mask_volume import MaskVolume

# Masks that barely overlap stay far below; what is more goes to a temporary file without a name.
IN_MEMORY_BYTES = 1 << 28
# A mask lies inside a larger one that has this share of its voxels.
NESTED = 0.75
# Logits of voxels that are assigned together: 16 MiB.
LOGITS_AT_ONCE = 1 << 22


class _Chunk(NamedTuple):
    offset: int
    voxels: int


class OverlapStore:
    """Stores which masks hold the voxels that several masks hold, chunk by chunk.

    A voxel takes 4 bytes (8 in scans of 4 billion voxels), and a bit for each mask. `size` is the number of voxels of
    the scan, `labels` are those of the masks, in their order.
    """

    def __init__(self, size: int, labels: list[int]) -> None:
        self._index_type = np.dtype(np.uint32 if size <= np.iinfo(np.uint32).max else np.int64)
        self.labels = labels
        self._rows = {label: row for row, label in enumerate(labels)}
        self._chunks: list[_Chunk] = []
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        """The number of voxels that several masks hold."""
        return sum(chunk.voxels for chunk in self._chunks)

    def add(self, voxels: np.ndarray, masks: np.ndarray) -> None:
        """Store voxels (M), by their flat index, and the masks there (p, M), bool, in the order of the labels."""
        if len(voxels):
            self._chunks.append(_Chunk(self._file.seek(0, 2), len(voxels)))
            self._file.write(voxels.astype(self._index_type).tobytes())
            self._file.write(np.packbits(masks, axis=1).tobytes())

    def voxels_of(self, label: int) -> np.ndarray:
        """Return the flat index, int64, of each voxel that the mask of `label` shares with another mask."""
        row = self._rows.get(label)
        indices = [np.empty(0, np.int64)]
        for offset, count in self._chunks if row is not None else ():
            assert row is not None
            voxels = np.frombuffer(self._read(offset, count * self._index_type.itemsize), self._index_type)
            width = -(-count // 8)
            bits = self._read(offset + count * self._index_type.itemsize + row * width, width)
            in_mask = np.unpackbits(np.frombuffer(bits, np.uint8), count=count).astype(bool)
            indices.append(voxels[in_mask].astype(np.int64))
        return np.concatenate(indices)

    def chunks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield what was added: voxels (M), int64, by their flat index, and the masks there (p, M), bool."""
        for offset, count in self._chunks:
            voxels = np.frombuffer(self._read(offset, count * self._index_type.itemsize), self._index_type)
            width = -(-count // 8)
            bits = self._read(offset + count * self._index_type.itemsize, width * len(self.labels))
            packed = np.frombuffer(bits, np.uint8).reshape(len(self.labels), width)
            yield voxels.astype(np.int64), np.unpackbits(packed, axis=1, count=count).astype(bool)

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


def shared_voxels(slabs: Iterable[Tensor], count: int, threshold_logit: float) -> Tensor:
    """Count the voxels that each two of `count` masks share, (p, p) float64, from slabs of logits (p, N).

    The diagonal has the size of each mask.
    """
    shared = torch.zeros(count, count, dtype=torch.float64)
    for logits in slabs:
        masks = logits > threshold_logit
        masks_per_voxel = masks.sum(dim=0)
        alone = (masks & (masks_per_voxel == 1)).sum(dim=1)
        # Most voxels are in one mask or none: the product is left to the others.
        several = masks[:, masks_per_voxel > 1].float()
        shared += (several @ several.T).double() + torch.diag(alone.double())
    return shared


def nesting_depths(shared: Tensor) -> Tensor:
    """Return how many masks hold each one, one inside the other, (p) int64, from the voxels that masks share (p, p)."""
    sizes = shared.diagonal()
    depths = torch.zeros(len(sizes), dtype=torch.int64)
    for inner in sorted(range(len(sizes)), key=lambda number: (-float(sizes[number]), number)):
        holders = (shared[inner] >= NESTED * sizes[inner]) & (sizes > sizes[inner]) & (sizes[inner] > 0)
        # Of two masks alike the later prompt is taken to be inside the earlier one, so that there is an order.
        twins = (sizes == sizes[inner]) & (shared[inner] >= NESTED * sizes[inner]) & (sizes[inner] > 0)
        holders |= twins & (torch.arange(len(sizes)) < inner)
        if holders.any():
            depths[inner] = depths[holders].max() + 1
    return depths


def assign_voxels(logits: Tensor, depths: Tensor, threshold_logit: float) -> Tensor:
    """Return the number from 0 of the prompt that each voxel is assigned to, -1 for none, (N), from logits (p, N).

    Among the masks that hold a voxel the most deeply nested one gets it, and of equals the one with the highest logit.
    """
    masks = logits > threshold_logit
    deepest = torch.where(masks, depths[:, None].to(torch.int16), -1).amax(dim=0)
    if bool((depths != depths[0]).any()):
        logits = logits.masked_fill(~masks | (depths[:, None] != deepest), -torch.inf)
    return torch.where(deepest < 0, -1, logits.argmax(dim=0))


@dataclass(eq=False)
class LabelMapBuilder:
    """Builds the label map (X, Y, Z) of a scan, with what is measured on the way and the overlaps of masks."""

    scan: Scan
    labels: np.ndarray
    totals: LabelTotals
    overlaps: OverlapStore

    @classmethod
    def empty(cls, scan: Scan, count: int, prompts: Tensor) -> LabelMapBuilder:
        """Return a builder for labels 1 to `count`, of which the prompts numbered in `prompts` (p) are present."""
        labels = np.zeros(scan.voxels.shape, np.uint8 if count <= 255 else np.int16)
        return cls(scan, labels, LabelTotals(count), OverlapStore(labels.size, (prompts + 1).tolist()))

    def assign(
        self, volume: MaskVolume, prompts: Tensor, depths: Tensor, threshold_logit: float, progress: Progress
    ) -> None:
        """Assign voxels with a logit above `threshold_logit` to the prompts numbered in `prompts` (p).

        `depths` (p) says how deeply each mask is nested.
        """
        voxels_at_once = LOGITS_AT_ONCE // len(prompts) + 1
        for slices, values in volume.resampled_slabs():
            progress.raise_if_interrupted()
            slab = np.zeros(values.shape[1], self.labels.dtype)
            hu = torch.from_numpy(np.ascontiguousarray(self.scan.voxels[..., slices]).reshape(-1))
            for start in range(0, len(slab), voxels_at_once):
                logits = volume.logits(values[:, start : start + voxels_at_once], prompts)
                voxels = (logits.amax(dim=0) > threshold_logit).nonzero()[:, 0]
                if not len(voxels):
                    continue
                logits, voxels = logits[:, voxels], voxels + start
                assigned, masks = assign_voxels(logits, depths, threshold_logit), logits > threshold_logit
                slab[voxels.numpy()] = (prompts[assigned] + 1).numpy()
                self.totals.add(prompts, masks, hu[voxels], assigned)
                several = masks.sum(dim=0) > 1
                self.overlaps.add(self._index_in_scan(slices, voxels[several]).numpy(), masks[:, several].numpy())
            self.labels[..., slices] = slab.reshape(*self.labels.shape[:2], -1)

    def _index_in_scan(self, slices: slice, voxels: Tensor) -> Tensor:
        """Turn flat indices of a slab (X, Y, n) into flat indices of the scan (X, Y, Z)."""
        thickness: int = slices.stop - slices.start
        return torch.add(voxels // thickness * self.labels.shape[2] + voxels % thickness, slices.start)
