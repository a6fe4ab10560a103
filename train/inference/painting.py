"""Voxels that several masks claim, and which do: what a label map, one label a voxel, has no room for."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from train.scans.scan import Scan

from .label_table import Sums
from .logit_field import LogitField

# Masks that barely overlap stay far below; what is more goes to a temporary file without a name.
IN_MEMORY_BYTES = 1 << 28


class _Part(NamedTuple):
    offset: int
    voxels: int


class Claims:
    """Grows part by part; `size` is the number of voxels of the scan, `labels` are those of the masks, in their order.

    For each voxel it takes 4 bytes (8 in scans of 4 billion voxels), and a bit for each mask.
    """

    def __init__(self, size: int, labels: list[int]) -> None:
        self._place = np.dtype(np.uint32 if size <= np.iinfo(np.uint32).max else np.int64)
        self._rows = {label: row for row, label in enumerate(labels)}
        self._parts: list[_Part] = []
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        """Voxels that several masks claim."""
        return sum(part.voxels for part in self._parts)

    def add(self, places: np.ndarray, masks: np.ndarray) -> None:
        """Voxels (M), by their flat index, and the masks there (P, M), bool, in the order of the labels."""
        if len(places):
            self._parts.append(_Part(self._file.seek(0, 2), len(places)))
            self._file.write(places.astype(self._place).tobytes())
            self._file.write(np.packbits(masks, axis=1).tobytes())

    def of(self, label: int) -> np.ndarray:
        """The flat index of each voxel that the mask of `label` and another one claim."""
        row = self._rows.get(label)
        found = [np.empty(0, np.int64)]
        for offset, count in self._parts if row is not None else ():
            assert row is not None
            places = np.frombuffer(self._read(offset, count * self._place.itemsize), self._place)
            width = -(-count // 8)
            bits = self._read(offset + count * self._place.itemsize + row * width, width)
            mine = np.unpackbits(np.frombuffer(bits, np.uint8), count=count).astype(bool)
            found.append(places[mine].astype(np.int64))
        return np.concatenate(found)

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


NESTED = 0.75
# Logits of voxels that are painted together: 16 MiB.
PAINTED_AT_ONCE = 1 << 22


def overlaps(slabs: Iterable[Tensor], count: int, least: float) -> Tensor:
    """Voxels that each two masks share, (P, P) float64, with each mask's own on the diagonal, from logits (P, N)."""
    shared = torch.zeros(count, count, dtype=torch.float64)
    for logits in slabs:
        masks = logits > least
        claims = masks.sum(dim=0)
        own = (masks & (claims == 1)).sum(dim=1)
        # Most voxels are claimed once or never: the product is left to the others.
        several = masks[:, claims > 1].float()
        shared += (several @ several.T).double() + torch.diag(own.double())
    return shared


def depths(shared: Tensor) -> Tensor:
    """How many structures hold each one, one inside the other, (P): what is deeper is painted later."""
    own = shared.diagonal()
    depth = torch.zeros(len(own), dtype=torch.int64)
    for inner in sorted(range(len(own)), key=lambda one: (-float(own[one]), one)):
        holds = (shared[inner] >= NESTED * own[inner]) & (own > own[inner]) & (own[inner] > 0)
        # Of two masks alike the later prompt is taken to be inside the earlier one, so that there is an order.
        twin = (own == own[inner]) & (shared[inner] >= NESTED * own[inner]) & (own[inner] > 0)
        holds |= twin & (torch.arange(len(own)) < inner)
        if holds.any():
            depth[inner] = depth[holds].max() + 1
    return depth


def winners(logits: Tensor, depth: Tensor, least: float) -> Tensor:
    """The number from 0 of the prompt that has each voxel, -1 for none, (N), from logits (P, N)."""
    claims = logits > least
    deepest = torch.where(claims, depth[:, None].to(torch.int16), -1).amax(dim=0)
    if bool((depth != depth[0]).any()):
        logits = logits.masked_fill(~claims | (depth[:, None] != deepest), -torch.inf)
    return torch.where(deepest < 0, -1, logits.argmax(dim=0))


@dataclass(eq=False)
class Canvas:
    """A label map while it is painted, (X, Y, Z), what is measured on the way, and what it has no room for."""

    scan: Scan
    labels: np.ndarray
    sums: Sums
    claims: Claims

    @classmethod
    def blank(cls, scan: Scan, count: int, which: Tensor) -> Canvas:
        """For labels 1 to `count`, of which the prompts numbered in `which` (p) are painted."""
        labels = np.zeros(scan.voxels.shape, np.uint8 if count <= 255 else np.int16)
        return cls(scan, labels, Sums(count), Claims(labels.size, (which + 1).tolist()))

    def paint(self, field: LogitField, which: Tensor, depth: Tensor, least: float, progress: Progress) -> None:
        """Paint the prompts numbered in `which` (p), of `depth` (p), where their logit is above `least`."""
        voxels_at_once = PAINTED_AT_ONCE // len(which) + 1
        for part, values in field.slabs():
            progress.raise_if_interrupted()
            slab = np.zeros(values.shape[1], self.labels.dtype)
            hu = torch.from_numpy(np.ascontiguousarray(self.scan.voxels[..., part]).reshape(-1))
            for start in range(0, len(slab), voxels_at_once):
                logits = field.logits(values[:, start : start + voxels_at_once], which)
                places = (logits.amax(dim=0) > least).nonzero()[:, 0]
                if not len(places):
                    continue
                logits, places = logits[:, places], places + start
                best, masks = winners(logits, depth, least), logits > least
                slab[places.numpy()] = (which[best] + 1).numpy()
                self.sums.add(which, masks, hu[places], best)
                several = masks.sum(dim=0) > 1
                self.claims.add(self._flat(part, places[several]).numpy(), masks[:, several].numpy())
            self.labels[..., part] = slab.reshape(*self.labels.shape[:2], -1)

    def _flat(self, part: slice, places: Tensor) -> Tensor:
        """Flat in a slab (X, Y, n) to flat in the scan (X, Y, Z)."""
        thick: int = part.stop - part.start
        return torch.add(places // thick * self.labels.shape[2] + places % thick, part.start)
