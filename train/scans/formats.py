"""Reading volume files as they are stored: NIfTI with nibabel, MetaImage and NRRD with SimpleITK."""

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

from .data_files import data_files
from .errors import ScanError
from .packed_metaimage import packed_voxels, unpacked
from .promised_size import check_nifti, check_stored, check_voxels, stored_bytes

FileKind = Literal["nifti", "dicom", "metaimage", "nrrd"]

SUFFIXES: dict[str, FileKind] = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".mha": "metaimage",
    ".mhd": "metaimage",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
}
IMAGE_IO: dict[FileKind, str] = {"metaimage": "MetaImageIO", "nrrd": "NrrdImageIO"}
VOXEL_TYPES = {
    SimpleITK.sitkUInt8: "u1",
    SimpleITK.sitkInt8: "i1",
    SimpleITK.sitkUInt16: "u2",
    SimpleITK.sitkInt16: "i2",
    SimpleITK.sitkUInt32: "u4",
    SimpleITK.sitkInt32: "i4",
    SimpleITK.sitkFloat32: "f4",
    SimpleITK.sitkUInt64: "u8",
    SimpleITK.sitkInt64: "i8",
    SimpleITK.sitkFloat64: "f8",
}
FORMATS = f"{', '.join(SUFFIXES)}, or the folder or any file of a DICOM series"
# World coordinates of SimpleITK and DICOM grow to the left and to the back, of NIfTI to the right and to the front.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class StoredVolume:
    """A volume as its file stores it: `array` (X, Y, Z) of any real type, `affine` (4, 4) from voxel index to RAS mm.

    `doubts` are sentences on a header that says too little to be trusted, `blank` is set where it says nothing at all.
    `header` is that of a NIfTI file, `files` are those of a DICOM series in the order of the third axis.
    """

    array: np.ndarray[Any, Any]
    affine: np.ndarray[Any, Any]
    kind: FileKind
    doubts: tuple[str, ...] = ()
    blank: bool = False
    header: nibabel.Nifti1Header | None = None
    files: tuple[Path, ...] = ()


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


def read_nifti(path: Path) -> StoredVolume:
    """Read a NIfTI file and apply its scl_slope and scl_inter; gzipped or not, whatever its name says.

    Raises:
        ScanError: the file is missing or damaged, or does not hold one volume with a usable geometry.
    """
    check_file(path)
    image = _open_nifti(path)
    _check_voxel_type(path, image.header.get_data_dtype())
    axes = _three_axes(path, image.shape)
    try:
        with np.errstate(all="ignore"):  # what overflows is not finite, and is refused as such
            array = image.get_fdata(dtype=np.float32) if _has_scaling(image) else np.asanyarray(image.dataobj)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ScanError(f"{path}: cut off or damaged ({_reason(error)}). Copy or export it once more") from error
    affine = np.asarray(image.affine, dtype=np.float64)
    check_affine(path, affine)
    doubts, blank = _header_doubts(image)
    return StoredVolume(array.reshape(axes), affine, "nifti", doubts, blank, image.header)


def read_simpleitk(path: Path, kind: FileKind) -> StoredVolume:
    """Read a MetaImage or NRRD file and turn its affine from LPS to RAS. Raises `ScanError` as `read_nifti`."""
    check_file(path)
    try:
        header = read_itk_header(path, kind)
        axes, dtype = _check_promise(path, header)
        packed = packed_voxels(path) if kind == "metaimage" else None
        if packed is None:
            array = SimpleITK.GetArrayFromImage(header.Execute()).transpose().reshape(axes)
        else:
            array = unpacked(path, packed, axes, dtype)
    except RuntimeError as error:
        raise ScanError(
            f"{path}: damaged, cut off or without its data file ({_reason(error)}). Copy or export it once more"
        ) from error
    affine = LPS_TO_RAS @ index_to_lps(header.GetOrigin(), header.GetDirection(), header.GetSpacing())
    check_affine(path, affine)
    return StoredVolume(array, affine, kind)


def read_itk_header(path: Path, kind: FileKind) -> Any:
    """Return SimpleITK's reader of a MetaImage or NRRD file, its header read; by the format that its name says.

    SimpleITK alone would try all of its formats on a file. Raises `ScanError` where the header names files of voxels
    that are not below its folder, RuntimeError where it cannot be read.
    """
    data_files(path)
    make_reader: Any = SimpleITK.ImageFileReader
    header = make_reader()
    header.SetFileName(str(path))
    header.SetImageIO(IMAGE_IO[kind])
    header.ReadImageInformation()
    return header


def _check_promise(path: Path, header: SimpleITK.ImageFileReader) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    """Return the lengths of the axes and the type of the voxels that a MetaImage or NRRD header says.

    Raises:
        ScanError: it promises more than its files hold, or than a scan has.
    """
    if header.GetNumberOfComponents() != 1:
        raise ScanError(_several_numbers(path, header.GetNumberOfComponents()))
    axes = _three_axes(path, header.GetSize())
    says = "the size in its header"
    check_voxels(path, axes, says)
    voxel_type = VOXEL_TYPES.get(header.GetPixelID())
    if voxel_type is None:
        kind = SimpleITK.GetPixelIDValueAsString(header.GetPixelID())
        raise ScanError(f"{path}: voxels of type {kind} are not intensities. Export the scan as integers or floats")
    dtype = np.dtype(voxel_type)
    check_stored(path, axes, dtype.itemsize, stored_bytes(path), says)
    return axes, dtype


def index_to_lps(origin: tuple[float, ...], direction: tuple[float, ...], spacing: tuple[float, ...]) -> Any:
    """Return SimpleITK's origin, direction and spacing (of the first three axes) as one affine (4, 4), in LPS mm."""
    dimensions = len(origin)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(direction, (dimensions, dimensions))[:3, :3] * np.asarray(spacing[:3])
    affine[:3, 3] = origin[:3]
    return affine


def check_affine(path: Path, affine: np.ndarray[Any, Any]) -> None:
    """Raise `ScanError` for an affine (4, 4) that does not place a volume in space."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    problem = f"{path}: the header's geometry cannot be used"
    if not np.isfinite(affine).all():
        raise ScanError(f"{problem}: its affine holds a value that is not a number. Export the scan once more")
    if (spacing < 1e-6).any():
        raise ScanError(f"{problem}: a voxel spacing of 0 mm ({_format_numbers(spacing)}). Export the scan once more")
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-2:
        raise ScanError(
            f"{problem}: its affine is singular, two of its axes run the same way. Export the scan once more"
        )


def _open_nifti(path: Path) -> Any:
    with path.open("rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
    promised = check_nifti(path, gzipped=gzipped)
    try:
        if gzipped == path.name.lower().endswith(".gz"):
            return nibabel.load(path, mmap=False)
        with gzip.open(path) if gzipped else path.open("rb") as file:
            return nibabel.Nifti1Image.from_bytes(file.read(promised))
    except (ImageFileError, HeaderDataError, WrapStructError, OSError, EOFError, zlib.error) as error:
        raise ScanError(f"{path}: not a NIfTI file, or damaged ({error}). Copy or export it once more") from error


def _has_scaling(image: Any) -> bool:
    return bool((image.dataobj.slope, image.dataobj.inter) != (1.0, 0.0))


def _header_doubts(image: Any) -> tuple[tuple[str, ...], bool]:
    """Return sentences on a header that cannot be trusted, and whether it says nothing at all."""
    header = image.header
    qform, sform = int(header["qform_code"]), int(header["sform_code"])
    unit_spacing = np.allclose(header.get_zooms()[:3], 1)
    if qform == sform == 0:
        doubt = "its header does not say how it lies in the body (qform and sform codes are 0)"
        doubt += " nor its voxel spacing" if unit_spacing else ": left and right may be exchanged"
        return (doubt,), bool(unit_spacing)
    if np.array_equal(image.affine, np.eye(4)):
        return ("its affine is the identity, as programs write it that have lost spacing and orientation",), False
    if qform and sform and not np.allclose(header.get_qform(), header.get_sform(), atol=0.05, rtol=1e-3):
        return ("its sform and qform say different things; the sform is taken",), False
    return (), False


def _three_axes(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the first three lengths of a shape. Raises `ScanError` where the others are not 1."""
    lengths = " x ".join(str(length) for length in shape)
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise ScanError(f"{path}: a volume of at least 2 slices is needed, this image is {lengths}")
    if any(length != 1 for length in shape[3:]):
        raise ScanError(f"{path}: several volumes in one file ({lengths}). Save the one you want as a file of its own")
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
    """Return the line of an error that says what happened: the first of nibabel's, the last of SimpleITK's."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1] if isinstance(error, RuntimeError) else lines[0]


def _format_numbers(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in values)
