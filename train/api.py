"""The Python API of training's end: `ovct.segment`, and `ovct.view`, which shows a scan and its masks in a notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curation.runtime.errors import InputError, OvctError, extra_hint
from curation.runtime.files import PRIVATE_FILE, write_text
from curation.runtime.local_server.page_files import framed
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
    with _extra_needed():
        from train.inference import segmenting
        from train.inference.options import DEFAULT_OPTIONS
    try:
        return segmenting.segment(scan, prompts, checkpoint, options or DEFAULT_OPTIONS, progress=progress)
    except ValueError as error:
        # The networks import nothing of ours, so their errors have the exit code without the base.
        if isinstance(error, OvctError) or not hasattr(error, "exit_code"):
            raise
        raise InputError(str(error)) from error


@dataclass(frozen=True)
class ShownScan:
    """A scan with its masks as one HTML page, which loads nothing; a notebook shows it.

    ``structures`` are the names of what can be shown on it, ``warnings`` what is doubtful about the scan or shown
    otherwise than the files have it.
    """

    structures: tuple[str, ...]
    warnings: tuple[str, ...]
    page: str = field(repr=False)

    def _repr_html_(self) -> str:
        return framed(self.page)

    def save(self, path: str | Path) -> None:
        """Write the page as a file that its owner alone can read."""
        write_text(Path(path), self.page, PRIVATE_FILE)


def view(
    scan: str | Path,
    masks: str | Path | Sequence[str | Path] = (),
    *,
    names: str | None = None,
    max_voxels: int = 32_000_000,
) -> ShownScan:
    """Show a scan and its masks, as the command `ovct view` does.

    Args:
        scan: what `ovct.segment` takes.
        masks: label maps, folders with a file for each structure, .seg.nrrd or DICOM SEG.
        names: what labels are called that their file does not name, as `ovct view --names` takes it.
        max_voxels: the most voxels of the scan in the page; a larger one is averaged in blocks.

    Raises:
        OvctError: a file cannot be shown, or the extra `train` is not installed.
    """
    with _extra_needed():
        from train.viewer.content import load_content
        from train.viewer.page import whole_page
    if max_voxels < 1:
        raise InputError(f"max_voxels is {max_voxels}; a page needs one voxel at least")
    files = [masks] if isinstance(masks, str | Path) else masks
    with tempfile.TemporaryDirectory(prefix="ovct-view-") as folder:
        content = load_content(Path(scan), [*map(Path, files)], max_voxels, Path(folder), names)
        structures = tuple(str(structure["name"]) for structure in content.description["structures"])
        return ShownScan(structures, tuple(content.description["notices"]), whole_page(content))


@contextmanager
def _extra_needed() -> Iterator[None]:
    """Turn the lack of a package of the extra `train` into an error that says how it is installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: {extra_hint('train')}") from error
