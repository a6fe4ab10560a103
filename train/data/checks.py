"""What can be told of a case before its voxels are read: broken, empty or missing files, shapes that do not fit."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
import SimpleITK
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from curation.runtime.progress import Progress
from train.scans.formats import LPS_TO_RAS, ScanError, check_affine, check_file, index_to_lps

from .cases import Case, DataSet, OnProblem, Problem, refuse
from .recorded_header import ABOVE

GZIP = b"\x1f\x8b"
# The size of a NIfTI-1 or NIfTI-2 header, with which the file begins, in either order of bytes.
NIFTI = frozenset(size.to_bytes(4, order) for size in (348, 540) for order in ("little", "big"))


class Header(NamedTuple):
    """Shape of the stored array, its affine, and whether the file says neither spacing nor orientation."""

    shape: tuple[int, ...]
    affine: np.ndarray[Any, Any]
    blank: bool


def read_header(path: Path) -> Header | None:
    """The header alone; None for a file whose name hides its format, which only reading it can tell.

    Raises:
        ScanError: the file is missing, empty or no image.
    """
    check_file(path)
    try:
        if not path.name.lower().endswith((".nii", ".nii.gz")):
            return _itk_header(path)
        with path.open("rb") as file:
            start = file.read(4)
        gzipped = start.startswith(GZIP)
        if gzipped != path.name.lower().endswith(".gz") and (gzipped or start in NIFTI):
            return None
        image: Any = nibabel.load(path)
    except (ImageFileError, HeaderDataError, OSError, EOFError, RuntimeError, zlib.error) as error:
        raise ScanError(f"{path}: not an image, or damaged ({str(error).splitlines()[-1]}). Fetch it again") from error
    blank = bool(np.array_equal(image.affine, np.eye(4)))
    return Header(image.shape, np.asarray(image.affine, np.float64), blank)


def _itk_header(path: Path) -> Header:
    make: Any = SimpleITK.ImageFileReader
    reader = make()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    affine = LPS_TO_RAS @ index_to_lps(reader.GetOrigin(), reader.GetDirection(), reader.GetSpacing())
    return Header(tuple(reader.GetSize()), affine, False)


def check(case: Case, dataset: DataSet) -> list[Problem]:
    """What stands against a case as far as names and headers tell; of several masks the first is opened."""
    found = [_volume_problem(case, dataset), *_label_problems(case)]
    return [Problem(case.id, path, what) for path, what in found if what is not None]


def checked(dataset: DataSet, on_problem: OnProblem = "skip", progress: Progress | None = None) -> DataSet:
    """The data set without the cases that cannot be used, each named in its `problems` (`skip`).

    Raises:
        DataError: with `refuse`, where there is a problem: it tells up to ten; else where no case is left.
    """
    progress = progress or Progress()
    progress.start(len(dataset.cases), 0)
    good, problems = [], list(dataset.problems)
    for case in dataset.cases:
        progress.raise_if_interrupted()
        found = check(case, dataset)
        problems += found[:1]
        good += [] if found else [case]
        progress.advance()
    if on_problem == "refuse" or not good:
        refuse(dataset.root, problems, len(good) + len(problems))
    return replace(dataset, cases=tuple(good), problems=tuple(problems))


def _volume_problem(case: Case, dataset: DataSet) -> tuple[Path, str | None]:
    try:
        header = read_header(case.image)
        if header is None:
            return case.image, None
        if header.blank and case.recorded is None and dataset.layout == "ct-rate":
            return case.image, _no_table(dataset)
        if not header.blank:
            check_affine(case.image, header.affine)
    except ScanError as error:
        return case.image, str(error)
    told = " x ".join(str(length) for length in header.shape)
    if any(length != 1 for length in header.shape[3:]):
        return case.image, f"holds {np.prod(header.shape[3:])} volumes ({told}); save the CT as a file of its own"
    if len(header.shape) < 3 or min(header.shape[:3]) < 2:
        return case.image, f"is no volume, but {told}"
    return case.image, None


def _no_table(dataset: DataSet) -> str:
    return (
        "its header says neither spacing nor orientation, and its values are no HU: it is of CT-RATE's original "
        f"release. Use the `*_fixed` files, or put the release's metadata CSV into {dataset.root} or one of the "
        f"{ABOVE} folders above it"
    )


def _label_problems(case: Case) -> Iterator[tuple[Path, str | None]]:
    paths = case.labels.paths if case.labels else ()
    for path in paths:
        try:
            check_file(path)
        except ScanError as error:
            yield path, str(error)
            return
    if paths:
        yield paths[0], _mismatch(case.image, paths[0])


def _mismatch(image: Path, labels: Path) -> str | None:
    """How the shapes differ; the order of the axes may, where both say how they lie."""
    try:
        scan, found = read_header(image), read_header(labels)
    except ScanError as error:
        return str(error)
    if scan is None or found is None or sorted(scan.shape[:3]) == sorted(found.shape[:3]):
        return None
    shapes = [" x ".join(str(length) for length in header.shape) for header in (scan, found)]
    return f"{labels} is {shapes[1]}, but its scan {image} is {shapes[0]}; resample the labels to the scan"
