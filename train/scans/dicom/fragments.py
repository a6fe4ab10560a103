"""Refuses a series beside which lies what is left of a slice: an empty file, or one that ends within its header.

Without that slice the volume would have a gap, or would end early and not show it.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..errors import ScanError
from .header import DicomFile, text_of

# A file that is shorter has no room for the preamble of DICOM and the four letters behind it.
PREAMBLE_BYTES = 132
DICOM_ENDINGS = (".dcm", ".dicom", ".ima")
# Positions that differ by less are one place.
SAME_PLACE_MM = 0.01


def refuse_fragments(slices: Iterable[DicomFile], headers: Iterable[DicomFile], no_dicom: Iterable[Path]) -> None:
    """Raise `ScanError` where one of the files beside the `slices` of a series is what is left of one of them.

    `headers` are CT images without pixels of this series or of none, `no_dicom` are files that do not begin as DICOM.
    """
    files = list(slices)
    folders = {file.path.parent for file in files}
    shapes = {_shape(file.path) for file in files}
    problems: dict[Path, str] = {}
    for path in no_dicom:
        named_so = path.suffix.lower() in DICOM_ENDINGS or _shape(path) in shapes
        if path.parent in folders and named_so and (problem := _damage(path)):
            problems[path] = problem
    known = {text_of(file.header, "SeriesInstanceUID") for file in files}
    places = [place for file in files if (place := _place(file)) is not None]
    for file in headers:
        series = text_of(file.header, "SeriesInstanceUID")
        if (series in known if series else file.path.parent in folders) and not _is_there(_place(file), places):
            problems[file.path] = "a CT image without pixels (PixelData (7FE0,0010) is missing), and cut off"
    if problems:
        first, *more = sorted(problems)
        others = f" There are {len(more)} more such files, the first is {more[0].name}." if more else ""
        raise ScanError(
            f"{first}: {problems[first]}.{others} It lies among the slices of a series, of which one may be lost. Copy "
            "or export it once more, or take it out of the folder if it is no slice"
        )


def _shape(path: Path) -> str:
    """Return the name of a file with its numbers left out."""
    return re.sub(r"\d+", "#", path.name.lower())


def _damage(path: Path) -> str:
    """Return what is wrong with a file that is named as a slice and is no DICOM, "" where it is something else."""
    with path.open("rb") as file:
        head = file.read(PREAMBLE_BYTES)
    if not head:
        return "the file is empty"
    if not any(head):
        return "damaged, it begins with zeros where a DICOM file begins"
    return f"cut off, it has only {len(head)} bytes" if len(head) < PREAMBLE_BYTES else ""


def _place(file: DicomFile) -> np.ndarray | None:
    try:
        place = np.array([float(value) for value in file.header.get("ImagePositionPatient") or ()])
    except Exception:  # pydicom raises anything; of a slice it is refused by name when that is read
        return None
    return place if place.shape == (3,) else None


def _is_there(place: np.ndarray | None, places: list[np.ndarray]) -> bool:
    """Whether a slice lies at `place`, so that none is lost."""
    return place is not None and any(np.abs(place - other).max() < SAME_PLACE_MM for other in places)
