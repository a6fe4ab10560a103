"""Headers of DICOM files: what is one, the tags that tell what it shows and where it lies, and its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag

from ..errors import ScanError
from .deflated import META_BYTES, is_deflated, read_deflated_header

# The first elements of a file without a preamble, which DCMTK and GDCM read too: group 0002 or, in older files, 0008.
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")
# The group of the pixels as a file of either byte order has it; its elements are 0008, 0009 and 0010.
PIXEL_GROUP = (b"\xe0\x7f", b"\x7f\xe0")

HEADER_TAGS = """
    SOPClassUID SOPInstanceUID SeriesInstanceUID SeriesNumber SeriesDescription Modality ImageType Rows Columns
    NumberOfFrames SamplesPerPixel BitsAllocated BitsStored HighBit ImagePositionPatient ImageOrientationPatient
    PixelSpacing PatientID StudyInstanceUID PhotometricInterpretation PerFrameFunctionalGroupsSequence
    SharedFunctionalGroupsSequence RescaleSlope RescaleIntercept RescaleType ModalityLUTSequence
""".split()

# The types (VR) by which GDCM reads these tags, whatever the file says that theirs is.
DECODED_BY = {
    **dict.fromkeys(("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"), "US"),
    **dict.fromkeys(("RescaleSlope", "RescaleIntercept"), "DS"),
}


class DicomFile(NamedTuple):
    """A DICOM file: its header without pixels, whether there are any, and whether all of it is deflated."""

    path: Path
    header: Dataset
    has_pixels: bool
    deflated: bool = False


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: with its preamble, or directly with its first group."""
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or (head[:2] in FIRST_GROUPS and head[3:4] == b"\x00" and len(head) > 8)


def read_dicom_header(path: Path) -> DicomFile:
    """Read the tags of a DICOM file that tell what it shows and where it lies, without its pixels.

    Raises:
        ScanError: it is deflated as a whole, and damaged.
    """
    with path.open("rb") as file:
        if is_deflated(file.read(META_BYTES), path):
            return DicomFile(path, *read_deflated_header(path, HEADER_TAGS), deflated=True)
        file.seek(0)
        header = pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(HEADER_TAGS))
        return DicomFile(path, header, file.read(2) in PIXEL_GROUP)


def refuse_deflated(slices: Iterable[DicomFile]) -> None:
    """Raise `ScanError` where one of the slices of a series is deflated."""
    for file in slices:
        if file.deflated:
            raise ScanError(f"{file.path}: a deflated DICOM file. Unpack it with dcmconv +te of DCMTK")


@contextmanager
def header_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a header into a `ScanError`: values are read late, and pydicom raises anything."""
    try:
        yield
    except ScanError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ScanError(f"{path}: a DICOM file whose header cannot be read ({reason}). Copy it once more") from error


def text_of(dataset: Dataset, keyword: str) -> str:
    """Return the value of a tag as text, whatever it is; "" where it is missing or empty."""
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom raises anything, and the text serves to sort files and to name them
        return _raw_text(dataset, keyword)
    return "" if value is None else str(value)


def numbers_of(path: Path, dataset: Dataset, keyword: str, count: int) -> list[float] | None:
    """Return the `count` numbers of a tag, or None where it is missing or empty.

    Raises:
        ScanError: its value is not so many numbers. It names file, tag and value.
    """
    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return None
    try:
        kind = dataset[tag].VR
    except Exception as error:
        raise wrong_value(path, keyword, _raw_text(dataset, keyword), _numbers(count)) from error
    if keyword in DECODED_BY and kind != DECODED_BY[keyword]:
        raise wrong_value(
            path, keyword, f"{text_of(dataset, keyword)} ({kind})", f"a value of type {DECODED_BY[keyword]}"
        )
    try:
        value = dataset[tag].value
        values = [] if value is None or value == "" else list(value) if hasattr(value, "__iter__") else [value]
        numbers = [float(number) for number in values]
    except Exception as error:
        raise wrong_value(path, keyword, _raw_text(dataset, keyword), _numbers(count)) from error
    if not numbers:
        return None
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise wrong_value(path, keyword, "\\".join(f"{number:g}" for number in numbers), _numbers(count))
    return numbers


def whole_number_of(path: Path, dataset: Dataset, keyword: str, default: int) -> int:
    """Return the whole number of a tag, or `default` where it is missing or empty. Raises `ScanError` for another."""
    numbers = numbers_of(path, dataset, keyword, 1)
    if numbers is None:
        return default
    if numbers[0] != int(numbers[0]):
        raise wrong_value(path, keyword, f"{numbers[0]:g}", "a whole number")
    return int(numbers[0])


def wrong_value(path: Path, keyword: str, value: str, expected: str) -> ScanError:
    """Return the error for a value that cannot be used; it names file, tag and value."""
    return ScanError(
        f"{path}: {named_tag(keyword)} is {value[:80]!r}, expected {expected}. Put the tag right, or export the series "
        "once more"
    )


def named_tag(keyword: str) -> str:
    """Return a tag by its name and number."""
    tag = Tag(keyword)
    return f"{keyword} ({tag.group:04X},{tag.element:04X})"


def _numbers(count: int) -> str:
    return "a number" if count == 1 else f"{count} numbers, any fraction behind a point"


def _raw_text(dataset: Dataset, keyword: str) -> str:
    element: Any = dataset.get_item(Tag(keyword))
    value = getattr(element, "value", None)
    if isinstance(value, bytes):
        return value.decode("latin-1").strip("\0 ")
    return "\\".join(map(str, value)) if isinstance(value, (list, MultiValue)) else str(value)
