"""Voxels that several masks claim, and which do: what a label map, one label a voxel, has no room for."""

from __future__ import annotations

import tempfile
import weakref
from typing import NamedTuple

import numpy as np

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
