"""The result of segmenting a scan: label map, label table, and each prompt's own mask and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from curation.runtime.progress import Progress
from train.scans.saving import save_nifti
from train.scans.scan import Scan

from .label_map import LabelMapBuilder, OverlapStore, nesting_depths, shared_voxels
from .label_table import LabelRow, LabelTable, label_rows
from .mask_volume import MaskVolume
from .options import SegmentOptions
from .prompts import SegmentPrompt


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

    def save(self, path: Path | str) -> None:
        """Write the label map as NIfTI (.nii or .nii.gz) on the scan's grid, with the table in its header extension."""
        extension = self.record.json_bytes()
        save_nifti(Path(path), self.labels, self.scan.affine, like=self.scan, extension=extension)


@torch.no_grad()
def label_scan(
    scan: Scan,
    logits: MaskVolume,
    prompts: tuple[SegmentPrompt, ...],
    options: SegmentOptions,
    weights: str,
    progress: Progress | None = None,
    notices: Sequence[str] = (),
) -> SegmentationResult:
    """Return the result for logits of P prompts: label map, label table, and the overlaps that a label map cannot show.

    `weights` is the name of the weights, for the table; `notices` on the prompts stand in it behind the scan's
    warnings.
    """
    presence = None if logits.presence is None else logits.presence.sigmoid()
    present = torch.ones(len(prompts), dtype=torch.bool)
    if presence is not None:
        present = presence >= options.presence_threshold
    numbers, threshold_logit = present.nonzero()[:, 0], options.threshold_logit
    builder = LabelMapBuilder.empty(scan, len(prompts), numbers)
    shared = torch.zeros(len(prompts), len(prompts), dtype=torch.float64)
    if len(numbers):
        shared_by_present = shared_voxels(logits.network_slabs(numbers), len(numbers), threshold_logit)
        shared[numbers[:, None], numbers] = shared_by_present
        builder.assign(logits, numbers, nesting_depths(shared_by_present), threshold_logit, progress or Progress())
    voxel_ml = float(abs(np.linalg.det(scan.affine[:3, :3]))) / 1000
    judged = present.numpy() if presence is not None else builder.totals.voxels > 0
    record = LabelTable(
        scan=str(scan.path),
        weights=weights,
        threshold=options.threshold,
        presence_threshold=options.presence_threshold,
        vocabulary=options.vocabulary,
        warnings=(*scan.warnings, *notices),
        labels=label_rows(
            prompts, None if presence is None else presence.numpy(), judged, builder.totals, shared.numpy(), voxel_ml
        ),
    )
    return SegmentationResult(scan, builder.labels, record, logits, builder.overlaps)
