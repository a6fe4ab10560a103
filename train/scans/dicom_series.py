"""A CT from a folder of DICOM files: which series it is, and its pixels in HU, decoded by GDCM within SimpleITK."""

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from .formats import LPS_TO_RAS, ScanError, Stored, check_affine, suffix
from .slices import Slice, Stack, read_header, slices_of, stacked

# DICOM objects that lie beside a CT and are none.
NO_IMAGES = {"SEG", "SR", "PR", "KO", "REG", "RTSTRUCT", "RTDOSE", "RTPLAN", "DOC", "ECG", "FID", "RWV"}
CT_IMAGES = {CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage}


@dataclass
class Series:
    """The files of one series with their headers, and which of them are localizers."""

    modality: str
    description: str
    headers: dict[Path, Dataset] = field(default_factory=dict)
    localizers: list[Path] = field(default_factory=list)

    def told(self) -> str:
        """A line for a list of series: what it is and a file to name it by."""
        files = sorted([*self.headers, *self.localizers])
        what = "localizer" if not self.headers else self.modality or "no modality"
        return f"{files[0]} ({what}, {self.description or 'no description'}, {len(files)} files)"


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does, with its preamble or, as older files, right with group 0008."""
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or (head[:2] == b"\x08\x00" and head[3:4] == b"\x00")


def read_dicom(path: Path) -> Stored:
    """The series in the folder `path`, or that which the file `path` is one of; its folder may hold others.

    ScanError where there is none, where there are several, and for what `stacked` refuses. Localizers are left out.
    """
    folder = path if path.is_dir() else path.parent
    with warnings.catch_warnings():
        # Scanners write much that the standard forbids, and that says nothing of the geometry.
        warnings.simplefilter("ignore")
        series = _chosen(path, _series_in(folder, deep=path.is_dir()))
        slices = [one for file, header in series.headers.items() for one in slices_of(file, header)]
    stack = stacked(folder, slices)
    affine = LPS_TO_RAS @ stack.affine
    check_affine(folder, affine)
    files = tuple(dict.fromkeys(one.path for one in stack.slices))
    return Stored(_pixels(stack), affine, "dicom", (*_doubts(series), *stack.doubts), files=files)


def _series_in(folder: Path, *, deep: bool) -> list[Series]:
    found: dict[str, Series] = {}
    for file in _dicom_files(folder, deep=deep):
        try:
            header = read_header(file)
        except (InvalidDicomError, OSError, ValueError, EOFError) as error:
            raise ScanError(f"{file}: a DICOM file whose header cannot be read ({error}). Copy it once more") from error
        modality = str(header.get("Modality") or "")
        if header.get("Rows") is None or modality in NO_IMAGES:
            _check_whole(file, header)
            continue
        description = str(header.get("SeriesDescription") or "")
        # Anonymised files may have lost the UID of their series.
        key = str(header.get("SeriesInstanceUID") or f"{file.parent} {header.get('SeriesNumber')} {description}")
        series = found.setdefault(key, Series(modality, description))
        if "LOCALIZER" in (header.get("ImageType") or []):
            series.localizers.append(file)
        else:
            series.headers[file] = header
    return list(found.values())


def _check_whole(file: Path, header: Dataset) -> None:
    """ScanError for a CT slice without a size: left out silently, the volume would end early."""
    kind = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
    if kind in CT_IMAGES and header.get("Rows") is None:
        raise ScanError(f"{file}: a CT image whose header is cut off. Copy or export it once more")


def _dicom_files(folder: Path, *, deep: bool) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if deep and not name.startswith("."))
        for name in sorted(names):
            file = Path(parent, name)
            if name.startswith(".") or name == "DICOMDIR" or suffix(file) or not file.is_file():
                continue
            if is_dicom(file):
                yield file


def _chosen(path: Path, there: list[Series]) -> Series:
    if path.is_file():
        there = [one for one in there if path in one.headers or path in one.localizers]
    images = [one for one in there if one.headers]
    images = [one for one in images if one.modality == "CT"] or images
    if len(images) == 1:
        return images[0]
    listed = "".join(f"\n  {one.told()}" for one in images or there)
    if images:
        raise ScanError(
            f"{path}: {len(images)} series. Give a file of the one you want, such as the first here:{listed}"
        )
    if there:
        raise ScanError(f"{path}: only localizers, no volume:{listed}\nGive the folder of the CT series itself")
    raise ScanError(f"{path}: no DICOM image here. Give the folder or a file of a CT series, or a NIfTI file")


def _doubts(series: Series) -> Iterator[str]:
    if series.modality not in ("CT", ""):
        yield f"its modality is {series.modality}, not CT"
    if series.localizers:
        yield "localizers of the series are left out: " + ", ".join(file.name for file in series.localizers)


def _pixels(stack: Stack) -> np.ndarray[Any, Any]:
    """Voxels (X, Y, Z): column, row and slice, float32 HU."""
    first = stack.slices[0]
    pixels = np.empty((len(stack.slices), first.rows, first.columns), dtype=np.float32)
    places: dict[Path, list[tuple[int, Slice]]] = defaultdict(list)
    for place, one in enumerate(stack.slices):
        places[one.path].append((place, one))
    for file, wanted in places.items():
        image = _decoded(file, [one for _, one in wanted])
        for place, one in wanted:
            pixels[place] = image[one.frame]
    return pixels.transpose()


def _decoded(file: Path, slices: Sequence[Slice]) -> np.ndarray[Any, Any]:
    """Frames (frames, rows, columns) of one file, rescaled."""
    if len({one.rescale for one in slices}) > 1:
        raise ScanError(f"{file}: rescale slope and intercept change from frame to frame. Export the CT as NIfTI")
    try:
        image = SimpleITK.ReadImage(str(file), imageIO="GDCMImageIO")
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ScanError(f"{file}: its pixels cannot be decoded ({reason}). Export it uncompressed") from error
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise ScanError(f"{file}: a picture in colours, not a CT slice. Give the folder of the CT series itself")
    array = SimpleITK.GetArrayFromImage(image)
    rows, columns = slices[0].rows, slices[0].columns
    return np.asarray(array.reshape(-1, rows, columns))
