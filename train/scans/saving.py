"""Saving masks, label maps and volumes as NIfTI files that any viewer lays over the scan they belong to."""

import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import nibabel
import numpy as np
from nibabel.fileholders import FileHolder
from nibabel.nifti1 import Nifti1Extension

from curation.runtime.files import put_in_place, temporary_name

from .errors import ScanError

# gzip level: masks shrink well at any level, and the higher ones take longer than the segmentation itself.
COMPRESSION = 1
# Types that NIfTI does not have.
STORED_AS = {"bool": np.uint8, "float16": np.float32}
# Codes of the NIfTI standard: coordinates of the scanner, and extensions that hold plain text and Caret's XML.
SCANNER = 1
COMMENT, CARET = 6, 30


# NIfTI-1 has lengths of 16 bits. Longer volumes stay NIfTI-2, which ITK does not open.
LONGEST_AXIS = 32767
GEOMETRY = (
    *("pixdim", "xyzt_units", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z"),
)


class HasGeometry(Protocol):
    """The part of a scan that says where it lies in space: affine (4, 4) to RAS mm, and the header of a NIfTI file."""

    @property
    def affine(self) -> np.ndarray[Any, Any]: ...
    @property
    def header(self) -> nibabel.Nifti1Header | None: ...


def save_nifti(
    path: Path,
    array: np.ndarray[Any, Any],
    affine: np.ndarray[Any, Any],
    *,
    like: HasGeometry | None = None,
    extensions: Mapping[int, bytes] = MappingProxyType({}),
) -> None:
    """Write `array` (X, Y, Z) to `path`, .nii or .nii.gz, whole or not at all; bool becomes uint8, float16 float32.

    It is NIfTI-1 wherever that holds the volume, also for a scan in NIfTI-2, which ITK programs do not open.

    `affine` (4, 4): voxel index -> RAS mm. On the grid of `like`, where that was a NIfTI file, its qform, sform and
    their codes are kept, so that every viewer lays the result where it lays the scan. `extensions` become
    extensions of its header, by their code.

    Raises:
        ScanError: `path` has another ending, or its folder does not exist.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise ScanError(f"{path}: results are written as NIfTI. Give a name that ends in .nii.gz or .nii")
    if not path.parent.is_dir():
        raise ScanError(f"{path.parent}: no such folder to write {path.name} to. Make it first, or name another")
    array = array.astype(STORED_AS.get(array.dtype.name, array.dtype), copy=False)
    image = _build_image(array, affine, like)
    for code, content in extensions.items():
        image.header.extensions.append(Nifti1Extension(code, content))
    with _open_atomically(path) as file:
        image.to_file_map({"image": FileHolder(fileobj=file)})


def _build_image(array: np.ndarray[Any, Any], affine: np.ndarray[Any, Any], like: HasGeometry | None) -> Any:
    """Return the nibabel image, with the header of `like` where that lies on the same grid."""
    header = None if like is None or not np.array_equal(like.affine, affine) else like.header
    if header is None:
        image = nibabel.Nifti1Image(array, affine, dtype=array.dtype)
        image.set_sform(affine, SCANNER)
        image.set_qform(affine, SCANNER)
        if not np.allclose(image.get_qform(), affine, atol=1e-3):
            # A quaternion cannot express the shear of a tilted gantry.
            image.set_qform(None, 0)
        image.header.set_xyzt_units("mm")
        return image
    is_second = isinstance(header, nibabel.Nifti2Header)
    if is_second and max(array.shape) <= LONGEST_AXIS:
        header, is_second = _first_version(header), False
    image_class: Any = nibabel.Nifti2Image if is_second else nibabel.Nifti1Image
    # Without an affine, nibabel leaves the header's own qform and sform as they are.
    return image_class(array, None, _header_for(array, header), dtype=array.dtype)


def _first_version(header: nibabel.Nifti1Header) -> Any:
    """Return the geometry of a NIfTI-2 header as a NIfTI-1 header."""
    first: Any = nibabel.Nifti1Header()
    first.set_data_shape(header.get_data_shape())
    for field in GEOMETRY:
        first[field] = header[field]
    return first


def _header_for(array: np.ndarray[Any, Any], header: nibabel.Nifti1Header) -> Any:
    """Return a copy of a scan's header for `array`, with its geometry and nothing that describes the scan's values."""
    copy = header.copy()
    copy.extensions.clear()
    copy.set_data_shape(array.shape)
    copy.set_data_dtype(array.dtype)
    copy.set_intent("none")
    copy["cal_min"] = copy["cal_max"] = 0
    copy["descrip"] = copy["aux_file"] = b""
    return copy


@contextmanager
def _open_atomically(path: Path) -> Iterator[Any]:
    """Open a temporary file that becomes `path` at the end, once it is on the disk; an error leaves no file behind."""
    temporary = temporary_name(path)
    try:
        with temporary.open("wb") as raw:
            if not path.name.lower().endswith(".gz"):
                yield raw
            else:
                # Without time and name in it, the same mask gives the same file.
                with gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as packed:
                    yield packed
        put_in_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
