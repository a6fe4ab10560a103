"""What is measured of each mask: volume, mean HU, and how much of it lies in other masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from .segment_prompts import Prompt


class Row(BaseModel):
    """One prompt's line: `label` is its value in a label map, `presence` the probability that there is such a thing.

    Volume and mean are those of the prompt's whole mask, whatever a label map has room for: `in_label_map_ml` is the
    part that it shows. `overlaps` gives for other prompts, by name, which share of this mask lies in theirs, from a
    tenth.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    prompt: str
    label: int
    present: bool
    presence: float
    volume_ml: float
    mean_hu: float | None
    in_label_map_ml: float
    overlaps: dict[str, float] = {}


OVERLAP_TOLD = 0.1


@dataclass
class Sums:
    """Running over slabs of the scan: voxels, and their HU, of P masks, and voxels that the label map gives to each."""

    count: int
    voxels: np.ndarray = field(init=False)
    hounsfield: np.ndarray = field(init=False)
    shown: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.voxels, self.shown = np.zeros(self.count, np.int64), np.zeros(self.count, np.int64)
        self.hounsfield = np.zeros(self.count)

    def add(self, which: Tensor, masks: Tensor, hu: Tensor, best: Tensor) -> None:
        """Masks (p, N) of the prompts numbered in `which` (p), HU (N), and which of them has each voxel (N)."""
        places = which.numpy()
        self.voxels[places] += masks.sum(dim=1).numpy()
        self.shown[places] += torch.bincount(best, minlength=len(which)).numpy()
        self.hounsfield[places] += (masks.double() @ hu.double()).numpy()


def rows(
    prompts: Sequence[Prompt], presence: np.ndarray, present: np.ndarray, sums: Sums, shared: np.ndarray, ml: float
) -> tuple[Row, ...]:
    """The table, from sums over all P prompts, the voxels that masks share (P, P), and the ml of one voxel."""
    made = []
    for number, asked in enumerate(prompts):
        voxels, own = int(sums.voxels[number]), max(float(shared[number, number]), 1.0)
        shares = {
            other.name: round(float(shared[number, at]) / own, 3) for at, other in enumerate(prompts) if at != number
        }
        made.append(
            Row(
                name=asked.name,
                prompt=asked.text,
                label=number + 1,
                present=bool(present[number]),
                presence=round(float(presence[number]), 6),
                volume_ml=voxels * ml,
                mean_hu=float(sums.hounsfield[number]) / voxels if voxels else None,
                in_label_map_ml=int(sums.shown[number]) * ml,
                overlaps={name: share for name, share in shares.items() if share >= OVERLAP_TOLD},
            )
        )
    return tuple(made)
