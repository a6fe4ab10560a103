"""Slices of a DICOM series by their headers: their order in space, and whether they make up one volume."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from .errors import ScanError
from .promised_size import check_image, check_stored

# A slice may be off its even position by this share of the spacing, or by as much as rounding to 0.1 mm causes.
UNEVEN_SHARE = 0.01
UNEVEN_MM = 0.05
SAME_POSITION_MM = 0.01
# A gap of more than this many spacings is a missing slice.
MISSING = 1.5
TILT_DEGREES = 1.0

# Transfer syntaxes of files that are deflated as a whole begin so; the group that names them stands in front.
DEFLATED = b"1.2.840.10008.1.2.1.99"
META_BYTES = 4096

# Implicit and explicit, little and big endian: pixels as they are.
UNPACKED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")

HEADER_TAGS = """
    SOPClassUID SeriesInstanceUID SeriesNumber SeriesDescription Modality ImageType Rows Columns NumberOfFrames
    SamplesPerPixel BitsAllocated ImagePositionPatient ImageOrientationPatient PixelSpacing
    PerFrameFunctionalGroupsSequence
    SharedFunctionalGroupsSequence RescaleSlope RescaleIntercept
""".split()


@dataclass(frozen=True, eq=False)
class Slice:
    """One image of a series: `frame` in the file `path`, its size, where it lies, and its rescaling.

    As in DICOM, `position` (3,) is in LPS mm, `orientation` (6,) are the directions of a row and of a column as unit
    vectors in LPS, `spacing` is that between rows and between columns in mm. `rescale` is (slope, intercept).
    """

    path: Path
    frame: int
    rows: int
    columns: int
    position: np.ndarray[Any, Any]
    orientation: np.ndarray[Any, Any]
    spacing: tuple[float, float]
    rescale: tuple[float, float] | None

    @property
    def name(self) -> str:
        """Name of the file, with the number of the frame where it has several."""
        return self.path.name if self.frame == 0 else f"{self.path.name} frame {self.frame + 1}"


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in their order along the normal, and the affine (4, 4) from column, row and slice index to LPS mm."""

    slices: tuple[Slice, ...]
    affine: np.ndarray[Any, Any]
    doubts: tuple[str, ...]


def read_dicom_header(path: Path) -> Dataset:
    """Read the tags of a DICOM file that tell what it shows and where it lies, without its pixels.

    Raises:
        ScanError: it is deflated as a whole, so that what is in it shows only unpacked, however much that is.
    """
    with path.open("rb") as file:
        if DEFLATED in file.read(META_BYTES):
            raise ScanError(f"{path}: a deflated DICOM file. Unpack it with dcmconv +te of DCMTK")
    return pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(HEADER_TAGS))


def slices_in_file(path: Path, header: Dataset) -> Iterator[Slice]:
    """Yield the slices of a file: one, or those of an enhanced multi-frame image.

    Raises:
        ScanError: the header does not say where a slice lies.
    """
    frames = int(header.get("NumberOfFrames") or 1)
    size = (int(header.Columns), int(header.Rows), frames)
    check_image(path, *size)
    if str(getattr(header.file_meta, "TransferSyntaxUID", UNPACKED[0])) in UNPACKED:
        pixel_bytes = int(header.get("BitsAllocated") or 8) // 8
        check_stored(path, size, pixel_bytes, path.stat().st_size, "its header")
    per_frame = header.get("PerFrameFunctionalGroupsSequence")
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    if frames > 1 and (per_frame is None or len(per_frame) != frames):
        raise ScanError(f"{path}: {frames} frames without a position each. Export the CT as a series or as NIfTI")
    for frame in range(frames):
        groups = per_frame[frame] if per_frame is not None else Dataset()
        yield _read_slice(path, frame, header, [groups, shared])


def stack_slices(source: Path, slices: Sequence[Slice]) -> Stack:
    """Sort the slices of one series along their normal and return them with their affine.

    Raises:
        ScanError: they make no volume: sizes, directions or pixel spacings differ, two lie in one position, one is
            missing, or distances are uneven. The text begins with `source`, the series' folder.
    """
    _check_same(source, slices, "size in pixels", lambda image: (image.rows, image.columns))
    _check_same(source, slices, "direction", lambda image: tuple(np.round(image.orientation, 3) + 0.0))
    _check_same(source, slices, "pixel spacing", lambda image: tuple(np.round(image.spacing, 4)))
    if len(slices) < 2:
        raise ScanError(f"{source}: a volume of at least 2 slices is needed, the series has only {slices[0].name}")
    across, down = slices[0].orientation[:3], slices[0].orientation[3:]
    normal = np.cross(across, down)
    ordered = tuple(sorted(slices, key=lambda image: float(normal @ image.position)))
    positions = np.array([image.position for image in ordered])
    _check_gaps(source, ordered, np.diff(positions @ normal))
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    _check_even(source, ordered, positions, step)
    affine = np.eye(4)
    between_rows, between_columns = slices[0].spacing
    affine[:3] = np.column_stack([across * between_columns, down * between_rows, step, positions[0]])
    return Stack(ordered, affine, tuple(_tilt_doubt(normal, step)))


def _read_slice(path: Path, frame: int, header: Dataset, groups: list[Any]) -> Slice:
    position = _read_value(header, groups, "PlanePositionSequence", "ImagePositionPatient")
    orientation = _read_value(header, groups, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _read_value(header, groups, "PixelMeasuresSequence", "PixelSpacing")
    required = {"ImagePositionPatient": position, "ImageOrientationPatient": orientation, "PixelSpacing": spacing}
    for keyword, value in required.items():
        if not value:
            raise ScanError(
                f"{path}: {keyword} is missing, so it is not known where the slice lies. Export it once more"
            )
    slope = _read_value(header, groups, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = _read_value(header, groups, "PixelValueTransformationSequence", "RescaleIntercept")
    return Slice(
        path,
        frame,
        int(header.Rows),
        int(header.Columns),
        _to_vector(path, "ImagePositionPatient", position, 3),
        _to_vector(path, "ImageOrientationPatient", orientation, 6),
        tuple(_to_vector(path, "PixelSpacing", spacing, 2).tolist()),
        None if slope is None or intercept is None else (float(slope), float(intercept)),
    )


def _read_value(header: Dataset, groups: list[Any], sequence: str, keyword: str) -> Any:
    """Return a value of a multi-frame image's functional groups, the frame's own first, or of the header itself."""
    for group in groups:
        if group.get(sequence):
            return group[sequence][0].get(keyword)
    return header.get(keyword)


def _to_vector(path: Path, keyword: str, value: Any, length: int) -> np.ndarray[Any, Any]:
    """Return the value of a tag as (length,) float64. Raises `ScanError` for anything else."""
    vector = np.asarray(value, dtype=np.float64)
    if vector.shape != (length,) or not np.isfinite(vector).all():
        raise ScanError(f"{path}: {keyword} is {value}, not {length} numbers. Export the series once more")
    return vector


def _check_same(source: Path, slices: Sequence[Slice], name: str, value_of: Callable[[Slice], Hashable]) -> None:
    """Raise `ScanError` where not all slices have the same value of a property; `name` is that of the property."""
    counts = Counter(value_of(image) for image in slices)
    if len(counts) > 1:
        usual, _ = counts.most_common(1)[0]
        odd = [image for image in slices if value_of(image) != usual]
        raise ScanError(
            f"{source}: {len(odd)} of {len(slices)} slices have another {name} ({_format_value(value_of(odd[0]))}, "
            f"not {_format_value(usual)}): {_list_names(odd)}. Keep only the slices of one volume in the folder"
        )


def _check_gaps(source: Path, slices: Sequence[Slice], gaps: np.ndarray[Any, Any]) -> None:
    """Raise `ScanError` for two slices in one position and for a missing slice. `gaps` (slices - 1,) in mm."""
    duplicates = np.flatnonzero(gaps < SAME_POSITION_MM)
    if duplicates.size:
        raise ScanError(
            f"{source}: several slices lie in one place (places: {duplicates.size}), such as "
            f"{slices[duplicates[0]].name} and {slices[duplicates[0] + 1].name}: copies, or several phases in one "
            "series. Keep those of one phase in a folder of its own"
        )
    usual = float(np.median(gaps))
    missing = np.flatnonzero(gaps > MISSING * usual)
    if missing.size:
        first = missing[0]
        raise ScanError(
            f"{source}: slices are missing (gaps: {missing.size}), first between {slices[first].name} and "
            f"{slices[first + 1].name}, {gaps[first]:.4g} mm apart, not {usual:.4g}. Export the whole series once more"
        )


def _check_even(source: Path, slices: Sequence[Slice], positions: np.ndarray[Any, Any], step: Any) -> None:
    """Raise `ScanError` where a slice is off the even position that `step` (3,), in LPS mm, gives it."""
    deviations = np.linalg.norm(positions - positions[0] - np.arange(len(slices))[:, None] * step, axis=1)
    spacing, worst = float(np.linalg.norm(step)), int(deviations.argmax())
    if deviations[worst] > max(UNEVEN_SHARE * spacing, UNEVEN_MM):
        raise ScanError(
            f"{source}: the slices do not lie at even distances: {slices[worst].name} is {deviations[worst]:.3g} mm "
            f"off its place at {spacing:.4g} mm spacing. Resample it evenly first (dcm2niix does) and give the NIfTI "
            "file"
        )


def _tilt_doubt(normal: np.ndarray[Any, Any], step: np.ndarray[Any, Any]) -> Iterator[str]:
    degrees = float(np.degrees(np.arccos(np.clip(normal @ step / np.linalg.norm(step), -1, 1))))
    if degrees > TILT_DEGREES:
        yield f"the gantry was tilted by {degrees:.1f} degrees: the network sees the body sheared, results may be worse"


def _list_names(slices: Sequence[Slice]) -> str:
    names = [image.name for image in slices[:3]]
    return ", ".join(names) + (f" and {len(slices) - 3} more" if len(slices) > 3 else "")


def _format_value(value: Any) -> str:
    return " x ".join(f"{number:g}" for number in value)
