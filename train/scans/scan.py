"""Reading CT scans from files, with checks: what a network must not see is refused or warned about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from .dicom.stacking import UnevenSlices
from .errors import ScanError
from .folder_contents import FolderContents, folder_contents
from .formats import FileKind, StoredVolume
from .hounsfield import LOWEST_HU, check_values, hu_problem
from .volume import named_errors, read_volume
from .zipped import UnpackedZip, is_zip, unpack_zip


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
    with named_errors(path):
        if path.is_file() and is_zip(path):
            return _read_zip(path, allow_suspicious, uneven_slices)
        return _read(path, uneven_slices, allow_suspicious)


def _read_zip(path: Path, allow_suspicious: bool, uneven_slices: UnevenSlices) -> Scan:
    """Read what a zip holds; errors and warnings name the zip, not the folder that it was unpacked to."""
    unpacked = unpack_zip(path)
    folder = unpacked.folder
    try:
        scan = _read(folder, uneven_slices, allow_suspicious, zipped=True)
    except ScanError as error:
        raise ScanError(str(error).replace(str(folder), str(path))) from error
    warnings = tuple(text.replace(str(folder), str(path)) for text in scan.warnings)
    return replace(scan, path=path, warnings=warnings, unpacked=unpacked)


def _read(path: Path, uneven_slices: UnevenSlices, allow_suspicious: bool, *, zipped: bool = False) -> Scan:
    """Read a file, or what a folder holds; what lies beside it in the folder is told."""
    contents = folder_contents(path, zipped=zipped) if path.is_dir() else FolderContents(None)
    source = contents.volume or path
    scan = _checked_scan(source, read_volume(source, uneven_slices), allow_suspicious)
    return replace(scan, warnings=(*scan.warnings, *contents.told(path)))


def _checked_scan(path: Path, stored: StoredVolume, allow_suspicious: bool) -> Scan:
    doubts = [f"{path}: {doubt}" for doubt in stored.doubts]
    if stored.blank and not allow_suspicious:
        raise ScanError(
            f"{doubts[0]}: sizes in mm, and with them the segmentation, would be wrong. Export the scan with its "
            "header (CT-RATE: take the files of `*_fixed`)"
        )
    with np.errstate(all="ignore"):  # what overflows is not finite, and is refused below
        voxels = np.asarray(stored.array, dtype=np.float32)
    check_values(path, voxels, stored.files)
    problem = hu_problem(voxels)
    if problem is None:
        np.maximum(voxels, LOWEST_HU, out=voxels)
    else:
        doubts.append(f"{path}: {problem}")
    return Scan(path, voxels, stored.affine, stored.kind, tuple(doubts), stored.files, stored.header)
