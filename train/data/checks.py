"""Problems of a case that show before its voxels are read: broken, empty or missing files, shapes that do not fit."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from train.scans.errors import ScanError
from train.scans.formats import SUFFIXES, check_file, volume_suffix
from train.scans.geometry import check_affine
from train.scans.itk.volumes import read_itk_header
from train.scans.nifti import read_nifti_header

from .cases import Case, CaseProblem, DataSet
from .recorded_header import PARENT_LEVELS


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


def read_volume_header(path: Path) -> VolumeHeader:
    """Read the header of a volume without its voxels.

    Raises:
        ScanError: the file is missing, empty or no image.
    """
    check_file(path)
    kind = SUFFIXES.get(volume_suffix(path) or "", "nifti")
    if kind != "nifti":
        header = read_itk_header(path, kind)
        return VolumeHeader(header.shape, header.affine, header.said.blank)
    nifti = read_nifti_header(path)
    affine = nifti.placement.affine
    blank = nifti.placement.blank or bool(np.array_equal(affine, np.eye(4)))
    return VolumeHeader(nifti.fields.get_data_shape(), affine, blank)
