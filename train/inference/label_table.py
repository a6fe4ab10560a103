"""Which label stands for which prompt, with what was measured: as JSON beside a mask, and inside a NIfTI's header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text
from torch import Tensor

from .prompts import Prompt

OVERLAP_SHOWN = 0.2
MOST_SHOWN = 2
HIDDEN_TOLD = 0.005


class LabelTable(BaseModel):
    """All of `mask.json`; a NIfTI label map holds the same as a header extension of type comment (6)."""

    model_config = ConfigDict(frozen=True)

    format: Literal["ovct labels 1"] = "ovct labels 1"
    scan: str
    weights: str
    threshold: float
    presence_threshold: float
    vocabulary: bool = True
    warnings: tuple[str, ...] = ()
    labels: tuple[Row, ...]

    def json_bytes(self) -> bytes:
        """As it stands in a file, UTF-8."""
        return self.model_dump_json(indent=2).encode() + b"\n"


def table_of(record: LabelTable) -> Table:
    """For a terminal: a line for each prompt, and in which others it lies by a fifth or more."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    named = any(row.name != row.prompt for row in record.labels)
    for column in ("label", "name", *(["prompt"] if named else []), "presence", "volume (ml)", "mean HU", "overlap"):
        table.add_column(column, justify="left" if column in ("name", "prompt", "overlap") else "right")
    for row in record.labels:
        hu = "" if row.mean_hu is None else f"{row.mean_hu:.1f}"
        name = [Text(row.name), *([Text(row.prompt)] if named else [])]
        table.add_row(str(row.label), *name, f"{row.presence:.3f}", f"{row.volume_ml:,.2f}", hu, Text(_remark(row)))
    return table


def _remark(row: Row) -> str:
    if not row.volume_ml:
        return "no voxel" if row.present else "judged absent"
    most = sorted(((share, name) for name, share in row.overlaps.items() if share >= OVERLAP_SHOWN), reverse=True)
    told = [f"{share:.0%} in {name}" for share, name in most[:MOST_SHOWN]]
    if len(most) > MOST_SHOWN:
        told.append(f"{len(most) - MOST_SHOWN} more")
    hidden = 1 - row.in_label_map_ml / row.volume_ml
    return ", ".join([*told, *([f"{hidden:.0%} hidden in the label map"] if told and hidden >= HIDDEN_TOLD else [])])


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
