"""Reading a DICOM SEG as masks: binary and fractional segments, which may overlap, and label maps."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, SegmentationStorage

from train.inference.files.colours import Colour, to_rgb
from train.scans.dicom.header import is_dicom, numbers_of
from train.scans.errors import ScanError
from train.scans.geometry import LPS_TO_RAS
from train.scans.promised_size import check_voxels

from .errors import ViewError
from .frame_grid import FrameGrid, frame_grid

# Label maps as DICOM stores them (Supplement 243).
LABEL_MAP_STORAGE = UID("1.2.840.10008.5.1.4.1.1.66.7")
LABEL_MAP, FRACTIONAL = "LABELMAP", "FRACTIONAL"
# A voxel of a fractional segment is shown from this share, of 1.
SHOWN_FROM = 0.5
MOST_STORED = 0xFFFF
PLACES = (
    ("PlaneOrientationSequence", "ImageOrientationPatient", 6),
    ("PixelMeasuresSequence", "PixelSpacing", 2),
    ("PlanePositionSequence", "ImagePositionPatient", 3),
)


class Segments(NamedTuple):
    """Labels (X, Y, Z) of one or several segments, their affine to RAS mm, and the label, name and colour of each.

    `notice` is what is not shown as the file has it.
    """

    labels: np.ndarray[Any, Any]
    affine: np.ndarray[Any, Any]
    named: tuple[tuple[int, str, Colour | None], ...]
    notice: str = ""


def is_dicom_seg(path: Path) -> bool:
    """Whether a file is a DICOM SEG, by its header."""
    try:
        if not is_dicom(path):
            return False
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=["SOPClassUID"])
        return str(header.get("SOPClassUID", "")) in (SegmentationStorage, LABEL_MAP_STORAGE)
    except Exception:  # pydicom raises anything; whoever reads the file says what is wrong with it
        return False


def read_segments(path: Path, scan: np.ndarray[Any, Any] | None = None) -> Iterator[Segments]:
    """Yield the segments of a DICOM SEG, one by one, as they may overlap; those of a label map at once.

    `scan` is the affine (4, 4) of the scan that it is of, to RAS mm: it tells frames on each other's neighbours from
    those between which slices have none.

    Raises:
        ViewError: it cannot be read, or its frames do not lie on one regular grid.
        ScanError: a tag that says where they lie is missing or wrong.
    """
    with _named_errors(path):
        segmentation = pydicom.dcmread(path, force=True)
        kind = str(segmentation.get("SegmentationType", "BINARY"))
        described = {int(item.SegmentNumber): item for item in segmentation.SegmentSequence}
        frames = _frames(segmentation)
        places = _places(path, frames, scan)
        numbers = np.zeros(len(frames), np.int64) if kind == LABEL_MAP else np.array([*map(_segment_of, frames)])
        shape = (int(segmentation.Columns), int(segmentation.Rows), int(places.slices.max()) + 1)
        check_voxels(path, shape, "its frames")
    affine = LPS_TO_RAS @ places.affine
    if kind == LABEL_MAP:
        with _named_errors(path):
            labels = _stacked(segmentation, np.arange(len(frames)), places, shape, np.int32)
        # The background has a number of its own, and may be described.
        background = segmentation.get("PixelPaddingValue")
        known = [number for number in described if number not in (0, background)]
        labels[~np.isin(labels, known)] = 0
        yield Segments(labels, affine, tuple((number, *_name_and_colour(described[number])) for number in known))
        return
    most = int(segmentation.get("MaximumFractionalValue", 1)) if kind == FRACTIONAL else 1
    for number, item in described.items():
        with _named_errors(path):
            stored = _stacked(segmentation, np.flatnonzero(numbers == number), places, shape, np.uint8)
        name, colour = _name_and_colour(item)
        shares = most > 1 and bool(((stored > 0) & (stored < most)).any())
        notice = f"{name}: each voxel has a share of it, and is shown where that is a half at least" if shares else ""
        yield Segments((stored >= SHOWN_FROM * most).astype(np.int16), affine, ((1, name, colour),), notice)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn whatever pydicom raises for a file that it does not take into a `ViewError` that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ViewError, ScanError, OSError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ViewError(
            f"{path}: cannot be read as a DICOM SEG ({reason}): export it once more, or convert it to NIfTI, and name "
            "that"
        ) from error


def _frames(segmentation: Dataset) -> list[tuple[Dataset, ...]]:
    """Return for each frame where its tags may stand: its own functional groups, those that all share, the file."""
    shared = segmentation.get("SharedFunctionalGroupsSequence") or [Dataset()]
    own = segmentation.get("PerFrameFunctionalGroupsSequence") or [Dataset()]
    return [(group, shared[0], segmentation) for group in own]


def _group(frame: Sequence[Dataset], sequence: str) -> Dataset:
    """Return the functional group of a frame: its own, or that of all frames, or the file itself."""
    return next((items[0] for dataset in frame if (items := dataset.get(sequence))), frame[-1])


def _segment_of(frame: Sequence[Dataset]) -> int:
    return int(_group(frame, "SegmentIdentificationSequence").get("ReferencedSegmentNumber", 1))


def _places(path: Path, frames: Sequence[Sequence[Dataset]], scan: np.ndarray[Any, Any] | None) -> FrameGrid:
    values: dict[str, list[list[float]]] = {}
    for sequence, keyword, count in PLACES:
        found = [numbers_of(path, _group(frame, sequence), keyword, count) for frame in frames]
        if any(value is None for value in found):
            raise ViewError(f"{path}: {keyword} is missing: convert it to NIfTI, and name that")
        values[keyword] = [value for value in found if value]
    axes, spacings, places = values.values()
    between = numbers_of(path, _group(frames[0], "PixelMeasuresSequence"), "SpacingBetweenSlices", 1)
    same = all(np.allclose(given, given[0], atol=1e-4) for given in (axes, spacings))
    stated = abs(between[0]) if between else None
    in_lps = None if scan is None else LPS_TO_RAS @ scan
    grid = frame_grid(np.array(places), axes[0], spacings[0], stated, in_lps) if same else None
    if grid is None:
        raise ViewError(f"{path}: its frames do not lie on one regular grid: convert it to NIfTI, and name that")
    return grid


def _stacked(
    segmentation: Dataset, chosen: np.ndarray[Any, Any], places: FrameGrid, shape: tuple[int, int, int], dtype: Any
) -> np.ndarray[Any, Any]:
    """Return the stored values (X, Y, Z) of the frames that are chosen; 0 in slices without one."""
    voxels: np.ndarray[Any, Any] = np.zeros(shape, dtype, order="F")
    if len(chosen):
        for number, frame in zip(chosen, iter_pixels(segmentation, indices=chosen.tolist(), raw=True), strict=True):
            there = voxels[:, :, places.slices[number]]
            np.maximum(there, frame.T, out=there)
    return voxels


def _name_and_colour(described: Dataset) -> tuple[str, Colour | None]:
    """Return the label of a segment and the colour that it recommends, None without one."""
    name = str(described.get("SegmentLabel") or "").strip() or f"segment {described.SegmentNumber}"
    return name, _colour(described.get("RecommendedDisplayCIELabValue"))


def _colour(stored: Sequence[int] | None) -> Colour | None:
    """Return a colour as red, green and blue from CIELAB as DICOM stores it (PS3.3 C.10.7.1.1)."""
    if stored is None or isinstance(stored, (int, str)) or len(stored) != 3:
        return None
    lightness, a, b = (float(value) / MOST_STORED for value in stored)
    red, green, blue = to_rgb(np.array([[lightness * 100, a * 255 - 128, b * 255 - 128]]))[0].tolist()
    return red, green, blue
