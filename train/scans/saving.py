"""Masks, label maps and volumes to NIfTI files that any viewer lays over the scan they belong to."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import nibabel
import numpy as np
from nibabel.fileholders import FileHolder
from nibabel.nifti1 import Nifti1Extension

from curation.runtime.files import put_in_place

from .formats import ScanError

# Masks shrink well at any level; the higher ones take longer than the segmentation itself.
COMPRESSION = 1
# Types that NIfTI does not have.
STORED_AS = {"bool": np.uint8, "float16": np.float32}
# Codes of the NIfTI standard: coordinates of the scanner, and an extension that holds plain text.
SCANNER = 1
COMMENT = 6


class Placed(Protocol):
    """A scan, as far as its place in space goes."""

    @property
    def affine(self) -> np.ndarray[Any, Any]: ...
    @property
    def header(self) -> nibabel.Nifti1Header | None: ...


def save_nifti(
    path: Path,
    array: np.ndarray[Any, Any],
    affine: np.ndarray[Any, Any],
    *,
    like: Placed | None = None,
    extension: bytes | None = None,
) -> None:
    """Write `array` (X, Y, Z) to `path`, .nii or .nii.gz, whole or not at all; bool becomes uint8, float16 float32.

    On the grid of `like`, where that was a NIfTI file, its qform, sform and their codes are kept as they stood, so that
    every viewer lays the result where it lays the scan. `extension` becomes a header extension of NIfTI's type comment.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise ScanError(f"{path}: results are written as NIfTI. Give a name that ends in .nii.gz or .nii")
    if not path.parent.is_dir():
        raise ScanError(f"{path.parent}: no such folder to write {path.name} to. Make it first, or name another")
    array = array.astype(STORED_AS.get(array.dtype.name, array.dtype), copy=False)
    image = _image(array, affine, like)
    if extension is not None:
        image.header.extensions.append(Nifti1Extension(COMMENT, extension))
    with _written_whole(path) as file:
        image.to_file_map({"image": FileHolder(fileobj=file)})


def _image(array: np.ndarray[Any, Any], affine: np.ndarray[Any, Any], like: Placed | None) -> Any:
    header = None if like is None or not np.array_equal(like.affine, affine) else like.header
    if header is None:
        image = nibabel.Nifti1Image(array, affine, dtype=array.dtype)
        image.set_sform(affine, SCANNER)
        image.set_qform(affine, SCANNER)
        if not np.allclose(image.get_qform(), affine, atol=1e-3):
            # A quaternion cannot say that a gantry was tilted.
            image.set_qform(None, 0)
        image.header.set_xyzt_units("mm")
        return image
    kind: Any = nibabel.Nifti2Image if isinstance(header, nibabel.Nifti2Header) else nibabel.Nifti1Image
    # With no affine the header's own qform and sform stay untouched.
    return kind(array, None, _cleared(header, array), dtype=array.dtype)


def _cleared(header: nibabel.Nifti1Header, array: np.ndarray[Any, Any]) -> Any:
    """A copy that keeps the place in space, and nothing that was said of the scan's values."""
    copy = header.copy()
    copy.extensions.clear()
    copy.set_data_shape(array.shape)
    copy.set_data_dtype(array.dtype)
    copy.set_intent("none")
    copy["cal_min"] = copy["cal_max"] = 0
    copy["descrip"] = copy["aux_file"] = b""
    return copy


@contextmanager
def _written_whole(path: Path) -> Iterator[Any]:
    """A file to write to that becomes `path` at the end, once it lies on the disk; after an error there is none."""
    end = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
    temporary = path.with_name(f".{path.name.removesuffix(end)}.{os.getpid()}.tmp{end}")
    try:
        with temporary.open("wb") as raw:
            if end == ".nii":
                yield raw
            else:
                # No time and no name in it: the same mask is the same file.
                with gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as packed:
                    yield packed
        put_in_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
