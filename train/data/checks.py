"""Problems of a case that show before its voxels are read: broken, empty or missing files, shapes that do not fit."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
import SimpleITK
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from train.scans.errors import ScanError
from train.scans.formats import (
    IMAGE_IO,
    LPS_TO_RAS,
    SUFFIXES,
    check_affine,
    check_file,
    index_to_lps,
    read_itk_header,
    volume_suffix,
)
from train.scans.promised_size import check_nifti

from .cases import Case, CaseProblem, DataSet
from .recorded_header import PARENT_LEVELS

GZIP = b"\x1f\x8b"
# The size of a NIfTI-1 or NIfTI-2 header, with which the file begins, in either byte order.
NIFTI = frozenset(size.to_bytes(4, order) for size in (348, 540) for order in ("little", "big"))


def find_problems(cases: Iterable[Case], dataset: DataSet) -> list[CaseProblem]:
    """Return the first problem of each case that cannot be used, as far as file names and headers show it.

    Of a case with several masks only the first mask is opened.
    """
    problems = (next(_problems_of_case(case, dataset), None) for case in cases)
    return [problem for problem in problems if problem is not None]


def _problems_of_case(case: Case, dataset: DataSet) -> Iterator[CaseProblem]:
    reason = _volume_problem(case, dataset)
    if reason is not None:
        yield CaseProblem(case.id, case.image, reason)
    yield from _label_problems(case)


def _volume_problem(case: Case, dataset: DataSet) -> str | None:
    """Return why the case's image is no usable CT volume, or None."""
    try:
        header = read_volume_header(case.image)
        if header is None:
            return None
        if header.blank and case.recorded_header is None and dataset.layout == "ct-rate":
            return _missing_metadata(dataset)
        if not header.blank:
            check_affine(case.image, header.affine)
    except ScanError as error:
        return str(error)
    shape = _format_shape(header.shape)
    if any(length != 1 for length in header.shape[3:]):
        return f"holds {np.prod(header.shape[3:])} volumes ({shape}); save the CT as a file of its own"
    if len(header.shape) < 3 or min(header.shape[:3]) < 2:
        return f"is no volume, but {shape}"
    return None


def _missing_metadata(dataset: DataSet) -> str:
    return (
        "its header says neither spacing nor orientation, and its values are no HU: it is of CT-RATE's original "
        f"release. Use the `*_fixed` files, or put the release's metadata CSV into {dataset.root} or one of the "
        f"{PARENT_LEVELS} folders above it"
    )


def _label_problems(case: Case) -> Iterator[CaseProblem]:
    paths = case.labels.paths if case.labels else ()
    for path in paths:
        try:
            check_file(path)
        except ScanError as error:
            yield CaseProblem(case.id, path, str(error))
            return
    if paths:
        reason = _shape_mismatch(case.image, paths[0])
        if reason is not None:
            yield CaseProblem(case.id, paths[0], reason)


def _shape_mismatch(image: Path, labels: Path) -> str | None:
    """Return how the shapes differ, or None. The order of the axes may differ, since both headers tell it."""
    try:
        headers = read_volume_header(image), read_volume_header(labels)
    except ScanError as error:
        return str(error)
    image_header, label_header = headers
    if image_header is None or label_header is None:
        return None
    if sorted(image_header.shape[:3]) == sorted(label_header.shape[:3]):
        return None
    return (
        f"{labels} is {_format_shape(label_header.shape)}, but its scan {image} is "
        f"{_format_shape(image_header.shape)}; resample the labels to the scan"
    )


def _format_shape(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)


class VolumeHeader(NamedTuple):
    """The header of a volume's file: stored shape, affine (4, 4) from voxel index to RAS mm, and `blank`.

    `blank` is set where the header says neither spacing nor orientation.
    """

    shape: tuple[int, ...]
    affine: np.ndarray[Any, Any]
    blank: bool


def read_volume_header(path: Path) -> VolumeHeader | None:
    """Read the header of a volume without its voxels; None where the file's name does not match its format.

    Raises:
        ScanError: the file is missing, empty or no image.
    """
    check_file(path)
    try:
        if not path.name.lower().endswith((".nii", ".nii.gz")):
            return _read_itk_header(path)
        with path.open("rb") as file:
            start = file.read(4)
        gzipped = start.startswith(GZIP)
        if gzipped != path.name.lower().endswith(".gz") and (gzipped or start in NIFTI):
            return None
        check_nifti(path, gzipped=gzipped)
        image: Any = nibabel.load(path)
    except (ImageFileError, HeaderDataError, OSError, EOFError, RuntimeError, zlib.error) as error:
        raise ScanError(f"{path}: not an image, or damaged ({str(error).splitlines()[-1]}). Fetch it again") from error
    blank = bool(np.array_equal(image.affine, np.eye(4)))
    return VolumeHeader(image.shape, np.asarray(image.affine, np.float64), blank)


def _read_itk_header(path: Path) -> VolumeHeader:
    kind = SUFFIXES.get(volume_suffix(path) or "")
    if kind in IMAGE_IO:
        reader = read_itk_header(path, kind)
    else:
        make_reader: Any = SimpleITK.ImageFileReader
        reader = make_reader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
    affine = LPS_TO_RAS @ index_to_lps(reader.GetOrigin(), reader.GetDirection(), reader.GetSpacing())
    return VolumeHeader(tuple(reader.GetSize()), affine, False)
