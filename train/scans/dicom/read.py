"""Reading a CT from a folder of DICOM files: choose the series, decode its pixels with GDCM in SimpleITK, to HU."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK

from ..errors import ScanError
from ..formats import StoredVolume
from ..geometry import LPS_TO_RAS, check_place
from ..promised_size import check_voxels
from .header import DicomFile, header_errors, named_tag
from .lengths import check_lengths, check_pixels
from .series import DICOMDIR, DicomSeries, choose_series
from .slices import Slice, slices_in_file
from .stacking import Stack, UnevenSlices, stack_slices

# What RescaleType says of HU; US is unspecified, and what old scanners write.
HU_UNITS = {"HU", "US"}


def read_dicom(path: Path, uneven: UnevenSlices = "refuse") -> StoredVolume:
    """Read the volume in the folder `path`, or the series that the file `path` belongs to; a DICOMDIR is its folder.

    Voxels (X, Y, Z) are float32 HU. Of slices that are resampled, for they lie `uneven`, there are no `files`.

    Raises:
        ScanError: there is no series or, in a folder, several; a file cannot be decoded; or the slices make no volume.
    """
    if path.is_file() and path.name.upper() == DICOMDIR:
        path = path.parent
    folder = path if path.is_dir() else path.parent
    with warnings.catch_warnings():
        # Scanners write much that the standard forbids and that does not affect the geometry.
        warnings.simplefilter("ignore")
        series, doubts = choose_series(path)
        slices = [image for file in series.files.values() for image in _slices_of(file)]
        stack = _stack(folder, series, slices, uneven)
        _check_rescaling(stack.slices)
    first = stack.slices[0]
    shape = (first.columns, first.rows, stack.count)
    check_voxels(folder, shape, "the series")
    affine = LPS_TO_RAS @ stack.affine
    # What the tilt of a gantry does to the axes is told with its angle.
    place = [doubt for doubt in check_place(folder, shape, affine) if not (stack.doubts and "right angles" in doubt)]
    voxels = _decode_stack(stack)
    files = tuple(dict.fromkeys(image.path for image in stack.slices)) if stack.places is None else ()
    doubts = (*doubts, *_unit_doubts(stack.slices), *stack.doubts, *place)
    return StoredVolume(voxels, affine, "dicom", doubts, files=files)


def _check_rescaling(slices: Sequence[Slice]) -> None:
    """Raise `ScanError` where some slices lack the slope or the intercept that others have: they would be shifted."""
    without = [image for image in slices if image.rescale is None]
    if without and len(without) < len(slices):
        raise ScanError(
            f"{without[0].path}: {named_tag('RescaleIntercept')} or {named_tag('RescaleSlope')} is missing, which "
            f"{len(slices) - len(without)} of the {len(slices)} slices of the series have. Put the tag right, or "
            "export the series once more"
        )


def _unit_doubts(slices: Sequence[Slice]) -> Iterator[str]:
    """Yield a doubt where values are no HU, as those of maps of iodine or of effective atomic numbers are."""
    if units := sorted({image.unit for image in slices} - {"", *HU_UNITS}):
        yield f"its values are {', '.join(units)[:64]} by {named_tag('RescaleType')}, not HU"


def _slices_of(file: DicomFile) -> list[Slice]:
    with header_errors(file.path):
        return list(slices_in_file(file))


def _stack(folder: Path, series: DicomSeries, slices: list[Slice], uneven: UnevenSlices) -> Stack:
    """Stack the slices; an error names files of the series that were left out, which may be what is missing."""
    try:
        return stack_slices(folder, slices, uneven)
    except ScanError as error:
        gone = [path.name for path, reason in series.left_out.items() if reason not in ("copy", "localizer")]
        if not gone:
            raise
        raise ScanError(f"{error} (left out of the series: {', '.join(gone[:3])}, {len(gone)} in all)") from error


def _decode_stack(stack: Stack) -> np.ndarray[Any, Any]:
    """Return the voxels (X, Y, Z): column, row and slice, float32 HU."""
    first = stack.slices[0]
    pixels = np.empty((len(stack.slices), first.rows, first.columns), dtype=np.float32)
    slices_by_file: dict[Path, list[tuple[int, Slice]]] = defaultdict(list)
    for index, image in enumerate(stack.slices):
        slices_by_file[image.path].append((index, image))
    for file, slices in slices_by_file.items():
        frames = _decode_file(file, [image for _, image in slices])
        for index, image in slices:
            pixels[index] = frames[image.frame]
    return (pixels if stack.places is None else _interpolated(pixels, stack.places)).transpose()


def _interpolated(pixels: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return slices at `places` between those of `pixels` (slices, rows, columns), linearly interpolated."""
    even = np.empty((len(places), *pixels.shape[1:]), np.float32)
    for number, place in enumerate(places):
        below = min(int(place), len(pixels) - 2)
        share = np.float32(place - below)
        even[number] = (1 - share) * pixels[below] + share * pixels[below + 1]
    return even


def _decode_file(file: Path, slices: Sequence[Slice]) -> np.ndarray[Any, Any]:
    """Return the frames (frames, rows, columns) of one file, rescaled to HU."""
    if len({image.rescale for image in slices}) > 1:
        raise ScanError(f"{file}: rescale slope and intercept change from frame to frame. Export the CT as NIfTI")
    rows, columns = slices[0].rows, slices[0].columns
    with warnings.catch_warnings(), header_errors(file):
        warnings.simplefilter("ignore")
        check_pixels(file, check_lengths(file))
    try:
        header = SimpleITK.ImageFileReader()
        header.SetFileName(str(file))
        header.SetImageIO("GDCMImageIO")
        header.ReadImageInformation()
        if header.GetNumberOfComponents() != 1:
            raise ScanError(f"{file}: a picture in colours, not a CT slice. Give the folder of the CT series itself")
        size = header.GetSize()
        if size[:2] != (columns, rows) or max(image.frame for image in slices) >= prod(size[2:]):
            raise ScanError(
                f"{file}: its pixels are {' x '.join(map(str, size))}, its header says {columns} x {rows} "
                f"(Columns, Rows). Export the series once more"
            )
        check_voxels(file, size, "its header")
        image = SimpleITK.ReadImage(str(file), imageIO="GDCMImageIO")
    except RuntimeError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].rpartition("): ")[-1]
        raise ScanError(
            f"{file}: its pixels are cut off, damaged or cannot be decoded ({reason}). Copy it once more, or export it "
            "uncompressed"
        ) from error
    array = SimpleITK.GetArrayFromImage(image)
    return np.asarray(array.reshape(-1, rows, columns))
