"""Whether the files of a series are of one patient and one study, and which of them are copies."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pydicom

from ..errors import ScanError
from .header import DicomFile, named_tag, text_of

# How stored pixels become HU.
READ_BY = """
    Rows Columns PixelSpacing BitsAllocated BitsStored HighBit PixelRepresentation RescaleSlope RescaleIntercept
""".split()


def check_patient(files: Iterable[DicomFile]) -> None:
    """Raise `ScanError` where slices of one series have different PatientIDs."""
    by_patient = _by_value(files, "PatientID")
    if len(by_patient) > 1:
        (first, one), (second, other) = list(by_patient.items())[:2]
        raise ScanError(
            f"{other.path}: {named_tag('PatientID')} is {second[:64]!r}, but that of {one.path.name} in the same "
            f"series is {first[:64]!r}: two patients are no volume. Keep the slices of one patient in the folder"
        )


def study_doubts(files: Iterable[DicomFile]) -> Iterator[str]:
    """Yield a doubt where slices of one series have different StudyInstanceUIDs."""
    by_study = _by_value(files, "StudyInstanceUID")
    if len(by_study) > 1:
        listed = ", ".join(f"{value[:64]} ({file.path.name})" for value, file in list(by_study.items())[:2])
        yield (
            f"its slices are of {len(by_study)} studies by {named_tag('StudyInstanceUID')}, such as {listed}: are they "
            "of one scan?"
        )


def copies_in_place(files: Iterable[DicomFile]) -> Iterator[Path]:
    """Yield the files that lie where an earlier one lies and have its pixels and rescaling, under another UID."""
    places: dict[tuple[str, ...], DicomFile] = {}
    for file in files:
        place = tuple(text_of(file.header, keyword) for keyword in ("ImagePositionPatient", "ImageOrientationPatient"))
        first = places.setdefault(place, file)
        if all(place) and first is not file and _values(first) == _values(file):
            yield file.path


def lie_apart(one: DicomFile, other: DicomFile) -> bool:
    """Whether two files say that they lie in different places, so that one cannot be a copy of the other."""
    first, second = (text_of(file.header, "ImagePositionPatient") for file in (one, other))
    return bool(first and second) and first != second


def conflict_of(path: Path, copy: Path) -> ScanError | None:
    """Return the error where two files of one SOPInstanceUID have other pixels, for when their series is read."""
    if path.stat().st_size == copy.stat().st_size and path.read_bytes() == copy.read_bytes():
        return None
    pixels = [pydicom.dcmread(file, force=True).get("PixelData") for file in (path, copy)]
    if pixels[0] != pixels[1]:
        return ScanError(
            f"{copy}: has the SOPInstanceUID (0008,0018) of {path.name}, but other pixels. Keep the right one of the "
            "two in the folder"
        )
    return None


def _values(file: DicomFile) -> tuple[object, ...]:
    """Return what the values of a slice come from: its stored pixels, and the tags that say how to read them."""
    pixels = pydicom.dcmread(file.path, force=True)
    syntax = str(getattr(pixels.file_meta, "TransferSyntaxUID", ""))
    return (syntax, pixels.get("PixelData"), *(text_of(pixels, keyword) for keyword in READ_BY))


def _by_value(files: Iterable[DicomFile], keyword: str) -> dict[str, DicomFile]:
    """Return the first file of each value of a tag; those without one are passed over, as anonymised files are."""
    found: dict[str, DicomFile] = {}
    for file in files:
        if value := text_of(file.header, keyword).strip():
            found.setdefault(value, file)
    return found
