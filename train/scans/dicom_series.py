"""Reading a CT from a folder of DICOM files: choose the series, decode its pixels with GDCM in SimpleITK, to HU."""

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from .dicom_lengths import check_lengths
from .errors import ScanError
from .formats import LPS_TO_RAS, StoredVolume, check_affine, volume_suffix
from .promised_size import check_voxels
from .slices import Slice, Stack, read_dicom_header, slices_in_file, stack_slices

# Modalities of DICOM objects that lie beside a CT and are no images.
NO_IMAGES = {"SEG", "SR", "PR", "KO", "REG", "RTSTRUCT", "RTDOSE", "RTPLAN", "DOC", "ECG", "FID", "RWV"}
CT_IMAGES = {CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage}


@dataclass
class DicomSeries:
    """The files of one series with their headers, and which of them are localizers."""

    modality: str
    description: str
    headers: dict[Path, Dataset] = field(default_factory=dict)
    localizers: list[Path] = field(default_factory=list)

    def describe(self) -> str:
        """Return a line for a list of series: a file to name it by, modality, description, number of files."""
        files = sorted([*self.headers, *self.localizers])
        kind = "localizer" if not self.headers else self.modality or "no modality"
        return f"{files[0]} ({kind}, {self.description or 'no description'}, {len(files)} files)"


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: with its preamble or, as older files, directly with group 0008."""
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or (head[:2] == b"\x08\x00" and head[3:4] == b"\x00")


def read_dicom(path: Path) -> StoredVolume:
    """Read the series in the folder `path`, or the series that the file `path` belongs to, without localizers.

    Voxels (X, Y, Z) are float32 HU.

    Raises:
        ScanError: there is no series or, in a folder, several; a file cannot be decoded; or the slices make no volume.
    """
    folder = path if path.is_dir() else path.parent
    with warnings.catch_warnings():
        # Scanners write much that the standard forbids and that does not affect the geometry.
        warnings.simplefilter("ignore")
        series = _choose_series(path, _find_series(folder, recursive=path.is_dir()))
        slices = [image for file, header in series.headers.items() for image in _slices_of(file, header)]
    stack = stack_slices(folder, slices)
    affine = LPS_TO_RAS @ stack.affine
    check_affine(folder, affine)
    files = tuple(dict.fromkeys(image.path for image in stack.slices))
    return StoredVolume(_decode_stack(stack), affine, "dicom", (*_doubts(series), *stack.doubts), files=files)


def _find_series(folder: Path, *, recursive: bool) -> list[DicomSeries]:
    series_by_key: dict[str, DicomSeries] = {}
    for file in _dicom_files(folder, recursive=recursive):
        with _header_of(file):
            _add_file(series_by_key, file, read_dicom_header(file))
    return list(series_by_key.values())


def _add_file(series_by_key: dict[str, DicomSeries], file: Path, header: Dataset) -> None:
    modality = str(header.get("Modality") or "")
    if header.get("Rows") is None or modality in NO_IMAGES:
        _check_not_cut_off(file, header)
        return
    description = str(header.get("SeriesDescription") or "")
    # Anonymised files may have lost the UID of their series.
    key = str(header.get("SeriesInstanceUID") or f"{file.parent} {header.get('SeriesNumber')} {description}")
    series = series_by_key.setdefault(key, DicomSeries(modality, description))
    if "LOCALIZER" in (header.get("ImageType") or []):
        series.localizers.append(file)
    else:
        series.headers[file] = header


def _slices_of(file: Path, header: Dataset) -> list[Slice]:
    with _header_of(file):
        return list(slices_in_file(file, header))


@contextmanager
def _header_of(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a header into a `ScanError`: values are read late, and pydicom raises anything."""
    try:
        yield
    except ScanError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ScanError(f"{file}: a DICOM file whose header cannot be read ({reason}). Copy it once more") from error


def _check_not_cut_off(file: Path, header: Dataset) -> None:
    """Raise `ScanError` for a CT slice without a size: were it left out silently, the volume would end early."""
    kind = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
    if kind in CT_IMAGES and header.get("Rows") is None:
        raise ScanError(f"{file}: a CT image whose header is cut off. Copy or export it once more")


def _dicom_files(folder: Path, *, recursive: bool) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            file = Path(parent, name)
            if name.startswith(".") or name == "DICOMDIR" or volume_suffix(file) or not file.is_file():
                continue
            if is_dicom(file):
                yield file


def _choose_series(path: Path, candidates: list[DicomSeries]) -> DicomSeries:
    """Return the series to read: that of the file `path`, or the only CT in the folder `path`. Raises `ScanError`."""
    if path.is_file():
        candidates = [series for series in candidates if path in series.headers or path in series.localizers]
    images = [series for series in candidates if series.headers]
    images = [series for series in images if series.modality == "CT"] or images
    if len(images) == 1:
        return images[0]
    listed = "".join(f"\n  {series.describe()}" for series in images or candidates)
    if images:
        raise ScanError(
            f"{path}: {len(images)} series. Give a file of the one you want, such as the first here:{listed}"
        )
    if candidates:
        raise ScanError(f"{path}: only localizers, no volume:{listed}\nGive the folder of the CT series itself")
    raise ScanError(f"{path}: no DICOM image here. Give the folder or a file of a CT series, or a NIfTI file")


def _doubts(series: DicomSeries) -> Iterator[str]:
    if series.modality not in ("CT", ""):
        yield f"its modality is {series.modality}, not CT"
    if series.localizers:
        yield "localizers of the series are left out: " + ", ".join(file.name for file in series.localizers)


def _decode_stack(stack: Stack) -> np.ndarray[Any, Any]:
    """Return the voxels (X, Y, Z): column, row and slice, float32 HU."""
    first = stack.slices[0]
    check_voxels(first.path.parent, (first.columns, first.rows, len(stack.slices)), "the series")
    pixels = np.empty((len(stack.slices), first.rows, first.columns), dtype=np.float32)
    slices_by_file: dict[Path, list[tuple[int, Slice]]] = defaultdict(list)
    for index, image in enumerate(stack.slices):
        slices_by_file[image.path].append((index, image))
    for file, slices in slices_by_file.items():
        frames = _decode_file(file, [image for _, image in slices])
        for index, image in slices:
            pixels[index] = frames[image.frame]
    return pixels.transpose()


def _decode_file(file: Path, slices: Sequence[Slice]) -> np.ndarray[Any, Any]:
    """Return the frames (frames, rows, columns) of one file, rescaled to HU."""
    if len({image.rescale for image in slices}) > 1:
        raise ScanError(f"{file}: rescale slope and intercept change from frame to frame. Export the CT as NIfTI")
    rows, columns = slices[0].rows, slices[0].columns
    with warnings.catch_warnings(), _header_of(file):
        warnings.simplefilter("ignore")
        check_lengths(file)
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
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise ScanError(f"{file}: its pixels cannot be decoded ({reason}). Export it uncompressed") from error
    array = SimpleITK.GetArrayFromImage(image)
    return np.asarray(array.reshape(-1, rows, columns))
