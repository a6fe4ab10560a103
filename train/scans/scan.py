"""Reading CT scans and label maps from files, with checks: what a network must not see is refused or warned about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from curation.runtime.errors import OvctError

from .dicom.header import is_dicom
from .dicom.read import read_dicom
from .dicom.stacking import UnevenSlices
from .errors import ScanError
from .folder_contents import only_volume
from .formats import FORMATS, SUFFIXES, FileKind, StoredVolume, check_file, volume_suffix
from .itk_volumes import read_nrrd_layers, read_simpleitk
from .nifti import is_nifti, read_nifti
from .zipped import UnpackedZip, is_zip, unpack_zip

# Air is -1000 HU; what lies below -1024 is noise, or padding such as -2000 or -3024 outside the field of view, which
# would shift the mean and deviation of the whole volume.
LOWEST_HU = -1024.0
# No tissue and no air has so few HU: scanners write such values outside their field of view.
PADDING = -1500.0
# The extended scale of CT for metal ends at 30,710 HU, and 16 bits at 65,535.
MOST_HU = 100_000.0
# `hu_problem` looks at this many voxels: shares of a percent are steady in so many, whatever the size of the volume.
SAMPLED_VOXELS = 500_000
# The corners of a label map and its scan may be this far apart, in voxels: headers store float32.
MAX_CORNER_DISTANCE = 0.1

_EXPORT_IN_HU = "Results will be poor: export the CT in HU, with rescale slope and intercept applied once"
_RESAMPLE_LABELS = "Resample the labels to the scan, with nearest neighbours"


@dataclass(frozen=True, eq=False)
class Scan:
    """A CT volume: `voxels` (X, Y, Z) float32 HU, none below -1024, `affine` (4, 4) from voxel index to RAS mm.

    `path` is what was read, for a DICOM series its folder or a file of it; its `dicom_files` are in the order of the
    third axis. `warnings` name the file and what is doubtful about it; `header` is that of a NIfTI file; `unpacked` is
    the folder that a zip was unpacked to, kept as long as the scan.
    """

    path: Path
    voxels: np.ndarray[Any, Any]
    affine: np.ndarray[Any, Any]
    kind: FileKind
    warnings: tuple[str, ...] = ()
    dicom_files: tuple[Path, ...] = ()
    header: nibabel.Nifti1Header | None = None
    unpacked: UnpackedZip | None = None

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels along X, Y and Z."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return x, y, z


def read_scan(path: Path, *, allow_suspicious: bool = False, uneven_slices: UnevenSlices = "refuse") -> Scan:
    """Read a scan: a .nii, .nii.gz, .mha, .mhd, .nrrd or .nhdr file, or the folder or any file of a DICOM series.

    A zip of a series, or of one volume, is unpacked to a temporary folder. What is only doubtful, such as intensities
    that are not HU, becomes one of `Scan.warnings`. With `uneven_slices` "resample", slices of a DICOM series that do
    not lie at even distances are interpolated to even ones; such a scan has no `dicom_files`.

    Raises:
        ScanError: there is no volume that could be segmented or, unless `allow_suspicious`, its header says nothing
            about its geometry.
    """
    with _named_errors(path):
        if path.is_file() and is_zip(path):
            return _read_zip(path, allow_suspicious, uneven_slices)
        source = (only_volume(path) if path.is_dir() else None) or path
        return _checked_scan(source, _read_volume(source, uneven_slices), allow_suspicious)


def _read_zip(path: Path, allow_suspicious: bool, uneven_slices: UnevenSlices) -> Scan:
    """Read what a zip holds; errors and warnings name the zip, not the folder that it was unpacked to."""
    unpacked = unpack_zip(path)
    folder = unpacked.folder
    try:
        source = only_volume(folder, zipped=True) or folder
        scan = _checked_scan(source, _read_volume(source, uneven_slices), allow_suspicious)
    except ScanError as error:
        raise ScanError(str(error).replace(str(folder), str(path))) from error
    warnings = tuple(text.replace(str(folder), str(path)) for text in scan.warnings)
    return replace(scan, path=path, warnings=warnings, unpacked=unpacked)


def _checked_scan(path: Path, stored: StoredVolume, allow_suspicious: bool) -> Scan:
    doubts = [f"{path}: {doubt}" for doubt in stored.doubts]
    if stored.blank and not allow_suspicious:
        raise ScanError(
            f"{doubts[0]}: sizes in mm, and with them the segmentation, would be wrong. Export the scan with its "
            "header (CT-RATE: take the files of `*_fixed`)"
        )
    with np.errstate(all="ignore"):  # what overflows is not finite, and is refused below
        voxels = np.asarray(stored.array, dtype=np.float32)
    _check_voxels(path, voxels, stored.files)
    problem = hu_problem(voxels)
    if problem is None:
        np.maximum(voxels, LOWEST_HU, out=voxels)
    else:
        doubts.append(f"{path}: {problem}")
    return Scan(path, voxels, stored.affine, stored.kind, tuple(doubts), stored.files, stored.header)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn an error that names no file into a `ScanError` that does: readers of other libraries raise anything."""
    try:
        yield
    except (OvctError, OSError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ScanError(
            f"{path}: cannot be read as a scan ({type(error).__name__}: {reason}). Copy or export it once more"
        ) from error


def read_label_map(path: Path, like: Scan | None = None) -> np.ndarray[Any, Any]:
    """Read the labels (X, Y, Z) of a segmentation, int16 or int32; on the axes of the scan `like` where it is given.

    Raises:
        ScanError: a voxel is no whole number, or the voxels are not those of `like`, of which only the order of the
            axes and their directions may differ.
    """
    with _named_errors(path):
        stored = _read_volume(path)
        labels = _to_integers(path, stored.array)
        return labels if like is None else _reorient_to(like, path, labels, stored.affine)


def read_stored_labels(path: Path) -> StoredVolume:
    """Read the labels of a segmentation as they are stored, (L, X, Y, Z) where they lie in L layers, else (X, Y, Z).

    Raises `ScanError` as `read_label_map`.
    """
    with _named_errors(path):
        stored = read_nrrd_layers(path) if volume_suffix(path) == ".nrrd" else _read_volume(path)
        return replace(stored, array=_to_integers(path, stored.array))


def _read_volume(path: Path, uneven_slices: UnevenSlices = "refuse") -> StoredVolume:
    suffix = volume_suffix(path)
    if suffix is not None and not path.is_dir():
        kind = SUFFIXES[suffix]
        return read_nifti(path) if kind == "nifti" else read_simpleitk(path, kind)
    if path.is_dir():
        return read_dicom(path, uneven_slices)
    check_file(path)
    if is_nifti(path):
        return read_nifti(path)
    if is_dicom(path):
        return read_dicom(path, uneven_slices)
    raise ScanError(f"{path}: not a format that is known here. A CT volume is {FORMATS}")


def _check_voxels(path: Path, voxels: np.ndarray[Any, Any], files: tuple[Path, ...] = ()) -> None:
    """Raise `ScanError` where a voxel is no number or none that a CT has, or where all voxels are equal.

    `files` are those of the slices of the third axis, to name one by.
    """
    lowest, highest = voxels.min(), voxels.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        bad = voxels.size - int(np.isfinite(voxels).sum())
        raise ScanError(
            f"{path}: {bad:,} of {voxels.size:,} voxels are not finite numbers. Replace them, outside the body by -1024"
        )
    if lowest == highest:
        raise ScanError(f"{path}: every voxel is {lowest:g}, there is nothing in it. Export the scan once more")
    if max(-lowest, highest) > MOST_HU:
        odd = int(voxels.argmax() if highest > MOST_HU else voxels.argmin())
        place = tuple(int(number) for number in np.unravel_index(odd, voxels.shape))
        count = int((np.abs(voxels) > MOST_HU).sum())
        in_file = f" of {files[place[2]].name}" if len(files) == voxels.shape[2] else ""
        raise ScanError(
            f"{path}: {count:,} of {voxels.size:,} voxels are beyond {MOST_HU:,.0f} HU, which no CT has, such as "
            f"{voxels[place]:.3g} at voxel {place}{in_file}. Replace them, outside the body by -1024, or export the "
            "scan once more"
        )


def hu_problem(voxels: np.ndarray[Any, Any]) -> str | None:
    """Return what `voxels` look like where they are not HU, as a sentence without a subject; None where they may be.

    Air is -1000 HU, fat about -100, soft tissue 0 to 100 (water is 0 by definition), bone above 200. Padding below
    -1500 is common and no problem, as long as there is tissue at the values of tissue.
    """
    lowest, highest = float(voxels.min()), float(voxels.max())
    step = max(1, round((voxels.size / SAMPLED_VOXELS) ** (1 / voxels.ndim)))
    sample = voxels[(slice(None, None, step),) * voxels.ndim]
    scanned = sample[sample > PADDING]
    if not scanned.size or _is_doubly_shifted(sample):
        return f"air lies at about -2000, not at -1000: the intercept was subtracted twice? {_EXPORT_IN_HU}"
    if highest - lowest <= 20:
        return f"intensities from {lowest:.3g} to {highest:.3g} look scaled for a network, not HU. {_EXPORT_IN_HU}"
    if lowest >= 0 and highest <= 255:
        return (
            f"intensities from {lowest:.0f} to {highest:.0f} look like the grey levels of a picture, not HU. "
            f"{_EXPORT_IN_HU}"
        )
    if _share_between(scanned, -np.inf, -200) < 0.001 and _share_between(scanned, 824, 1224) > 0.05:
        return f"water lies at about 1000, not at 0: the intercept (such as -1024) is missing. {_EXPORT_IN_HU}"
    return _windowing_problem(scanned)


def _is_doubly_shifted(sample: np.ndarray[Any, Any]) -> bool:
    """Whether tissue lies at -1000 and air at -2000: hardly a voxel at the values of tissue, and many below -1500.

    Below -1500 there must be many different values: padding has one.
    """
    below = sample[sample <= PADDING]
    spread = below.size > 0.01 * sample.size and float(np.ptp(below)) > 0 and np.unique(below).size > 20
    return spread and _share_between(sample, -200, 200) < 0.02


def _windowing_problem(scanned: np.ndarray[Any, Any]) -> str | None:
    """Return a sentence where there is neither air nor fat, or where everything below some value was set to it."""
    lowest = float(scanned.min())
    share_of_lowest = float((scanned == lowest).mean())
    if lowest > -20 or (lowest > -800 and share_of_lowest > 0.05):
        return (
            f"nothing is below {lowest:.0f}, where air has -1000 and fat -100: the volume was windowed? {_EXPORT_IN_HU}"
        )
    return None


def _share_between(values: np.ndarray[Any, Any], low: float, high: float) -> float:
    return float(((values >= low) & (values <= high)).mean())


def _to_integers(path: Path, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the labels as int16 or, where that does not hold them, int32. Raises `ScanError` for other values."""
    if array.dtype.kind == "f":
        odd = array[~np.isfinite(array) | (np.abs(array - np.rint(array)) > 1e-3)]
        if odd.size:
            raise ScanError(
                f"{path}: labels are whole numbers, but {odd.size:,} voxels are not, such as {odd.flat[0]:g}. Is it an "
                "image or a probability map?"
            )
        array = np.rint(array)
    lowest, highest = int(array.min()), int(array.max())
    if max(-lowest, highest) > np.iinfo(np.int32).max:
        raise ScanError(f"{path}: labels from {lowest} to {highest}: too large for labels. Is it an image?")
    return array.astype(np.int16 if max(-lowest, highest) <= np.iinfo(np.int16).max else np.int32)


def _reorient_to(like: Scan, path: Path, labels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any]) -> Any:
    """Return `labels` with their axes in the order and direction of those of `like`.

    Raises:
        ScanError: they have another shape, spacing or origin than the scan.
    """
    orientation = nibabel.io_orientation(np.linalg.inv(like.affine) @ affine)
    reoriented = nibabel.apply_orientation(labels, orientation)
    affine = affine @ nibabel.orientations.inv_ornt_aff(orientation, labels.shape)
    shape = like.voxels.shape
    if reoriented.shape != shape:
        raise ScanError(
            f"{path}: {_format_shape(reoriented.shape)} voxels, but its scan {like.path} has {_format_shape(shape)}. "
            f"{_RESAMPLE_LABELS}"
        )
    distance = _corner_distance(affine, like.affine, shape)
    if distance > MAX_CORNER_DISTANCE:
        raise ScanError(
            f"{path}: lies elsewhere than its scan {like.path}, by up to {distance:.3g} voxels: spacing "
            f"{_format_spacing(affine)}, not {_format_spacing(like.affine)} mm, first voxel {_format_origin(affine)}, "
            f"not {_format_origin(like.affine)} mm. {_RESAMPLE_LABELS}"
        )
    return reoriented


def _corner_distance(affine: np.ndarray[Any, Any], reference: np.ndarray[Any, Any], shape: tuple[int, ...]) -> float:
    """Return the largest distance of a corner voxel under both affines, in voxels of `reference` along any axis."""
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)], dtype=np.float64).T
    corners[:3] *= np.reshape(shape, (3, 1)) - 1
    return float(np.abs(np.linalg.inv(reference) @ affine @ corners - corners).max())


def _format_shape(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)


def _format_spacing(affine: np.ndarray[Any, Any]) -> str:
    return " x ".join(f"{value:.4g}" for value in np.linalg.norm(affine[:3, :3], axis=0))


def _format_origin(affine: np.ndarray[Any, Any]) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in affine[:3, 3]) + ")"
