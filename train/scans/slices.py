"""Slices of a DICOM series by their headers: in which order they lie, and whether they make up one volume."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from .formats import ScanError

# A slice may be off its even place by this share of the spacing, or by what rounding positions to 0.1 mm makes.
UNEVEN_SHARE = 0.01
UNEVEN_MM = 0.05
SAME_PLACE_MM = 0.01
# A gap of more than so many spacings is a missing slice.
MISSING = 1.5
TILT_DEGREES = 1.0

HEADER_TAGS = """
    SOPClassUID SeriesInstanceUID SeriesNumber SeriesDescription Modality ImageType Rows Columns NumberOfFrames
    SamplesPerPixel ImagePositionPatient ImageOrientationPatient PixelSpacing PerFrameFunctionalGroupsSequence
    SharedFunctionalGroupsSequence RescaleSlope RescaleIntercept
""".split()


@dataclass(frozen=True, eq=False)
class Slice:
    """One image of a series: `frame` within `path`, and how it lies. `position` and `orientation` as DICOM has them: mm
    and unit vectors in LPS, `spacing` between rows and between columns.
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
        """The file's name, with the number of the frame where it has several."""
        return self.path.name if self.frame == 0 else f"{self.path.name} frame {self.frame + 1}"


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in the order in which they lie, and the affine (4, 4) from column, row and slice index to LPS mm."""

    slices: tuple[Slice, ...]
    affine: np.ndarray[Any, Any]
    doubts: tuple[str, ...]


def slices_of(path: Path, header: Dataset) -> Iterator[Slice]:
    """The slices that a file holds: one, or those of an enhanced multi-frame image."""
    frames = int(header.get("NumberOfFrames") or 1)
    per_frame = header.get("PerFrameFunctionalGroupsSequence")
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    if frames > 1 and (per_frame is None or len(per_frame) != frames):
        raise ScanError(f"{path}: {frames} frames without a position each. Export the CT as a series or as NIfTI")
    for frame in range(frames):
        own = per_frame[frame] if per_frame is not None else Dataset()
        yield _slice(path, frame, header, [own, shared])


def stacked(source: Path, slices: Sequence[Slice]) -> Stack:
    """The slices of one series in the order in which they lie along their normal.

    ScanError, named after `source`, where they are no volume: other sizes, directions or pixel spacings among them, two
    in one place, one missing, uneven distances.
    """
    _same(source, slices, "size in pixels", lambda one: (one.rows, one.columns))
    _same(source, slices, "direction", lambda one: tuple(np.round(one.orientation, 3) + 0.0))
    _same(source, slices, "pixel spacing", lambda one: tuple(np.round(one.spacing, 4)))
    if len(slices) < 2:
        raise ScanError(f"{source}: a volume of at least 2 slices is needed, the series has only {slices[0].name}")
    across, down = slices[0].orientation[:3], slices[0].orientation[3:]
    normal = np.cross(across, down)
    ordered = tuple(sorted(slices, key=lambda one: float(normal @ one.position)))
    positions = np.array([one.position for one in ordered])
    _check_gaps(source, ordered, np.diff(positions @ normal))
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    _check_even(source, ordered, positions, step)
    affine = np.eye(4)
    between_rows, between_columns = slices[0].spacing
    affine[:3] = np.column_stack([across * between_columns, down * between_rows, step, positions[0]])
    return Stack(ordered, affine, tuple(_tilt(normal, step)))


def _slice(path: Path, frame: int, header: Dataset, groups: list[Any]) -> Slice:
    position = _value(header, groups, "PlanePositionSequence", "ImagePositionPatient")
    orientation = _value(header, groups, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _value(header, groups, "PixelMeasuresSequence", "PixelSpacing")
    found = {"ImagePositionPatient": position, "ImageOrientationPatient": orientation, "PixelSpacing": spacing}
    for keyword, value in found.items():
        if not value:
            raise ScanError(
                f"{path}: {keyword} is missing, so it is not known where the slice lies. Export it once more"
            )
    slope = _value(header, groups, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = _value(header, groups, "PixelValueTransformationSequence", "RescaleIntercept")
    return Slice(
        path,
        frame,
        int(header.Rows),
        int(header.Columns),
        _vector(path, "ImagePositionPatient", position, 3),
        _vector(path, "ImageOrientationPatient", orientation, 6),
        tuple(_vector(path, "PixelSpacing", spacing, 2).tolist()),
        None if slope is None or intercept is None else (float(slope), float(intercept)),
    )


def _value(header: Dataset, groups: list[Any], sequence: str, keyword: str) -> Any:
    """A value of the header itself, or of a multi-frame image's functional groups, the frame's own first."""
    for group in groups:
        if group.get(sequence):
            return group[sequence][0].get(keyword)
    return header.get(keyword)


def _vector(path: Path, keyword: str, value: Any, length: int) -> np.ndarray[Any, Any]:
    vector = np.asarray(value, dtype=np.float64)
    if vector.shape != (length,) or not np.isfinite(vector).all():
        raise ScanError(f"{path}: {keyword} is {value}, not {length} numbers. Export the series once more")
    return vector


def _same(source: Path, slices: Sequence[Slice], what: str, of: Callable[[Slice], Hashable]) -> None:
    counts = Counter(of(one) for one in slices)
    if len(counts) > 1:
        usual, _ = counts.most_common(1)[0]
        odd = [one for one in slices if of(one) != usual]
        raise ScanError(
            f"{source}: {len(odd)} of {len(slices)} slices have another {what} ({_shown(of(odd[0]))}, "
            f"not {_shown(usual)}): {_listed(odd)}. Keep only the slices of one volume in the folder"
        )


def _check_gaps(source: Path, slices: Sequence[Slice], gaps: np.ndarray[Any, Any]) -> None:
    twice = np.flatnonzero(gaps < SAME_PLACE_MM)
    if twice.size:
        raise ScanError(
            f"{source}: several slices lie in one place (places: {twice.size}), such as {slices[twice[0]].name} and "
            f"{slices[twice[0] + 1].name}: copies, or several phases in one series. Keep those of one phase in a "
            "folder of its own"
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
    off = np.linalg.norm(positions - positions[0] - np.arange(len(slices))[:, None] * step, axis=1)
    spacing, worst = float(np.linalg.norm(step)), int(off.argmax())
    if off[worst] > max(UNEVEN_SHARE * spacing, UNEVEN_MM):
        raise ScanError(
            f"{source}: the slices do not lie at even distances: {slices[worst].name} is {off[worst]:.3g} mm off its "
            f"place at {spacing:.4g} mm spacing. Resample it evenly first (dcm2niix does) and give the NIfTI file"
        )


def _tilt(normal: np.ndarray[Any, Any], step: np.ndarray[Any, Any]) -> Iterator[str]:
    degrees = float(np.degrees(np.arccos(np.clip(normal @ step / np.linalg.norm(step), -1, 1))))
    if degrees > TILT_DEGREES:
        yield f"the gantry was tilted by {degrees:.1f} degrees: the network sees the body sheared, results may be worse"


def _listed(slices: Sequence[Slice]) -> str:
    names = [one.name for one in slices[:3]]
    return ", ".join(names) + (f" and {len(slices) - 3} more" if len(slices) > 3 else "")


def _shown(value: Any) -> str:
    return " x ".join(f"{number:g}" for number in value)


def read_header(path: Path) -> Dataset:
    """What of a DICOM file's header tells its place, without its pixels."""
    return pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(HEADER_TAGS))
