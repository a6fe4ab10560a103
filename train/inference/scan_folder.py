"""A folder of scans: which of its files and sub-folders are scans, and what each one's masks are called."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.data.volume_names import is_volume, volume_stem
from train.scans.dicom.header import is_dicom
from train.scans.dicom.series import slice_folders
from train.scans.errors import ScanError
from train.scans.mask_signs import says_mask

from .errors import SegmentError

MOST_LISTED = 6
ZIP = ".zip"


@dataclass(frozen=True)
class FolderScan:
    """A scan in a folder: what to read, and its name there. `problem` says why it cannot be read, if it cannot."""

    path: Path
    name: str
    problem: str = ""


@dataclass(frozen=True)
class FolderScans:
    """The scans of a folder, by name, and what else lies in it; `too_deep` hold volumes below their first level."""

    scans: tuple[FolderScan, ...]
    left_out: tuple[str, ...]
    too_deep: tuple[str, ...] = ()

    def describe_left_out(self) -> str:
        """Return what is told of files and folders that hold no scan, empty where there are none."""
        told = [f"no scans, and left out: {_listed(self.left_out)}"] if self.left_out else []
        if self.too_deep:
            told.append(
                f"scans that lie deeper than one level are left out, in {_listed(self.too_deep)}: "
                "name that folder instead"
            )
        return "; ".join(told)


def scans_in(folder: Path, out: Path | None = None) -> FolderScans | None:
    """Return the scans of a folder; None for a folder that is itself one scan, a DICOM series.

    Scans are the volume files and zips in it, and each sub-folder that holds one of these or DICOM. DICOM files that
    lie in the folder itself, or below it and of one study, are one scan. Masks that say so in their header are none,
    nor is a volume file beside the slices of a series, nor `out`, where masks go. Raises SegmentError for a folder that
    holds no scan.
    """
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    files = [entry for entry in entries if entry.is_file()]
    if any(is_dicom(file) for file in files if not _is_scan_file(file)):
        return None
    folders = [entry for entry in entries if entry.is_dir() and not (out and out.exists() and entry.samefile(out))]
    scans = [file for file in files if _is_scan_file(file) and not says_mask(file)]
    found = [FolderScan(file, _name_of(file)) for file in scans]
    studies: list[str] = []
    left_out = [file.name for file in files if file not in scans]
    too_deep: list[str] = []
    for entry in folders:
        if folder.resolve().is_relative_to(entry.resolve()):  # a link to the folder itself, or to one above it
            left_out.append(f"{entry.name}/")
            continue
        volumes = [path for path in sorted(entry.iterdir()) if _is_scan_file(path)]
        volumes = [path for path in volumes if not says_mask(path)] or volumes
        first_slice = next(_dicom_below(entry), None)
        if volumes and first_slice is not None and not _has_slices(entry):
            first_slice = None
        if first_slice is not None:
            found.append(FolderScan(entry, entry.name))
            studies.append(_study_of(first_slice))
        elif len(volumes) == 1:
            found.append(FolderScan(volumes[0], entry.name))
        elif volumes:
            listed = ", ".join(path.name for path in volumes[:MOST_LISTED])
            problem = f"{entry}: {len(volumes)} volumes ({listed}): name the scan in a file of --jobs"
            found.append(FolderScan(entry, entry.name, problem))
        elif deep := _volume_below(entry):
            too_deep.append(f"{deep.parent.relative_to(folder).as_posix()}/")
        else:
            left_out.append(f"{entry.name}/")
    if studies and len(studies) == len(found) and len(set(studies)) == 1:
        return None
    if not found and too_deep:
        raise SegmentError(f"{folder}: its scans lie deeper than one level, in {_listed(too_deep)}: name that folder")
    if not found:
        raise SegmentError(f"{folder}: no scan here: volume files, or sub-folders with a volume or a DICOM series")
    return FolderScans(_with_names(folder, found), tuple(left_out), tuple(too_deep))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    return f"{', '.join(names[:MOST_LISTED])}{more}"


def _is_scan_file(path: Path) -> bool:
    return (is_volume(path.name) or path.name.lower().endswith(ZIP)) and path.is_file()


def _name_of(file: Path) -> str:
    return file.name[: -len(ZIP)] if file.name.lower().endswith(ZIP) else volume_stem(file.name)


def _volume_below(folder: Path) -> Path | None:
    """Return the first volume or zip below a folder, None without one."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and _is_scan_file(Path(parent, name)):
                return Path(parent, name)
    return None


def _dicom_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(parent, name)
            if not name.startswith(".") and name != "DICOMDIR" and file.is_file() and is_dicom(file):
                yield file


def _has_slices(folder: Path) -> bool:
    """Whether the DICOM files below a folder make a volume; of damaged ones that is said when they are read."""
    try:
        return bool(slice_folders(folder))
    except ScanError:
        return True


def _study_of(file: Path) -> str:
    """Return the study of a DICOM file; one without a UID is a study of its own folder."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = pydicom.dcmread(file, force=True, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
            return str(header.get("StudyInstanceUID") or file.parent)
        except Exception:
            # What is wrong with it is said when the scan is read.
            return str(file.parent)


def _with_names(folder: Path, scans: list[FolderScan]) -> tuple[FolderScan, ...]:
    """Return the scans with names that differ: two of one name keep what tells their files apart."""
    counts = Counter(scan.name.casefold() for scan in scans)
    named = [
        scan if counts[scan.name.casefold()] == 1 else replace(scan, name=_full_name(scan.path.relative_to(folder)))
        for scan in scans
    ]
    return tuple(sorted(named, key=lambda scan: scan.name))


def _full_name(path: Path) -> str:
    """Return a file's whole path, with its ending, as a name without one."""
    return re.sub(r"[./\\]", "_", path.as_posix())
