"""Logits -> result: the voxels of each prompt, what is measured of them, small blobs removed, cut ends marked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from curation.runtime.progress import Progress
from train.scans.scan import Scan

from .blobs import with_cut_off, without_small_blobs
from .label_map import LabelMapBuilder, nesting_depths, shared_voxels
from .label_table import LabelTable
from .label_totals import label_rows
from .mask_volume import MaskVolume
from .options import SegmentOptions
from .prompts import SegmentPrompt
from .result import SegmentationResult


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
        min_volume_ml=options.min_volume_ml,
        warnings=(*scan.warnings, *notices),
        labels=label_rows(
            prompts, None if presence is None else presence.numpy(), judged, builder.totals, shared.numpy(), voxel_ml
        ),
    )
    result = SegmentationResult(scan, builder.labels, record, logits, builder.overlaps)
    return with_cut_off(without_small_blobs(result, options.min_volume_ml))
