"""The Python API of training's end: `ovct.segment`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from curation.runtime.errors import InputError, OvctError, extra_hint
from curation.runtime.progress import Progress

if TYPE_CHECKING:
    from models.checkpoint import Checkpoint
    from train.inference.options import SegmentOptions
    from train.inference.result import SegmentationResult


def segment(
    scan: str | Path,
    prompts: Iterable[str] | Mapping[str, str],
    checkpoint: str | Path | Checkpoint,
    *,
    options: SegmentOptions | None = None,
    progress: Progress | None = None,
) -> SegmentationResult:
    """Segment a CT scan by free text.

    Args:
        scan: NIfTI, MetaImage or NRRD file, or a DICOM series (its folder, or a file of it).
        prompts: what to segment, or names with the texts that are asked for them.
        checkpoint: the folder that `ovct train segment` or `pretrain` wrote, a file of published STU-Net weights, or
            what ``models.checkpoint.load_checkpoint`` gave, so that many scans load it once.
        options: thresholds, device, precision and windows.
        progress: receives the progress; silent by default.

    Returns:
        The label map on the scan's own grid, (X, Y, Z) voxels, with a row for each prompt (volume in ml, mean HU).

    Raises:
        OvctError: the scan, the checkpoint or a prompt cannot be used, or the extra `train` is not installed.
    """
    try:
        from train.inference import segmenting
        from train.inference.options import DEFAULT_OPTIONS
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: {extra_hint('train')}") from error
    try:
        return segmenting.segment(scan, prompts, checkpoint, options or DEFAULT_OPTIONS, progress=progress)
    except ValueError as error:
        # The networks import nothing of ours, so their errors have the exit code without the base.
        if isinstance(error, OvctError) or not hasattr(error, "exit_code"):
            raise
        raise InputError(str(error)) from error
