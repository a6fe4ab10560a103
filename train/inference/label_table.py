"""The label table: what was measured for each label, as JSON beside a mask and in a NIfTI's header; no torch in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

# The share of a mask that has to lie in another one to be recorded, and to be printed.
OVERLAP_RECORDED = 0.1
OVERLAP_PRINTED = 0.2
MOST_PRINTED = 2
# The share of a mask that has to be hidden in the label map to be printed.
HIDDEN_PRINTED = 0.005


class LabelRow(BaseModel):
    """One prompt: `label` is its value in a label map, `presence` the probability that its structure is in the scan.

    `presence` is None where the network does not judge it; then `present` says whether the mask has a voxel.

    Volume and mean HU are those of the prompt's whole mask, whatever a label map has room for: `in_label_map_ml` is the
    part that it shows. `overlaps` gives for other prompts, by name, which share of this mask lies in theirs, from a
    tenth. `cut_off` names the ends of the scan that the mask reaches ("superior", "left", ...): its volume is that of a
    part. `removed_ml` is what `min_volume_ml` has taken from the mask.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    prompt: str
    label: int
    present: bool
    presence: float | None
    volume_ml: float
    mean_hu: float | None
    in_label_map_ml: float
    overlaps: dict[str, float] = {}
    cut_off: tuple[str, ...] = ()
    removed_ml: float = 0.0


class LabelTable(BaseModel):
    """The content of `mask.json`; a NIfTI label map holds the same as a header extension of type comment (6).

    `failed` names the files that could not be written, `upright` says whether a tilted grid was to be made upright.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal["ovct labels 1"] = "ovct labels 1"
    scan: str
    weights: str
    threshold: float
    presence_threshold: float
    vocabulary: bool = True
    min_volume_ml: float = 0.0
    upright: bool = False
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    labels: tuple[LabelRow, ...]

    def json_bytes(self) -> bytes:
        """Return the table as it stands in a file: JSON in UTF-8."""
        return self.model_dump_json(indent=2).encode() + b"\n"


def printable_table(labels: Sequence[LabelRow]) -> Table:
    """Return a table for a terminal: a line for each prompt, with where it is cut off and in which others it lies."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    named = any(row.name != row.prompt for row in labels)
    for column in ("label", "name", *(["prompt"] if named else []), "presence", "volume (ml)", "mean HU", "remarks"):
        table.add_column(column, justify="left" if column in ("name", "prompt", "remarks") else "right")
    for row in labels:
        hu = "" if row.mean_hu is None else f"{row.mean_hu:.1f}"
        presence = "" if row.presence is None else f"{row.presence:.3f}"
        name = [Text(row.name), *([Text(row.prompt)] if named else [])]
        table.add_row(str(row.label), *name, presence, f"{row.volume_ml:,.2f}", hu, Text(_remark(row)))
    return table


def _remark(row: LabelRow) -> str:
    absent = "no voxel" if row.present or row.presence is None else "judged absent"
    removed = [f"{row.removed_ml:,.2f} ml in small blobs removed"] if row.removed_ml else []
    if not row.volume_ml:
        return ", ".join([absent, *removed])
    shares = sorted(((share, name) for name, share in row.overlaps.items() if share >= OVERLAP_PRINTED), reverse=True)
    remarks = [f"{share:.0%} in {name}" for share, name in shares[:MOST_PRINTED]]
    if len(shares) > MOST_PRINTED:
        remarks.append(f"{len(shares) - MOST_PRINTED} more")
    hidden = 1 - row.in_label_map_ml / row.volume_ml
    if remarks and hidden >= HIDDEN_PRINTED:
        remarks.append(f"{hidden:.0%} hidden in the label map")
    cut_off = [f"cut off ({', '.join(row.cut_off)})"] if row.cut_off else []
    return ", ".join([*cut_off, *removed, *remarks])
