"""Volume files as they are stored: NIfTI by nibabel, MetaImage and NRRD by SimpleITK, to an array and its affine."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np
import SimpleITK
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from curation.runtime.errors import OvctError

Kind = Literal["nifti", "dicom", "metaimage", "nrrd"]

SUFFIXES: dict[str, Kind] = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".mha": "metaimage",
    ".mhd": "metaimage",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
}
FORMATS = f"{', '.join(SUFFIXES)}, or the folder or any file of a DICOM series"
# SimpleITK's world runs to the left and to the back, NIfTI's to the right and to the front.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


class ScanError(OvctError, ValueError):
    """A file that cannot be taken as a volume: names the file, what is wrong and the way out."""

    exit_code = 2


@dataclass(frozen=True, eq=False)
class Stored:
    """A volume as its file has it: `array` (X, Y, Z) of any real type, `affine` (4, 4) from voxel index to RAS mm.

    `doubts` are sentences on a header that says too little to be trusted, `blank` is set where it says nothing at all.
    """

    array: np.ndarray[Any, Any]
    affine: np.ndarray[Any, Any]
    kind: Kind
    doubts: tuple[str, ...] = ()
    blank: bool = False
    header: nibabel.Nifti1Header | None = None
    files: tuple[Path, ...] = ()


def suffix(path: Path) -> str | None:
    """The ending of `path` by which its format is known, such as .nii.gz; None for another."""
    return next((end for end in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(end)), None)


def check_file(path: Path) -> None:
    """ScanError for what is missing, empty or no file."""
    if not path.exists():
        raise ScanError(f"{path}: no such file. Give the path of a CT volume: {FORMATS}")
    if not path.is_file():
        raise ScanError(f"{path}: not a file. Give the path of a CT volume: {FORMATS}")
    if path.stat().st_size == 0:
        raise ScanError(f"{path}: the file is empty. Copy or export it once more")


def read_nifti(path: Path) -> Stored:
    """A NIfTI file, its scl_slope and scl_inter applied; gzipped or not, whatever its name says."""
    check_file(path)
    image = _open_nifti(path)
    _check_voxel_type(path, image.header.get_data_dtype())
    axes = _three_axes(path, image.shape)
    try:
        array = image.get_fdata(dtype=np.float32) if _scaled(image) else np.asanyarray(image.dataobj)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ScanError(f"{path}: cut off or damaged ({_reason(error)}). Copy or export it once more") from error
    affine = np.asarray(image.affine, dtype=np.float64)
    check_affine(path, affine)
    doubts, blank = _header_doubts(image)
    return Stored(array.reshape(axes), affine, "nifti", doubts, blank, image.header)


def read_simpleitk(path: Path, kind: Kind) -> Stored:
    """A MetaImage or NRRD file, its world turned from LPS to RAS."""
    check_file(path)
    try:
        image = SimpleITK.ReadImage(str(path))
    except RuntimeError as error:
        raise ScanError(
            f"{path}: damaged, cut off or without its data file ({_reason(error)}). Copy or export it once more"
        ) from error
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise ScanError(_several_numbers(path, image.GetNumberOfComponentsPerPixel()))
    size = image.GetSize()
    axes = _three_axes(path, size)
    array = SimpleITK.GetArrayFromImage(image)
    _check_voxel_type(path, array.dtype)
    affine = LPS_TO_RAS @ index_to_lps(image.GetOrigin(), image.GetDirection(), image.GetSpacing())
    check_affine(path, affine)
    return Stored(array.transpose().reshape(axes), affine, kind)


def index_to_lps(origin: tuple[float, ...], direction: tuple[float, ...], spacing: tuple[float, ...]) -> Any:
    """SimpleITK's three parts of a geometry (of the first three axes) as one affine (4, 4), in LPS mm."""
    dimensions = len(origin)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(direction, (dimensions, dimensions))[:3, :3] * np.asarray(spacing[:3])
    affine[:3, 3] = origin[:3]
    return affine


def check_affine(path: Path, affine: np.ndarray[Any, Any]) -> None:
    """ScanError for an affine that does not lay a volume into space."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    told = f"{path}: the header's geometry cannot be used"
    if not np.isfinite(affine).all():
        raise ScanError(f"{told}: its affine holds a value that is not a number. Export the scan once more")
    if (spacing < 1e-6).any():
        raise ScanError(f"{told}: a voxel spacing of 0 mm ({_numbers(spacing)}). Export the scan once more")
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-2:
        raise ScanError(f"{told}: its affine is singular, two of its axes run the same way. Export the scan once more")


def _open_nifti(path: Path) -> Any:
    with path.open("rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
    try:
        if gzipped == path.name.lower().endswith(".gz"):
            return nibabel.load(path, mmap=False)
        data = path.read_bytes()
        return nibabel.Nifti1Image.from_bytes(gzip.decompress(data) if gzipped else data)
    except (ImageFileError, HeaderDataError, WrapStructError, OSError, EOFError, zlib.error) as error:
        raise ScanError(f"{path}: not a NIfTI file, or damaged ({error}). Copy or export it once more") from error


def _scaled(image: Any) -> bool:
    return bool((image.dataobj.slope, image.dataobj.inter) != (1.0, 0.0))


def _header_doubts(image: Any) -> tuple[tuple[str, ...], bool]:
    header = image.header
    qform, sform = int(header["qform_code"]), int(header["sform_code"])
    ones = np.allclose(header.get_zooms()[:3], 1)
    if qform == sform == 0:
        said = "its header does not say how it lies in the body (qform and sform codes are 0)"
        return (f"{said} nor its voxel spacing" if ones else f"{said}: left and right may be exchanged",), bool(ones)
    if np.array_equal(image.affine, np.eye(4)):
        return ("its affine is the identity, as programs write it that have lost spacing and orientation",), False
    if qform and sform and not np.allclose(header.get_qform(), header.get_sform(), atol=0.05, rtol=1e-3):
        return ("its sform and qform say different things; the sform is taken",), False
    return (), False


def _three_axes(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The first three numbers of a shape whose others are 1."""
    told = " x ".join(str(length) for length in shape)
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise ScanError(f"{path}: a volume of at least 2 slices is needed, this image is {told}")
    if any(length != 1 for length in shape[3:]):
        raise ScanError(f"{path}: several volumes in one file ({told}). Save the one you want as a file of its own")
    return shape[0], shape[1], shape[2]


def _check_voxel_type(path: Path, dtype: np.dtype[Any]) -> None:
    if dtype.fields is not None:
        raise ScanError(_several_numbers(path, len(dtype.fields)))
    if dtype.kind not in "biuf":
        raise ScanError(f"{path}: voxels of type {dtype} are not intensities. Export the scan as integers or floats")


def _several_numbers(path: Path, count: int) -> str:
    return (
        f"{path}: {count} numbers for each voxel, such as colours, not one. Export the CT itself, not a picture of it"
    )


def _reason(error: Exception) -> str:
    """What an error of nibabel says first, or SimpleITK last, after where in its source it was raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1] if isinstance(error, RuntimeError) else lines[0]


def _numbers(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in values)
