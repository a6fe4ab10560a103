"""Where each label of a label map lies, so that a crop around a structure is drawn without searching the map."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from curation.runtime.files import put_in_place
from models.preprocessing import Preprocessing
from train.scans.grid import Grid

from .cases import Case

# Voxels kept for each label: enough to land in every part of an organ, 1.2 kB each.
POSITIONS = 200


@dataclass(frozen=True, eq=False)
class LabelPlaces:
    """Voxels of one label: how many, the box (first, last + 1) around them, and up to 200 of them, (n, 3) int16."""

    count: int
    box: tuple[tuple[int, int, int], tuple[int, int, int]]
    positions: NDArray[np.int16]


def index_labels(labels: NDArray[np.integer]) -> dict[int, LabelPlaces]:
    """Places of each label but 0 in a label map (D, H, W); the same map gives the same positions."""
    flat = labels.reshape(-1)
    voxels = np.flatnonzero(flat)
    values = flat[voxels]
    order = np.argsort(values, kind="stable")
    present, starts = np.unique(values[order], return_index=True)
    return {
        int(label): _places(int(label), found, labels.shape)
        for label, found in zip(present, np.split(voxels[order], starts[1:]), strict=bool(len(present)))
    }


def _places(label: int, voxels: NDArray[np.intp], shape: tuple[int, ...]) -> LabelPlaces:
    where = np.stack(np.unravel_index(voxels, shape), axis=1)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    if len(where) > POSITIONS:
        draw = np.random.default_rng((label, len(where)))
        where = where[np.sort(draw.choice(len(where), POSITIONS, replace=False))]
    box = (int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2]))
    return LabelPlaces(len(voxels), box, where.astype(np.int16))


def pack(places: dict[int, LabelPlaces]) -> dict[str, Tensor]:
    """The places as tensors that a file can hold."""
    found = list(places.values())
    rows = np.array([(label, len(each.positions), *np.ravel(each.box)) for label, each in places.items()], np.int32)
    positions = np.concatenate([np.zeros((0, 3), np.int16), *(each.positions for each in found)])
    return {
        "label_rows": torch.from_numpy(rows.reshape(-1, 8)),
        "label_counts": torch.tensor([each.count for each in found], dtype=torch.int64),
        "label_positions": torch.from_numpy(positions),
    }


def unpack(tensors: dict[str, Tensor]) -> dict[int, LabelPlaces]:
    """What `pack` was given."""
    rows, counts = tensors["label_rows"].tolist(), tensors["label_counts"].tolist()
    positions = tensors["label_positions"].numpy().copy()
    ends = np.cumsum([row[1] for row in rows], dtype=int)
    return {
        row[0]: LabelPlaces(count, ((row[2], row[3], row[4]), (row[5], row[6], row[7])), positions[end - row[1] : end])
        for row, count, end in zip(rows, counts, ends, strict=True)
    }


# Files whose content was made by another version of this code are not found, since this goes into their names.
VERSION = 1


@dataclass(frozen=True, eq=False)
class StoredCase:
    """`tensors`: volume (1, D, H, W) float16 and, of a case with labels, labels (D, H, W) uint8 or int16 and their
    index. `lowest` is the volume's lowest value, `warnings` what was said of the scan.
    """

    tensors: dict[str, Tensor]
    grid: Grid
    lowest: float
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Size in memory."""
        return sum(tensor.nbytes for tensor in self.tensors.values())


def file_name(case: Case, preprocessing: Preprocessing, structures: dict[str, tuple[int, ...]]) -> str:
    """A name that changes with whatever the prepared case depends on: its files, the preprocessing, the labels kept.

    A file counts as changed with its path, size or time of change. Raises `OSError` where one is not there.
    """
    paths = [case.image, *(case.labels.paths if case.labels else ())]
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    ids = [number for number, _ in case.labels.masks] if case.labels else []
    known = [
        VERSION,
        files,
        ids,
        repr(case.recorded),
        preprocessing.model_dump(mode="json"),
        sorted(structures.items()),
    ]
    digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', case.id)[-80:]}-{digest[:24]}.safetensors"


def write(path: Path, stored: StoredCase) -> None:
    """Write under a name of its own in the same folder, then rename: two processes may write the same case at once."""
    grid = stored.grid
    known = {
        "shape": list(grid.shape),
        "affine": np.asarray(grid.affine).tolist(),
        "scan_shape": list(grid.scan_shape),
        "scan_affine": np.asarray(grid.scan_affine).tolist(),
        "lowest": stored.lowest,
        "warnings": stored.warnings,
    }
    descriptor, name = tempfile.mkstemp(suffix=".tmp", prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    try:
        save_file(stored.tensors, name, {"ovct": json.dumps(known)})
        put_in_place(Path(name), path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def read(path: Path) -> StoredCase | None:
    """Map the file; None where there is none, or where it was cut off or damaged and has to be made anew."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            known = json.loads((file.metadata() or {})["ovct"])
            grid = Grid(
                shape=tuple(known["shape"]),
                affine=np.array(known["affine"], np.float64),
                scan_shape=tuple(known["scan_shape"]),
                scan_affine=np.array(known["scan_affine"], np.float64),
            )
            return StoredCase(tensors, grid, known["lowest"], tuple(known["warnings"]))
    except (FileNotFoundError, SafetensorError, KeyError, ValueError):
        return None


def crop(stored: StoredCase, start: tuple[int, int, int], size: tuple[int, int, int]) -> tuple[Tensor, Tensor | None]:
    """The part (1, d, h, w) float32 of the volume, and (d, h, w) int16 of the labels, that begins at `start`.

    What lies outside is the volume's lowest value and label 0, as at the edge of a whole volume.
    """
    shape = stored.grid.shape
    inside = tuple(slice(max(a, 0), max(min(a + n, whole), 0)) for a, n, whole in zip(start, size, shape, strict=True))
    place = tuple(
        slice(s.start - a, s.start - a + max(s.stop - s.start, 0)) for s, a in zip(inside, start, strict=True)
    )
    volume = torch.full((1, *size), stored.lowest)
    volume[:, *place] = stored.tensors["volume"][:, *inside].float()
    if "labels" not in stored.tensors:
        return volume, None
    labels = torch.zeros(size, dtype=torch.int16)
    labels[place] = stored.tensors["labels"][inside].to(torch.int16)
    return volume, labels
