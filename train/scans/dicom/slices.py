"""The slices of a DICOM file by its header: their size, where each lies, and how their values become HU."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID

from ..errors import ScanError
from ..geometry import are_unit_vectors
from ..promised_size import check_image, check_stored
from .header import DicomFile, numbers_of, text_of, whole_number_of, wrong_value

# Implicit and explicit, little and big endian: pixels as they are.
UNPACKED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
# Where a slice lies, and the sequence of a multi-frame image that has it for a frame.
PLACE = {
    "ImagePositionPatient": ("PlanePositionSequence", 3),
    "ImageOrientationPatient": ("PlaneOrientationSequence", 6),
    "PixelSpacing": ("PixelMeasuresSequence", 2),
}
INVERTED = "MONOCHROME1"
RESCALING = ("RescaleSlope", "RescaleIntercept")


@dataclass(frozen=True, eq=False)
class Slice:
    """One image of a series: `frame` in the file `path`, its size, where it lies, and its rescaling.

    As in DICOM, `position` (3,) is in LPS mm, `orientation` (6,) are the directions of a row and of a column as unit
    vectors in LPS, `spacing` is that between rows and between columns in mm. `rescale` is (slope, intercept), and
    `unit` what its values are then, "" where nothing says so.
    """

    path: Path
    frame: int
    rows: int
    columns: int
    position: np.ndarray[Any, Any]
    orientation: np.ndarray[Any, Any]
    spacing: tuple[float, float]
    rescale: tuple[float, float] | None
    unit: str = ""

    @property
    def name(self) -> str:
        """Name of the file, with the number of the frame where it has several."""
        return self.path.name if self.frame == 0 else f"{self.path.name} frame {self.frame + 1}"


def slices_in_file(file: DicomFile) -> Iterator[Slice]:
    """Yield the slices of a file: one, or those of an enhanced multi-frame image.

    Raises:
        ScanError: the header does not say where a slice lies, or a number of it is none.
    """
    path, header = file.path, file.header
    frames = whole_number_of(path, header, "NumberOfFrames", 1) or 1
    size = (whole_number_of(path, header, "Columns", 0), whole_number_of(path, header, "Rows", 0), frames)
    check_image(path, *size)
    syntax = UID(str(header.file_meta.get("TransferSyntaxUID") or ""))
    # Old files have no group that names it, and private ones are known to who reads them.
    if len(header.file_meta) and not (syntax and syntax.is_private) and syntax.type != "Transfer Syntax":
        raise wrong_value(path, "TransferSyntaxUID", syntax, "the UID of a way to store pixels")
    if header.get("ModalityLUTSequence"):
        # Neither GDCM nor a slope and an intercept make HU of it.
        raise wrong_value(path, "ModalityLUTSequence", "a table of values", "RescaleSlope and RescaleIntercept")
    if text_of(header, "PhotometricInterpretation").strip() == INVERTED:
        # GDCM turns stored values over before they are rescaled, each kind of pixel in its own way.
        raise wrong_value(path, "PhotometricInterpretation", INVERTED, "MONOCHROME2, as a CT in HU has it")
    if str(getattr(header.file_meta, "TransferSyntaxUID", UNPACKED[0])) in UNPACKED:
        pixel_bytes = whole_number_of(path, header, "BitsAllocated", 8) // 8
        check_stored(path, size, pixel_bytes, path.stat().st_size, "its header")
    _check_bits(path, header)
    per_frame = header.get("PerFrameFunctionalGroupsSequence")
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    if frames > 1 and (per_frame is None or len(per_frame) != frames):
        raise ScanError(f"{path}: {frames} frames without a position each. Export the CT as a series or as NIfTI")
    for frame in range(frames):
        groups = [per_frame[frame]] if per_frame else []
        yield _read_slice(path, frame, size, header, [*groups, shared])


def _check_bits(path: Path, header: Dataset) -> None:
    """Raise `ScanError` where the bits of a value do not fit: GDCM and other readers each make something else of them.

    A HighBit above BitsStored - 1, as in old files, means that values are stored shifted.
    """
    allocated = whole_number_of(path, header, "BitsAllocated", 0)
    if not allocated:
        return
    stored = whole_number_of(path, header, "BitsStored", allocated)
    highest = whole_number_of(path, header, "HighBit", stored - 1)
    if not 0 < stored <= allocated:
        raise wrong_value(path, "BitsStored", str(stored), f"1 to {allocated}, the value of BitsAllocated")
    if not stored - 1 <= highest < allocated:
        raise wrong_value(path, "HighBit", str(highest), f"{stored - 1}, one less than BitsStored")


def _read_slice(path: Path, frame: int, size: tuple[int, int, int], header: Dataset, groups: list[Any]) -> Slice:
    place = {}
    for keyword, (sequence, count) in PLACE.items():
        value = numbers_of(path, _holder(header, groups, sequence), keyword, count)
        if value is None:
            raise ScanError(
                f"{path}: {keyword} is missing, so it is not known where the slice lies. Export it once more"
            )
        place[keyword] = np.asarray(value)
    spacing = place["PixelSpacing"]
    if spacing.min() <= 0:
        raise wrong_value(path, "PixelSpacing", _written(spacing), "2 numbers above 0")
    directions = place["ImageOrientationPatient"].reshape(2, 3)
    if not are_unit_vectors(directions):
        written = _written(directions.ravel())
        raise wrong_value(path, "ImageOrientationPatient", written, "two unit vectors at right angles")
    return Slice(
        path,
        frame,
        size[1],
        size[0],
        place["ImagePositionPatient"],
        (directions / np.linalg.norm(directions, axis=1, keepdims=True)).ravel(),
        (float(spacing[0]), float(spacing[1])),
        _rescaling(path, rescaling := _holder(header, groups, "PixelValueTransformationSequence")),
        text_of(rescaling, "RescaleType").strip(),
    )


def _rescaling(path: Path, dataset: Dataset) -> tuple[float, float] | None:
    """Return slope and intercept, None where one is missing. Raises `ScanError` for a slope of 0 or below."""
    slope, intercept = (numbers_of(path, dataset, keyword, 1) for keyword in RESCALING)
    if slope and slope[0] <= 0:
        raise wrong_value(path, "RescaleSlope", f"{slope[0]:g}", "a number above 0")
    return None if slope is None or intercept is None else (slope[0], intercept[0])


def _holder(header: Dataset, groups: list[Any], sequence: str) -> Dataset:
    """Return what holds a value: the functional groups of a multi-frame image, the frame's own first, or the header."""
    for group in groups:
        if group.get(sequence):
            item: Dataset = group[sequence][0]
            return item
    return header


def _written(numbers: Any) -> str:
    return "\\".join(f"{number:g}" for number in numbers)
