"""The series of a folder of DICOM files: what each holds, which of them is a CT volume, and what lies beside it."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
    MediaStorageDirectoryStorage,
    SecondaryCaptureImageStorage,
)

from ..errors import ScanError
from ..formats import volume_suffix
from .belonging import check_patient, conflict_of, copies_in_place, lie_apart, study_doubts
from .fragments import refuse_fragments
from .header import (
    DicomFile,
    header_errors,
    is_dicom,
    named_tag,
    read_dicom_header,
    refuse_deflated,
    text_of,
)
from .lengths import check_header_whole

# Modalities of DICOM objects that lie beside a CT and are no images.
NO_IMAGES = {"SEG", "SR", "PR", "KO", "REG", "RTSTRUCT", "RTDOSE", "RTPLAN", "DOC", "ECG", "FID", "RWV"}
CT_IMAGES = {CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage}
DICOMDIR = "DICOMDIR"
# What a file is that shows no image: a CT image without one, and what does not even say what it is.
NO_PIXELS, NO_IMAGE = "a header without an image", "no image"
# A message names this many files, and counts the others.
LISTED = 3


@dataclass
class DicomSeries:
    """The files of one series that may be slices, and those that are none, with why."""

    modality: str
    description: str
    files: dict[Path, DicomFile] = field(default_factory=dict)
    left_out: dict[Path, str] = field(default_factory=dict)
    without_pixels: list[DicomFile] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    by_instance: dict[str, DicomFile] = field(default_factory=dict)
    conflict: ScanError | None = None

    def describe(self) -> str:
        """Return a line for a list of series: a file to name it by, modality, description, number of files."""
        files = sorted([*self.files, *self.left_out])
        kind = self.modality or "no modality"
        if not self.files:
            kind = (
                "localizer"
                if "localizer" in self.left_out.values()
                else Counter(self.left_out.values()).most_common(1)[0][0]
            )
        count = f"{len(files)} file" + ("s" if len(files) != 1 else "")
        return f"{files[0]} ({kind}, {self.description or 'no description'}, {count})"

    def may_be_volume(self) -> bool:
        """Whether there are two slices at least that lie the same way in different places, or frames with places."""
        places = Counter[str]()
        for position, orientation in {self._place(file.header) for file in self.files.values()}:
            places[orientation] += bool(position and orientation)
        frames = any("PerFrameFunctionalGroupsSequence" in file.header for file in self.files.values())
        return frames or max(places.values(), default=0) >= 2

    @staticmethod
    def _place(header: Dataset) -> tuple[str, str]:
        return text_of(header, "ImagePositionPatient"), text_of(header, "ImageOrientationPatient")


def choose_series(path: Path) -> tuple[DicomSeries, tuple[str, ...]]:
    """Return the series that the file `path` belongs to, or the only volume in the folder `path`, and doubts.

    Raises:
        ScanError: there is none, or several.
    """
    folder = path if path.is_dir() else path.parent
    found = _find_series(folder, recursive=path.is_dir())
    candidates = found.series
    if path.is_file():
        candidates = [series for series in candidates if path in series.files or path in series.left_out]
    images = [series for series in candidates if series.files]
    volumes = [series for series in images if series.may_be_volume()] or images
    volumes = [series for series in volumes if series.modality == "CT"] or volumes
    if len(volumes) != 1:
        raise _not_one(path, candidates, volumes)
    chosen = volumes[0]
    if chosen.conflict:
        raise chosen.conflict
    refuse_fragments(chosen.files.values(), [*chosen.without_pixels, *found.headers], found.no_dicom)
    _leave_out_crosswise(chosen)
    refuse_deflated(chosen.files.values())
    check_patient(chosen.files.values())
    for copy in list(copies_in_place(chosen.files.values())):
        del chosen.files[copy]
        chosen.left_out[copy] = "copy"
    beside = [series.describe() for series in candidates if series is not chosen]
    return chosen, tuple(_doubts(chosen, beside, found.others if path.is_dir() else []))


def slice_folders(folder: Path) -> set[Path]:
    """Return the folders in which slices of a volume lie, in `folder` or below. Raises ScanError for a damaged file."""
    volumes = (series for series in _find_series(folder, recursive=True).series if series.may_be_volume())
    return {path.parent for series in volumes for path in series.files}


class Found(NamedTuple):
    """What is in a folder: series of images, the names of DICOM files that are none, and what may be left of a slice.

    `headers` are CT images that end before their size, `no_dicom` are files that do not begin as DICOM.
    """

    series: list[DicomSeries]
    others: list[str]
    headers: list[DicomFile]
    no_dicom: list[Path]


def _find_series(folder: Path, *, recursive: bool) -> Found:
    series_by_key: dict[str, DicomSeries] = {}
    found = Found([], [], [], [])
    for path in files_below(folder, recursive=recursive):
        if not is_dicom(path):
            found.no_dicom.append(path)
            continue
        with header_errors(path):
            file = read_dicom_header(path)
            kind = _no_image(file)
            if not kind:
                _add(series_by_key, file)
                continue
            if kind in (NO_PIXELS, NO_IMAGE):
                found.headers.append(file)
            if kind != DICOMDIR:
                found.others.append(f"{path.name} ({kind})")
    found.series.extend(series_by_key.values())
    return found


def _no_image(file: DicomFile) -> str:
    """Return what a DICOM file is that shows no image, "" for an image.

    Raises:
        ScanError: it is a CT image whose header is cut off. Were it left out, the volume would end early.
    """
    header, modality = file.header, text_of(file.header, "Modality")
    kind = text_of(header, "SOPClassUID") or str(header.file_meta.get("MediaStorageSOPClassUID") or "")
    if kind == MediaStorageDirectoryStorage:
        return DICOMDIR
    if modality in NO_IMAGES:
        return modality
    if text_of(header, "Rows"):
        return ""
    if kind in CT_IMAGES:
        if not file.deflated:
            check_header_whole(file.path)
        return NO_PIXELS
    return modality or NO_IMAGE


def _add(series_by_key: dict[str, DicomSeries], file: DicomFile) -> None:
    header, path = file.header, file.path
    description = text_of(header, "SeriesDescription")
    # Anonymised files may have lost the UID of their series.
    key = text_of(header, "SeriesInstanceUID") or f"{path.parent} {text_of(header, 'SeriesNumber')} {description}"
    series = series_by_key.setdefault(key, DicomSeries(text_of(header, "Modality"), description))
    instance = text_of(header, "SOPInstanceUID")
    if reason := _no_slice(file):
        series.left_out[path] = reason
        series.without_pixels += [file] if reason == NO_PIXELS else []
    elif file.deflated:
        series.files[path] = file
    elif instance and (same := series.by_instance.get(instance)) and lie_apart(same, file):
        series.files[path] = file
        series.repeated.append(path.name)
    elif instance and same:
        series.conflict = series.conflict or conflict_of(same.path, path)
        series.left_out[path] = "copy"
    else:
        series.files[path] = file
        series.by_instance[instance] = file


def _no_slice(file: DicomFile) -> str:
    """Return why an image is no slice of a volume, "" for one that may be. Raises `ScanError` for one cut off."""
    header = file.header
    if "LOCALIZER" in text_of(header, "ImageType"):
        return "localizer"
    if not file.has_pixels:
        if not file.deflated:
            check_header_whole(file.path)
        return NO_PIXELS
    if text_of(header, "SOPClassUID").startswith(SecondaryCaptureImageStorage) and not _has_place(header):
        return "secondary capture"
    return ""


def _has_place(header: Dataset) -> bool:
    return bool(text_of(header, "ImagePositionPatient")) or "PerFrameFunctionalGroupsSequence" in header


def _leave_out_crosswise(series: DicomSeries) -> None:
    """Leave out single images that lie across the slices, such as a scout that is not called a localizer."""
    normals: dict[Path, np.ndarray] = {}
    for path, file in series.files.items():
        try:
            values = [float(value) for value in file.header.get("ImageOrientationPatient") or ()]
        except (TypeError, ValueError):
            continue  # refused by name when the slice is read
        if len(values) == 6 and np.isfinite(values).all():
            normals[path] = np.cross(values[:3], values[3:])
    if len(normals) < 3:
        return
    usual = np.median(list(normals.values()), axis=0)
    across = [path for path, normal in normals.items() if abs(float(normal @ usual)) < 0.5]
    if 3 * len(across) <= len(normals):
        for path in across:
            del series.files[path]
            series.left_out[path] = "lies across the slices, a scout?"


def files_below(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Yield the files in a folder that may be DICOM, in linked folders too, and each folder once."""
    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            file = Path(parent, name)
            if name.startswith(".") or name.upper() == DICOMDIR or volume_suffix(file) or not file.is_file():
                continue
            yield file


def _not_one(path: Path, candidates: list[DicomSeries], volumes: list[DicomSeries]) -> ScanError:
    """Return the error for a path at which there is not just one volume."""
    listed = "".join(f"\n  {series.describe()}" for series in volumes or candidates)
    if volumes:
        return ScanError(
            f"{path}: {len(volumes)} series. Give a file of the one you want, such as the first here:{listed}"
        )
    if any("localizer" in series.left_out.values() for series in candidates):
        return ScanError(f"{path}: only localizers, no volume:{listed}\nGive the folder of the CT series itself")
    if candidates:
        return ScanError(f"{path}: no slices of a volume:{listed}\nGive the folder of the CT series itself")
    return ScanError(f"{path}: no DICOM image here. Give the folder or a file of a CT series, or a NIfTI file")


def _doubts(series: DicomSeries, beside: list[str], others: list[str]) -> Iterator[str]:
    if series.modality not in ("CT", ""):
        yield f"its modality is {series.modality}, not CT"
    yield from study_doubts(series.files.values())
    if series.repeated:
        yield (
            f"{named_tag('SOPInstanceUID')} is the same in slices that lie in different places, such as "
            f"{_listed(series.repeated)}: they are taken by their places, but a program that goes by the UID loses some"
        )
    reasons: dict[str, list[str]] = {}
    for path, reason in series.left_out.items():
        reasons.setdefault(reason, []).append(path.name)
    for reason, names in reasons.items():
        kind = {"localizer": "localizers", "copy": "copies"}.get(reason, f"files ({reason})")
        yield f"{kind} of the series are left out: {_listed(names)}"
    if beside:
        yield f"left out beside the series: {_listed(beside)}"
    if others:
        yield f"left out, for they are no images: {_listed(others)}"


def _listed(names: list[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
