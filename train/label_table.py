"""Which label stands for which prompt, with what was measured: as JSON beside a mask, and inside a NIfTI's header."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from .quantities import Row

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
