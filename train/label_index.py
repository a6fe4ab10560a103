"""Where each label of a label map lies, so that a crop around a structure is drawn without searching the map."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
