"""Reading NIfTI files (.nii, .nii.gz, and pairs of .hdr and .img): voxels to the last byte, geometry in mm."""

import logging
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from .errors import ScanError
from .formats import StoredVolume, check_file, no_intensities, several_numbers, three_axes
from .geometry import check_place
from .nifti_geometry import NiftiPlacement, place
from .promised_size import NIFTI_1, NIFTI_2, check_nifti
from .voxel_stream import is_gzipped, read_voxels, unpacked_stream

PAIRED = (b"ni1\0", b"ni2\0")
SAYS = "the field dim of its header"
_AGAIN = "Copy or export it once more"


class NiftiHeader(NamedTuple):
    """A NIfTI header as nibabel has it, the file of its voxels, where it lays them, and what is odd about it."""

    fields: nibabel.Nifti1Header
    voxels: Path
    placement: NiftiPlacement
    notes: tuple[str, ...]


def is_nifti(path: Path) -> bool:
    """Whether `path` is NIfTI by what is in it, whatever its name: one file, or one of the two of a pair."""
    try:
        with unpacked_stream(path) as file:
            head = file.read(NIFTI_2)
    except ScanError:
        return False  # what begins as gzip does and is none; whoever reads it says so
    single = _byte_order(head) is not None and (head[344:348] == b"n+1\0" or head[4:8] == b"n+2\0")
    return single or is_nifti_pair(path)


def is_nifti_pair(path: Path) -> bool:
    """Whether `path` is one of two files, .hdr and .img, that are a NIfTI or Analyze volume."""
    name = path.name.lower().removesuffix(".gz")
    if not name.endswith((".hdr", ".img")):
        return False
    header = _beside(path, "hdr")
    if header is None:
        return False
    with unpacked_stream(header) as file:
        return _byte_order(file.read(NIFTI_2)) is not None


def read_nifti(path: Path) -> StoredVolume:
    """Read a NIfTI file and apply its scl_slope and scl_inter; gzipped or not, whatever its name says.

    Raises:
        ScanError: the file is missing or damaged, or does not hold one volume with a usable geometry.
    """
    header = read_nifti_header(path)
    fields, placement = header.fields, header.placement
    shape = fields.get_data_shape()
    axes = three_axes(path, shape)
    doubts = check_place(path, axes, placement.affine, placement.hint)
    with unpacked_stream(header.voxels) as file:
        file.seek(fields.get_data_offset())
        array = read_voxels(path, file, axes, fields.get_data_dtype(), SAYS)
    doubts = (*placement.doubts, *doubts, *header.notes)
    return StoredVolume(_scaled(path, fields, array), placement.affine, "nifti", doubts, placement.blank, fields)


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read the header of a NIfTI file, or of a pair of which `path` is either file. Raises `ScanError`."""
    check_file(path)
    header_file = path
    if is_nifti_pair(path):
        header_file = _beside(path, "hdr") or path
    with unpacked_stream(header_file) as file:
        fields = _read_fields(path, file)
    paired = bytes(fields["magic"].tobytes()[:4]) in PAIRED
    voxels = _beside(header_file, "img") if paired else header_file
    if voxels is None:
        raise ScanError(f"{path}: a NIfTI header whose voxels are in a file .img, which is not beside it. Copy it too")
    check_nifti(header_file, gzipped=is_gzipped(header_file), voxels=voxels)
    pixdim, unit = [float(value) for value in fields["pixdim"]], int(fields["xyzt_units"]) & 7
    notes = _check_fields(path, fields)
    dtype = fields.get_data_dtype()
    if dtype.fields is not None:
        raise several_numbers(path, len(dtype.fields))
    if dtype.kind not in "biuf":
        raise no_intensities(path, dtype)
    return NiftiHeader(fields, voxels, place(path, fields, pixdim, unit), notes)


def _beside(path: Path, ending: str) -> Path | None:
    """Return the file of a pair with the ending hdr or img, packed or not, in either case; None without one."""
    name = path.name.removesuffix(".gz").removesuffix(".GZ")
    stem = name[:-4] if name.lower().endswith((".hdr", ".img", ".nii")) else name
    for end in (f".{ending}", f".{ending}.gz", f".{ending.upper()}", f".{ending.upper()}.GZ"):
        if (file := path.with_name(stem + end)).is_file():
            return file
    return None


def _byte_order(head: bytes) -> str | None:
    """Return the byte order of a header by the length that it says; None for what is no header."""
    if len(head) >= NIFTI_1:
        for order in "<>":
            length = int(np.frombuffer(head, f"{order}i4", 1)[0])
            if length == NIFTI_1 or (length == NIFTI_2 and len(head) >= NIFTI_2):
                return order
    return None


def _read_fields(path: Path, file: IO[bytes]) -> Any:
    """Return the fields of a header, unchecked. Raises `ScanError` for what is no header."""
    head = file.read(NIFTI_2)
    order = _byte_order(head)
    if order is None:
        raise ScanError(
            f"{path}: not a NIfTI file, or cut off or damaged: it does not begin with the length of a header, 348 or "
            f"540. {_AGAIN}"
        )
    second = int(np.frombuffer(head, f"{order}i4", 1)[0]) == NIFTI_2
    magic = head[4:8] if second else head[344:348]
    classes: dict[bytes, Any] = {
        b"n+1\0": nibabel.Nifti1Header,
        b"ni1\0": nibabel.Nifti1Pair.header_class,
        b"n+2\0": nibabel.Nifti2Header,
        b"ni2\0": nibabel.Nifti2Pair.header_class,
    }
    if magic not in classes:
        raise ScanError(
            f"{path}: not a NIfTI file, or damaged: the field magic is {magic!r}, not n+1 or ni1. An Analyze file says "
            "nothing of left and right: export the scan once more, as NIfTI"
        )
    return classes[magic](head[: NIFTI_2 if second else NIFTI_1], order, check=False)


class _Notes(logging.Handler):
    """Keeps what nibabel says of a header: on the terminal it would stand without the file's name."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"its header is odd: {record.getMessage()}")


def _check_fields(path: Path, fields: Any) -> tuple[str, ...]:
    """Mend the fields as nibabel does; return what it says. Raises `ScanError` for what cannot be mended."""
    logger, notes = logging.Logger("nifti"), _Notes()
    logger.addHandler(notes)
    try:
        with np.errstate(all="ignore"):
            fields.check_fix(logger=logger, error_level=40)
    except (HeaderDataError, WrapStructError, ValueError, OverflowError) as error:
        raise ScanError(f"{path}: damaged, its header cannot be used ({error}). {_AGAIN}") from error
    # The spacing is told where its geometry is read.
    return tuple(text for text in notes.texts if "pixdim[1,2,3]" not in text)


def _scaled(path: Path, fields: Any, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the voxels with slope and intercept applied. As the standard has it, none are where the slope is 0."""
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or np.isnan(slope):
        return array
    if not np.isfinite([slope, intercept]).all():
        raise ScanError(
            f"{path}: the fields scl_slope and scl_inter are {slope:g} and {intercept:g}, not numbers. Put them right, "
            "or export the scan once more"
        )
    if (slope, intercept) == (1.0, 0.0):
        return array
    scaled = np.empty(array.shape, np.float32, order="F")
    with np.errstate(all="ignore"):  # what overflows is not finite, and is refused as such
        for index in _slices(array.shape):
            scaled[index] = array[index] * np.float64(slope) + intercept
    return scaled


def _slices(shape: tuple[int, ...]) -> Iterator[Any]:
    """Yield the index of each slice of the last axis."""
    assert prod(shape)
    yield from ((..., number) for number in range(shape[-1]))
