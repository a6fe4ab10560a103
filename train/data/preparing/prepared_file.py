"""The file in which a prepared case is cached, and the index of its labels.

The index says where each label lies, so that a crop around a structure is drawn without searching the label map.
Shapes: D H W voxels of the network's grid.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from scipy.ndimage import find_objects
from torch import Tensor

from curation.runtime.files import put_in_place
from models.preprocessing import Preprocessing
from models.weights_file import write_tensors
from train.data.cases import Case
from train.scans.grid import Grid

# The version is part of a file's name: files that another version of this code has made are not used.
VERSION = 2
# The index holds up to this many voxels of a label: enough to land in every part of an organ, 1.2 kB each.
MAX_POSITIONS = 200


@dataclass(frozen=True, eq=False)
class StoredCase:
    """A prepared case as its file holds it.

    `tensors`: "volume" (1, D, H, W) float16 and, of a case with labels, "labels" (D, H, W) uint8 or int16 and the
    packed index of the labels. `lowest` is the volume's lowest value, `warnings` are those of the scan.
    """

    tensors: dict[str, Tensor]
    grid: Grid
    lowest: float
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Size in memory."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def crop(self, start: tuple[int, int, int], size: tuple[int, int, int]) -> tuple[Tensor, Tensor | None]:
        """Return the part (1, d, h, w) float32 of the volume, and (d, h, w) int16 of the labels, from `start` on.

        Voxels outside have the volume's lowest value and label 0, as at the edge of a whole volume.
        """
        bounds = list(zip(start, size, self.grid.shape, strict=True))
        inside = tuple(slice(max(first, 0), max(min(first + n, length), 0)) for first, n, length in bounds)
        target = tuple(
            slice(source.start - first, source.start - first + max(source.stop - source.start, 0))
            for source, first in zip(inside, start, strict=True)
        )
        volume = torch.full((1, *size), self.lowest)
        volume[:, *target] = self.tensors["volume"][:, *inside].float()
        if "labels" not in self.tensors:
            return volume, None
        labels = torch.zeros(size, dtype=torch.int16)
        labels[target] = self.tensors["labels"][inside].to(torch.int16)
        return volume, labels


def prepared_file_name(case: Case, preprocessing: Preprocessing, structures: dict[str, tuple[int, ...]]) -> str:
    """Return a name that changes with whatever the prepared case depends on: files, preprocessing, structures.

    A file counts as changed with its path, size or time of change. Raises `OSError` where one is not there.
    """
    paths = [case.image, *(case.labels.paths if case.labels else ())]
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    mask_ids = [number for number, _ in case.labels.masks] if case.labels else []
    key = [
        VERSION,
        files,
        mask_ids,
        repr(case.recorded_header),
        preprocessing.model_dump(mode="json"),
        sorted(structures.items()),
    ]
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', case.id)[-80:]}-{digest[:24]}.safetensors"


def write_prepared(path: Path, stored: StoredCase) -> None:
    """Write a temporary file in the same folder, then rename it: two processes may write the same case at once."""
    grid = stored.grid
    metadata = {
        "shape": list(grid.shape),
        "affine": np.asarray(grid.affine).tolist(),
        "scan_shape": list(grid.scan_shape),
        "scan_affine": np.asarray(grid.scan_affine).tolist(),
        "lowest": stored.lowest,
        "warnings": stored.warnings,
    }
    descriptor, temporary = tempfile.mkstemp(suffix=".tmp", prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    text = json.dumps(metadata)
    try:
        write_tensors(stored.tensors, Path(temporary), {"ovct": text, "sha256": _digest(stored.tensors, text)})
        put_in_place(Path(temporary), path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _digest(tensors: dict[str, Tensor], metadata: str) -> str:
    """Return the SHA-256 of all that a file holds."""
    digest = hashlib.sha256(metadata.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_prepared(path: Path, *, check: bool = True) -> StoredCase | None:
    """Map the file into memory; None where there is none, or where it is cut off or damaged and has to be made anew.

    With `check` all of it is read once, for its SHA-256; one of an earlier version has none, and is made anew.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            stored = file.metadata() or {}
            metadata = json.loads(stored["ovct"])
            if check and stored["sha256"] != _digest(tensors, stored["ovct"]):
                return None
            grid = Grid(
                shape=tuple(metadata["shape"]),
                affine=np.array(metadata["affine"], np.float64),
                scan_shape=tuple(metadata["scan_shape"]),
                scan_affine=np.array(metadata["scan_affine"], np.float64),
            )
            return StoredCase(tensors, grid, metadata["lowest"], tuple(metadata["warnings"]))
    except (FileNotFoundError, SafetensorError, KeyError, ValueError):
        return None


def read_label_ids(path: Path) -> frozenset[int] | None:
    """Return the label ids of a prepared case from its index alone; None where the file cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            rows = file.get_tensor("label_rows") if "label_rows" in file.keys() else torch.zeros(0, 1)  # noqa: SIM118
    except (FileNotFoundError, SafetensorError):
        return None
    return frozenset(map(int, rows[:, 0].tolist()))


@dataclass(frozen=True, eq=False)
class LabelVoxels:
    """The voxels of one label: their number, the box (first, last + 1) around them, and up to 200 of them.

    `positions` (n, 3) int16 are voxel indices.
    """

    count: int
    box: tuple[tuple[int, int, int], tuple[int, int, int]]
    positions: NDArray[np.int16]


def index_labels(labels: NDArray[np.integer]) -> dict[int, LabelVoxels]:
    """Return the voxels of each label but 0 in a label map (D, H, W); the same map gives the same positions."""
    # A voxel's number in 32 bits, and its label in as few as hold it: sorting takes most of the time.
    voxels = np.flatnonzero(labels).astype(np.uint32 if labels.size < 2**32 else np.intp)
    values = labels.reshape(-1)[voxels]
    counts = np.bincount(values)
    narrow = values.astype(np.min_scalar_type(len(counts)))
    order: NDArray[Any] = voxels[np.argsort(narrow, kind="stable")]
    ends = np.cumsum(counts)
    boxes = find_objects(labels)
    return {
        int(label): _label_voxels(int(label), order[ends[label] - counts[label] : ends[label]], boxes, labels.shape)
        for label in np.flatnonzero(counts)
    }


def _label_voxels(
    label: int, flat_indices: NDArray[np.integer], boxes: Sequence[tuple[slice, ...] | None], shape: tuple[int, ...]
) -> LabelVoxels:
    count, slices = len(flat_indices), boxes[label - 1]
    assert slices is not None
    if count > MAX_POSITIONS:
        generator = np.random.default_rng((label, count))
        flat_indices = flat_indices[np.sort(generator.choice(count, MAX_POSITIONS, replace=False))]
    positions = np.stack(np.unravel_index(flat_indices, shape), axis=1)
    (d, h, w) = slices
    return LabelVoxels(count, ((d.start, h.start, w.start), (d.stop, h.stop, w.stop)), positions.astype(np.int16))


def pack_label_index(index: dict[int, LabelVoxels]) -> dict[str, Tensor]:
    """Return the index of a label map as tensors that a file can hold."""
    entries = list(index.values())
    rows = [(label, len(entry.positions), *np.ravel(entry.box)) for label, entry in index.items()]
    positions = np.concatenate([np.zeros((0, 3), np.int16), *(entry.positions for entry in entries)])
    return {
        "label_rows": torch.from_numpy(np.array(rows, np.int32).reshape(-1, 8)),
        "label_counts": torch.tensor([entry.count for entry in entries], dtype=torch.int64),
        "label_positions": torch.from_numpy(positions),
    }


def unpack_label_index(tensors: dict[str, Tensor]) -> dict[int, LabelVoxels]:
    """Return the index that `pack_label_index` was given."""
    rows, counts = tensors["label_rows"].tolist(), tensors["label_counts"].tolist()
    positions = tensors["label_positions"].numpy().copy()
    ends = np.cumsum([row[1] for row in rows], dtype=int)
    return {
        row[0]: LabelVoxels(count, ((row[2], row[3], row[4]), (row[5], row[6], row[7])), positions[end - row[1] : end])
        for row, count, end in zip(rows, counts, ends, strict=True)
    }
