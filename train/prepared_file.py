"""One prepared case as a file: written as a whole or not at all, and read by mapping, so that a crop costs its part."""

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
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from curation.durable import put_in_place
from models.preprocessing import Preprocessing

from .cases import Case
from .grid import Grid

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
