"""Slices of a DICOM series in their order in space, and whether they make up one volume."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..errors import ScanError
from .distances import distance_problem
from .slices import Slice

UnevenSlices = Literal["refuse", "resample"]
# A slice may be off its even place by this share of the spacing, or by as much as rounding to 0.1 mm causes, ...
EVEN_SHARE, EVEN_MM = 0.01, 0.1
# ... and by this share where it is told; beyond it, a volume would be bent.
TOLD_SHARE = 0.1
SAME_POSITION_MM = 0.01
# A wider gap is not filled: what lies in it was not scanned.
WIDEST_GAP_MM = 20.0
TILT_DEGREES = 1.0
_RESAMPLE = (
    "resample it (`ovct segment --uneven-slices resample`; dcm2niix does it too), or export the series once more if "
    "slices are missing"
)


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in their order along the normal, and the affine (4, 4) from column, row and slice index to LPS mm.

    `places` (n,), where it is not None, are the slice indices, from 0 on and not all whole, between which the `count`
    slices of the volume are interpolated.
    """

    slices: tuple[Slice, ...]
    affine: np.ndarray[Any, Any]
    doubts: tuple[str, ...]
    places: np.ndarray[Any, Any] | None = None

    @property
    def count(self) -> int:
        """The number of slices of the volume."""
        return len(self.slices if self.places is None else self.places)


def stack_slices(source: Path, slices: Sequence[Slice], uneven: UnevenSlices = "refuse") -> Stack:
    """Sort the slices of one series along their normal and return them with their affine.

    Raises:
        ScanError: they make no volume: sizes, directions or pixel spacings differ, two lie in one position, or, unless
            `uneven` says to resample them, one is missing or distances are uneven. The text begins with `source`, the
            series' folder.
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
    heights = positions @ normal
    _check_duplicates(source, ordered, np.diff(heights))
    _check_line(source, ordered, positions, heights)
    first, step, off = _fitted(positions, np.arange(len(ordered)))
    spacing = float(np.linalg.norm(step))
    limit = max(EVEN_SHARE * spacing, EVEN_MM)
    doubts, places = list(_tilt_doubt(normal, step)), None
    if off.max() > max(TOLD_SHARE * spacing, EVEN_MM):
        if uneven == "refuse":
            raise ScanError(f"{source}: {distance_problem(ordered, np.diff(heights), off)}. {_way_out()}")
        first, step, places = _resampled(source, ordered, positions, heights)
        doubts.append(
            f"{distance_problem(ordered, np.diff(heights), off)}: the {len(ordered)} slices are resampled to "
            f"{len(places)}, {np.linalg.norm(step):.4g} mm apart, and masks lie on those"
        )
    elif off.max() > limit:
        worst = int(off.argmax())
        doubts.append(
            f"its slices lie a little unevenly: {ordered[worst].name} is {off[worst]:.2g} mm off its place at "
            f"{spacing:.4g} mm spacing"
        )
    affine = np.eye(4)
    between_rows, between_columns = slices[0].spacing
    affine[:3] = np.column_stack([across * between_columns, down * between_rows, step, first])
    return Stack(ordered, affine, tuple(doubts), places)


def _fitted(positions: np.ndarray[Any, Any], index: np.ndarray[Any, Any]) -> tuple[Any, Any, np.ndarray[Any, Any]]:
    """Fit a straight line of slices at `index` (n,) to `positions` (n, 3), by least squares.

    Returns the place of index 0 and the step (3,) from one index to the next, and how far each slice is off, in mm.
    """
    mean, centre = positions.mean(axis=0), float(np.mean(index))
    offsets = np.asarray(index, np.float64) - centre
    step = offsets @ (positions - mean) / (offsets @ offsets)
    off = np.linalg.norm(positions - mean - offsets[:, None] * step, axis=1)
    return mean - centre * step, step, off


def _resampled(
    source: Path, slices: Sequence[Slice], positions: np.ndarray[Any, Any], heights: np.ndarray[Any, Any]
) -> tuple[Any, Any, np.ndarray[Any, Any]]:
    """Return the first place, the step, and the places of even slices among those that there are.

    Raises:
        ScanError: a gap is too wide to be filled.
    """
    gaps = np.diff(heights)
    widest = int(gaps.argmax())
    if gaps[widest] > WIDEST_GAP_MM:
        raise ScanError(
            f"{source}: {gaps[widest]:.4g} mm lie between {slices[widest].name} and {slices[widest + 1].name}, too "
            f"much to be filled (at most {WIDEST_GAP_MM:g} mm). Export the whole series once more"
        )
    distance = _finest_distance(gaps)
    start, direction, _ = _fitted(positions, heights)
    count = int(np.floor((heights[-1] - heights[0]) / distance + 1e-3)) + 1
    even = np.minimum(heights[0] + distance * np.arange(count), heights[-1])
    return start + direction * heights[0], direction * distance, np.interp(even, heights, np.arange(len(heights)))


def _finest_distance(gaps: np.ndarray[Any, Any]) -> float:
    """Return the smallest distance that two neighbouring gaps share, the median of all where no two do."""
    shared = [(a + b) / 2 for a, b in pairwise(gaps) if abs(a - b) <= max(EVEN_MM * 2, TOLD_SHARE * a / 2)]
    return float(min(shared, default=np.median(gaps)))


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


def _check_duplicates(source: Path, slices: Sequence[Slice], gaps: np.ndarray[Any, Any]) -> None:
    """Raise `ScanError` for two slices in one position. `gaps` (slices - 1,) in mm."""
    duplicates = np.flatnonzero(gaps < SAME_POSITION_MM)
    if duplicates.size:
        raise ScanError(
            f"{source}: several slices lie in one place (places: {duplicates.size}), such as "
            f"{slices[duplicates[0]].name} and {slices[duplicates[0] + 1].name}: different instances, such as several "
            "phases in one series. Keep those of one phase in a folder of its own"
        )


def _check_line(
    source: Path, slices: Sequence[Slice], positions: np.ndarray[Any, Any], heights: np.ndarray[Any, Any]
) -> None:
    """Raise `ScanError` where slices are shifted sideways against each other, whatever their distances."""
    _, _, off = _fitted(positions, heights)
    worst = int(off.argmax())
    if off[worst] > max(TOLD_SHARE * float(np.median(np.diff(heights))), EVEN_MM):
        raise ScanError(
            f"{source}: the slices are shifted against each other: {slices[worst].name} lies {off[worst]:.3g} mm "
            "beside the line through all of them, so they make up no volume. Export the series once more"
        )


def _tilt_doubt(normal: np.ndarray[Any, Any], step: np.ndarray[Any, Any]) -> Iterator[str]:
    degrees = float(np.degrees(np.arccos(np.clip(normal @ step / np.linalg.norm(step), -1, 1))))
    if degrees > TILT_DEGREES:
        yield f"the gantry was tilted by {degrees:.1f} degrees: the network sees the body sheared, results may be worse"


def _way_out() -> str:
    return _RESAMPLE[0].upper() + _RESAMPLE[1:]


def _list_names(slices: Sequence[Slice]) -> str:
    names = [image.name for image in slices[:3]]
    return ", ".join(names) + (f" and {len(slices) - 3} more" if len(slices) > 3 else "")


def _format_value(value: Any) -> str:
    return " x ".join(f"{number:g}" for number in value)
