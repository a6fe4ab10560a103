"""Scan and masks -> what the page shows: two volumes, and a description of names, colours, windows and notices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.inference.files.colours import Colour, palette, structure_colours, to_lab
from train.scans.errors import ScanError
from train.scans.scan import Scan, read_scan

from .dicom_segments import is_dicom_seg
from .errors import ViewError
from .label_names import given_names, names_beside, with_names
from .mask_files import mask_paths, mask_record, read_mask
from .shown_volume import averaged, block_affine, coarse_steps, thinned, write_labels, write_scan
from .structures import Structure, StructureMap
from .windows import HU_WINDOWS, windows_of

# Colours that are less than this apart in CIELAB are taken for one.
APART = 10.0


@dataclass(frozen=True, eq=False)
class ViewContent:
    """What the page shows. `scan` and `labels` are NIfTI files (.nii), `labels` None without masks."""

    description: dict[str, Any]
    scan: Path
    labels: Path | None


def scan_and_masks(paths: Sequence[Path]) -> tuple[Path, list[Path]]:
    """Return the scan and its masks of the paths that were named: the scan first.

    A mask of `ovct segment` or of an evaluation alone knows its scan. Raises ViewError where that is not there.
    """
    first, masks = paths[0], list(paths[1:])
    named = None if masks or first.is_dir() else _scan_of(first)
    if named is None:
        if first.is_file() and is_dicom_seg(first):
            raise ViewError(f"{first} is a mask, a DICOM SEG: name the scan first, `ovct view SCAN {first}`")
        return first, masks
    for scan in (Path(named), first.parent / named, first.parent / Path(named).name):
        if scan.exists():
            return scan, [first]
    raise ViewError(f"{first} is a mask of {named}, which is not there: name the scan first, `ovct view SCAN {first}`")


def load_content(
    scan: Path, masks: Sequence[Path], most_voxels: int, folder: Path, names: str | None = None
) -> ViewContent:
    """Read a scan and its masks for the page, with at most `most_voxels` voxels, and write its volumes to `folder`.

    `names` says what labels are called that their file does not name (`given_names`).

    Raises ScanError, DataError and ViewError for files that cannot be shown.
    """
    given = given_names(names) if names else None
    volume = read_scan(scan, allow_suspicious=True, uneven_slices="resample")
    structures = StructureMap(volume)
    for path in masks:
        for file in mask_paths(path):
            for mask in read_mask(file, volume.affine):
                structures.add(with_names(mask, names_beside(mask.path) if given is None else given))
    windows = windows_of(volume.voxels)
    steps = coarse_steps(volume.voxels.shape, volume.spacing_mm, most_voxels)
    affine = block_affine(volume.affine, steps)
    description = {
        "scan": volume.path.name,
        "masks": [path.name for path in masks],
        "voxels": list(volume.voxels.shape),
        "spacing_mm": list(volume.spacing_mm),
        "unit": "HU" if windows is HU_WINDOWS else "",
        "windows": [window._asdict() for window in windows],
        "structures": list(_described(structures)),
        "start": _start(structures),
        "notices": [*_coarse_notice(volume, steps), *structures.notices, *volume.warnings],
    }
    scan_file, label_file = folder / "scan.nii", folder / "labels.nii" if structures.structures else None
    write_scan(scan_file, averaged(volume.voxels, steps), affine, (windows[0].low, windows[0].high))
    if label_file is not None:
        write_labels(label_file, thinned(structures.labels, steps), affine)
    return ViewContent(description, scan_file, label_file)


def _scan_of(path: Path) -> str | None:
    with suppress(ScanError, OSError, ValueError):
        record = mask_record(path)
        return None if record is None else record.scan
    return None


def _described(map_: StructureMap) -> Iterator[dict[str, Any]]:
    """Yield what the page says of each structure."""
    for one, colour in zip(map_.structures, _colours(map_.structures), strict=True):
        yield {
            "label": one.label,
            "name": one.name,
            "prompt": one.prompt if one.prompt != one.name else "",
            "ml": one.volume_ml,
            "colour": list(colour),
            "at": None if one.at is None else list(one.at),
        }


def _colours(structures: Sequence[Structure]) -> list[Colour]:
    """Return the colour of each structure: that of its file, else ours, and none that is like one of a file.

    Some programs give all segments one colour: the first keeps it.
    """
    kept: dict[int, Colour] = {}
    for one in structures:
        if one.colour and _tells_apart(one.colour, kept.values()):
            kept[one.label] = one.colour
    ours = structure_colours([(f"{one.label}", one.prompt or one.name) for one in structures])
    free = (colour for colour in palette() if colour not in ours.values() and _tells_apart(colour, kept.values()))
    colours = []
    for one in structures:
        colour = kept.get(one.label) or ours[str(one.label)]
        if one.label not in kept and not _tells_apart(colour, kept.values()):
            colour = next(free, colour)
        colours.append(colour)
    return colours


def _tells_apart(colour: Colour, others: Collection[Colour]) -> bool:
    if not others:
        return True
    distances = np.linalg.norm(to_lab(np.array(list(others))) - to_lab(np.array([colour])), axis=1)
    return float(distances.min()) >= APART


def _start(map_: StructureMap) -> list[float]:
    """Return where the crosshair begins, in RAS mm: in the largest structure, else in the middle of the scan."""
    inside = [one for one in map_.structures if one.at is not None]
    if inside:
        return list(max(inside, key=lambda one: one.volume_ml).at or ())
    middle = (np.array(map_.scan.voxels.shape) - 1) / 2
    return (map_.scan.affine @ [*middle, 1])[:3].tolist()  # type: ignore[no-any-return]


def _coarse_notice(scan: Scan, steps: Sequence[int]) -> Iterator[str]:
    if max(steps) > 1:
        shown = " × ".join(f"{step * size:.2g}" for step, size in zip(steps, scan.spacing_mm, strict=True))
        yield (
            f"shown coarser than it is, with voxels of {shown} mm, which a browser can hold; volumes are those of the "
            "whole mask. --max-voxels shows more"
        )
