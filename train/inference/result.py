"""The result of segmenting a scan: label map, label table, and each prompt's own mask and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.scans.saving import CARET, COMMENT, save_nifti
from train.scans.scan import Scan

from .files.label_names import caret_label_table
from .files.upright import to_upright
from .label_map import OverlapStore
from .label_table import LabelRow, LabelTable
from .mask_volume import MaskVolume


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """A segmented scan, on its own grid. Shapes: X Y Z voxels of the scan.

    `labels` (X, Y, Z), uint8 or int16, holds 0 or the `label` of a row of `table`. `mask` and `probability` give what
    belongs to a prompt whatever the others are; for that `logits` and the `overlaps` of masks are kept.
    """

    scan: Scan
    labels: np.ndarray
    record: LabelTable
    logits: MaskVolume
    overlaps: OverlapStore

    @property
    def table(self) -> tuple[LabelRow, ...]:
        """A row for each prompt, in the order of their labels."""
        return self.record.labels

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the prompts, in the order of their labels, which count from 1."""
        return tuple(row.name for row in self.table)

    def row(self, prompt: str) -> LabelRow:
        """Return the row of a prompt, by its name or its text. Raises KeyError if it was not asked for."""
        text = " ".join(prompt.split())
        rows = [row for row in self.table if row.name == text] or [row for row in self.table if row.prompt == text]
        if rows:
            return rows[0]
        raise KeyError(f"{prompt!r} was not asked for; there are {', '.join(self.names)}")

    def mask(self, prompt: str) -> np.ndarray:
        """Return the prompt's own mask (X, Y, Z), bool, also where the label map shows another structure."""
        label = self.row(prompt).label
        mask = np.ascontiguousarray(self.labels == label)
        mask.reshape(-1)[self.overlaps.voxels_of(label)] = True
        return mask

    def probability(self, prompt: str) -> np.ndarray:
        """Return the prompt's probability in each voxel (X, Y, Z), float32, whether or not it is judged present.

        Raises SegmentError where the masks came without probabilities.
        """
        logits_of_prompt = self.logits.of_prompt(self.row(prompt).label - 1)
        probability = np.empty(self.labels.shape, np.float32)
        for slices, logits in logits_of_prompt.resampled_slabs():
            probability[..., slices] = logits[0].sigmoid().view(*probability.shape[:2], -1).numpy()
        return probability

    def save(self, path: Path | str, *, upright: bool = False) -> None:
        """Write the label map as NIfTI (.nii or .nii.gz), with the table and a table of colours in its header.

        It lies on the scan's grid, or where that is tilted, with `upright`, on one with axes at right angles.
        """
        self.save_array(Path(path), self.labels, self.record, upright=upright)

    def save_array(
        self, path: Path, array: np.ndarray, record: LabelTable | None = None, *, upright: bool = False
    ) -> None:
        """Write an array (X, Y, Z) as `save` does, with the names and colours of a label table where one is given."""
        affine = self.scan.affine
        if upright:
            array, affine = to_upright(array, affine)
        extensions = {} if record is None else {COMMENT: record.json_bytes(), CARET: caret_label_table(record.labels)}
        save_nifti(path, array, affine, like=self.scan, extensions=extensions)
