"""Reading a volume as it is stored, whatever its format: by its name, else by what is in the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.runtime.errors import OvctError

from .detached import missing_part
from .dicom.header import is_dicom
from .dicom.read import read_dicom
from .dicom.stacking import UnevenSlices
from .errors import ScanError
from .formats import FORMATS, SUFFIXES, StoredVolume, check_file, volume_suffix
from .itk.volumes import read_simpleitk
from .nifti import is_nifti, read_nifti


def read_volume(path: Path, uneven_slices: UnevenSlices = "refuse") -> StoredVolume:
    """Read a file, a folder of DICOM files, or any file of a DICOM series. Raises `ScanError` for what is none."""
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
    if missing := missing_part(path):
        raise ScanError(f"{path}: {missing}")
    raise ScanError(f"{path}: not a format that is known here. A CT volume is {FORMATS}")


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
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
