"""CT scans from files, checked: what a network must not see is refused or told, with the file's name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from .dicom_series import is_dicom, read_dicom
from .formats import FORMATS, SUFFIXES, Kind, ScanError, Stored, check_file, read_nifti, read_simpleitk, suffix
from .saving import save_nifti

__all__ = ["Scan", "ScanError", "hu_problem", "read_label_map", "read_scan", "save_nifti"]

# Air is -1000 HU; what lies below -1024 is noise, or padding such as -2000 or -3024 outside the field of view, which
# would shift the mean and deviation of the whole volume.
LOWEST_HU = -1024.0
# How far apart, in voxels, the corners of a label map and its scan may lie: headers store float32.
CORNERS_APART = 0.1


@dataclass(frozen=True, eq=False)
class Scan:
    """A CT volume: `voxels` (X, Y, Z) float32 HU, none below -1024, `affine` (4, 4) from voxel index to RAS mm.

    `path` is what was read, for a DICOM series its folder or a file of it; its `dicom_files` are in the order of the
    third axis. `warnings` name the file and what is doubtful about it; `header` is that of a NIfTI file.
    """

    path: Path
    voxels: np.ndarray[Any, Any]
    affine: np.ndarray[Any, Any]
    kind: Kind
    warnings: tuple[str, ...] = ()
    dicom_files: tuple[Path, ...] = ()
    header: nibabel.Nifti1Header | None = None

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels along X, Y and Z."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return x, y, z


def read_scan(path: Path, *, allow_suspicious: bool = False) -> Scan:
    """The scan in `path`: a .nii, .nii.gz, .mha, .mhd, .nrrd or .nhdr file, or the folder or any file of a DICOM
    series.

    ScanError where there is no volume that could be segmented. A header without any geometry is refused as well, unless
    `allow_suspicious`; what is only doubtful, such as intensities that are not HU, is told in `Scan.warnings`.
    """
    stored = _read(path)
    doubts = [f"{path}: {doubt}" for doubt in stored.doubts]
    if stored.blank and not allow_suspicious:
        raise ScanError(
            f"{doubts[0]}: sizes in mm, and with them the segmentation, would be wrong. Export the scan with its "
            "header (CT-RATE: take the files of `*_fixed`)"
        )
    voxels = np.asarray(stored.array, dtype=np.float32)
    _check_voxels(path, voxels)
    problem = hu_problem(voxels)
    if problem is None:
        np.maximum(voxels, LOWEST_HU, out=voxels)
    else:
        doubts.append(f"{path}: {problem}")
    return Scan(path, voxels, stored.affine, stored.kind, tuple(doubts), stored.files, stored.header)


def read_label_map(path: Path, like: Scan | None = None) -> np.ndarray[Any, Any]:
    """Labels (X, Y, Z) of a segmentation, int16 or int32; on the axes of `like` where that scan is given.

    ScanError where a voxel is no whole number, or where the voxels are not those of `like`, of which only the order may
    differ.
    """
    stored = _read(path)
    labels = _whole_numbers(path, stored.array)
    return labels if like is None else _on_grid(path, labels, stored.affine, like)


def _read(path: Path) -> Stored:
    ending = suffix(path)
    if ending is not None and not path.is_dir():
        kind = SUFFIXES[ending]
        return read_nifti(path) if kind == "nifti" else read_simpleitk(path, kind)
    if path.is_dir():
        return read_dicom(path)
    check_file(path)
    if is_dicom(path):
        return read_dicom(path)
    raise ScanError(f"{path}: not a format that is known here. A CT volume is {FORMATS}")


def _check_voxels(path: Path, voxels: np.ndarray[Any, Any]) -> None:
    lowest, highest = voxels.min(), voxels.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        bad = voxels.size - int(np.isfinite(voxels).sum())
        raise ScanError(
            f"{path}: {bad:,} of {voxels.size:,} voxels are not finite numbers. Replace them, outside the body by -1024"
        )
    if lowest == highest:
        raise ScanError(f"{path}: every voxel is {lowest:g}, there is nothing in it. Export the scan once more")


def _whole_numbers(path: Path, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
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


def _on_grid(path: Path, labels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any], like: Scan) -> Any:
    """`labels` with their axes in the order and direction of those of `like`."""
    turn = nibabel.io_orientation(np.linalg.inv(like.affine) @ affine)
    turned = nibabel.apply_orientation(labels, turn)
    affine = affine @ nibabel.orientations.inv_ornt_aff(turn, labels.shape)
    shape = like.voxels.shape
    if turned.shape != shape:
        raise ScanError(
            f"{path}: {_times(turned.shape)} voxels, but its scan {like.path} has {_times(shape)}. {_WAY_OUT}"
        )
    apart = _corners_apart(affine, like.affine, shape)
    if apart > CORNERS_APART:
        raise ScanError(
            f"{path}: lies elsewhere than its scan {like.path}, by up to {apart:.3g} voxels: spacing "
            f"{_spacing(affine)}, not {_spacing(like.affine)} mm, first voxel {_origin(affine)}, not "
            f"{_origin(like.affine)} mm. {_WAY_OUT}"
        )
    return turned


_WAY_OUT = "Resample the labels to the scan, with nearest neighbours"


def _corners_apart(affine: np.ndarray[Any, Any], other: np.ndarray[Any, Any], shape: tuple[int, ...]) -> float:
    """Largest distance of a corner voxel under both affines, in voxels of `other` along any axis."""
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)], dtype=np.float64).T
    corners[:3] *= np.reshape(shape, (3, 1)) - 1
    return float(np.abs(np.linalg.inv(other) @ affine @ corners - corners).max())


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)


def _spacing(affine: np.ndarray[Any, Any]) -> str:
    return " x ".join(f"{value:.4g}" for value in np.linalg.norm(affine[:3, :3], axis=0))


def _origin(affine: np.ndarray[Any, Any]) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in affine[:3, 3]) + ")"


# Voxels looked at: shares of a percent are steady in so many, whatever the size of the volume.
LOOKED_AT = 500_000
# No tissue and no air has so few HU: scanners write such values outside their field of view.
PADDING = -1500.0


def hu_problem(voxels: np.ndarray[Any, Any]) -> str | None:
    """What `voxels` look like where they are not HU, as a sentence without a subject; None where they may be HU.

    Air is -1000 HU, fat about -100, soft tissue 0 to 100 (water is 0 by definition), bone above 200. Padding below
    -1500 is common and no problem, as long as there is tissue where tissue belongs.
    """
    lowest, highest = float(voxels.min()), float(voxels.max())
    step = max(1, round((voxels.size / LOOKED_AT) ** (1 / voxels.ndim)))
    seen = voxels[(slice(None, None, step),) * voxels.ndim]
    scanned = seen[seen > PADDING]
    if not scanned.size or _doubly_shifted(seen):
        return f"air lies at about -2000, not at -1000: the intercept was subtracted twice? {_END}"
    if highest - lowest <= 20:
        return f"intensities from {lowest:.3g} to {highest:.3g} look scaled for a network, not HU. {_END}"
    if lowest >= 0 and highest <= 255:
        return f"intensities from {lowest:.0f} to {highest:.0f} look like the grey levels of a picture, not HU. {_END}"
    if _share(scanned, -np.inf, -200) < 0.001 and _share(scanned, 824, 1224) > 0.05:
        return f"water lies at about 1000, not at 0: the intercept (such as -1024) is missing. {_END}"
    return _cut_off(scanned)


_END = "Results will be poor: export the CT in HU, with rescale slope and intercept applied once"


def _doubly_shifted(seen: np.ndarray[Any, Any]) -> bool:
    """Tissue at -1000 and air at -2000: hardly anything where tissue belongs, and more than one value below -1500."""
    below = seen[seen <= PADDING]
    spread = below.size > 0.01 * seen.size and float(np.ptp(below)) > 0 and np.unique(below).size > 20
    return spread and _share(seen, -200, 200) < 0.02


def _cut_off(scanned: np.ndarray[Any, Any]) -> str | None:
    """Neither air nor fat, or everything below some value set to it."""
    lowest = float(scanned.min())
    heap = float((scanned == lowest).mean())
    if lowest > -20 or (lowest > -800 and heap > 0.05):
        return f"nothing is below {lowest:.0f}, where air has -1000 and fat -100: the volume was windowed? {_END}"
    return None


def _share(values: np.ndarray[Any, Any], low: float, high: float) -> float:
    return float(((values >= low) & (values <= high)).mean())
