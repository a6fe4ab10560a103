"""Label map -> label table, first half: what is counted of each label on the way, and the rows that it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from .label_table import OVERLAP_RECORDED, LabelRow
from .prompts import SegmentPrompt


@dataclass
class LabelTotals:
    """Running totals over slabs of the scan, for `count` (P) prompts.

    `voxels` of each mask, the sum of their HU (`hounsfield`), and the voxels that the label map gives to each prompt
    (`in_label_map`).
    """

    count: int
    voxels: np.ndarray = field(init=False)
    hounsfield: np.ndarray = field(init=False)
    in_label_map: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.voxels, self.in_label_map = np.zeros(self.count, np.int64), np.zeros(self.count, np.int64)
        self.hounsfield = np.zeros(self.count)

    def add(self, prompts: Tensor, masks: Tensor, hu: Tensor, assigned: Tensor) -> None:
        """Add N voxels.

        `masks` (p, N) are those of the prompts numbered in `prompts` (p), `hu` (N) the intensities in HU, and
        `assigned` (N) says which of these prompts has each voxel in the label map.
        """
        numbers = prompts.numpy()
        self.voxels[numbers] += masks.sum(dim=1).numpy()
        self.in_label_map[numbers] += torch.bincount(assigned, minlength=len(prompts)).numpy()
        self.hounsfield[numbers] += (masks.double() @ hu.double()).numpy()


def label_rows(
    prompts: Sequence[SegmentPrompt],
    presence: np.ndarray | None,
    present: np.ndarray,
    totals: LabelTotals,
    shared: np.ndarray,
    voxel_ml: float,
) -> tuple[LabelRow, ...]:
    """Return a row for each of P prompts.

    `presence` (P) are probabilities, None where they are not judged, `present` (P) says which structures are there,
    `shared` (P, P) the voxels that masks have in common, with the size of each on the diagonal, and `voxel_ml` is the
    volume of a voxel in ml.
    """
    rows = []
    for number, prompt in enumerate(prompts):
        voxels, size = int(totals.voxels[number]), max(float(shared[number, number]), 1.0)
        shares = {
            neighbour.name: round(float(shared[number, column]) / size, 3)
            for column, neighbour in enumerate(prompts)
            if column != number
        }
        rows.append(
            LabelRow(
                name=prompt.name,
                prompt=prompt.text,
                label=number + 1,
                present=bool(present[number]),
                presence=None if presence is None else round(float(presence[number]), 6),
                volume_ml=voxels * voxel_ml,
                mean_hu=float(totals.hounsfield[number]) / voxels if voxels else None,
                in_label_map_ml=int(totals.in_label_map[number]) * voxel_ml,
                overlaps={name: share for name, share in shares.items() if share >= OVERLAP_RECORDED},
            )
        )
    return tuple(rows)
