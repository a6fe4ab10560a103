"""The formats of volume files, and what each reader gives back: a volume as its file stores it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np

from .errors import ScanError

FileKind = Literal["nifti", "dicom", "metaimage", "nrrd"]

SUFFIXES: dict[str, FileKind] = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".mha": "metaimage",
    ".mhd": "metaimage",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
}
FORMATS = f"{', '.join(SUFFIXES)}, or the folder, a zip or any file of a DICOM series"


@dataclass(frozen=True, eq=False)
class StoredVolume:
    """A volume as its file stores it: `array` (X, Y, Z) of any real type, `affine` (4, 4) from voxel index to RAS mm.

    `doubts` are sentences on a header that says too little to be trusted, `blank` is set where it says nothing at all.
    `header` is that of a NIfTI file, `pairs` are the keys and values of a NRRD file's, `files` are those of a DICOM
    series in the order of the third axis.
    """

    array: np.ndarray[Any, Any]
    affine: np.ndarray[Any, Any]
    kind: FileKind
    doubts: tuple[str, ...] = ()
    blank: bool = False
    header: nibabel.Nifti1Header | None = None
    files: tuple[Path, ...] = ()
    pairs: Mapping[str, str] = field(default_factory=dict)


def volume_suffix(path: Path) -> str | None:
    """Return the ending of `path` that tells its format, such as .nii.gz; None where it has no such ending."""
    return next((end for end in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(end)), None)


def check_file(path: Path) -> None:
    """Raise `ScanError` where the file is missing, empty or no file."""
    if not path.exists():
        raise ScanError(f"{path}: no such file. Give the path of a CT volume: {FORMATS}")
    if not path.is_file():
        raise ScanError(f"{path}: not a file. Give the path of a CT volume: {FORMATS}")
    if path.stat().st_size == 0:
        raise ScanError(f"{path}: the file is empty. Copy or export it once more")


def three_axes(path: Path, shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the first three lengths of a shape. Raises `ScanError` where the others are not 1."""
    lengths = " x ".join(str(length) for length in shape)
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise ScanError(
            f"{path}: a volume of at least 2 slices is needed, this image is {lengths or 'empty'}. "
            "Give the whole CT, not one picture of it; if it is whole, export it once more"
        )
    if any(length != 1 for length in shape[3:]):
        raise ScanError(f"{path}: several volumes in one file ({lengths}). Save the one you want as a file of its own")
    return shape[0], shape[1], shape[2]


def several_numbers(path: Path, count: int) -> ScanError:
    """Return the error for a file with several numbers in each voxel."""
    return ScanError(
        f"{path}: {count} numbers for each voxel, such as colours, not one. Export the CT itself, not a picture of it"
    )


def no_intensities(path: Path, kind: object) -> ScanError:
    """Return the error for voxels of a type that is no number on a scale."""
    return ScanError(f"{path}: voxels of type {kind} are not intensities. Export the scan as integers or floats")
