"""Says which volume a folder or an unpacked zip holds, and what lies beside it: masks, reports, other files.

What lies beside a CT neither blocks it nor is used. Beside a DICOM series that are volume files in the folder of its
slices or below it, which is where masks are saved, and beside a volume file DICOM without a volume. Masks that say so
in their header are beside a volume wherever they lie. Two that may both be meant are refused, and listed.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .detached import missing_part
from .dicom.header import is_dicom
from .dicom.series import slice_folders
from .errors import ScanError
from .formats import volume_suffix
from .mask_signs import says_mask
from .nifti import is_nifti_pair

# Ends of names of what holds files, and is not unpacked within a folder.
ZIP = ".zip"
ARCHIVES = (ZIP, ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
# A message lists this many files, and counts the others.
LISTED = 8
NAMED = 3


class FolderContents(NamedTuple):
    """The only volume file of a folder, None for DICOM and for nothing at all, and the files that lie beside it."""

    volume: Path | None
    beside: tuple[Path, ...] = ()

    def told(self, folder: Path) -> Iterator[str]:
        """Yield what is told of the files that are left out."""
        if self.beside:
            names = [file.relative_to(folder).as_posix() for file in self.beside]
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            yield f"{folder}: left out beside the scan: {', '.join(names[:NAMED])}{more}"


def folder_contents(folder: Path, *, zipped: bool = False) -> FolderContents:
    """Return what a folder holds.

    Raises:
        ScanError: there are several volumes, or only archives, or voxels without their header.
    """
    files = list(_files(folder))
    volumes = [file for file in files if _is_volume(file)]
    dicom = next((file for file in files if file not in volumes and is_dicom(file)), None)
    if not volumes and dicom is None:
        # What is linked lies somewhere else, and is looked at only where there is nothing here.
        files = list(_files(folder, linked=True))
        volumes = [file for file in files if _is_volume(file)]
        dicom = next((file for file in files if file not in volumes and is_dicom(file)), None)
    archives = [file for file in files if file.name.lower().endswith(ARCHIVES)]
    unpack = "Unpack it, and give the one you want"
    way_out = unpack if zipped else "Give the one you want"
    if not volumes:
        if dicom is None and (problem := next(filter(None, map(_problem, files)), None)):
            raise ScanError(problem)
        if dicom is None and archives:
            only_zips = all(file.name.lower().endswith(ZIP) for file in archives)
            raise ScanError(
                f"{folder}: no DICOM image here and no volume file, but archives. {way_out if only_zips else unpack}:"
                f"{_listed(folder, archives, None)}"
            )
        return FolderContents(None)
    slices = slice_folders(folder) if dicom else set()
    if slices:
        beside = [file for file in volumes if slices & {*file.parents} or says_mask(file)]
        if len(beside) == len(volumes):
            return FolderContents(None, tuple(beside))
    else:
        meant = [file for file in volumes if not says_mask(file)] or volumes
        beside = [file for file in volumes if file not in meant]
        if len(meant) == 1:
            others = [file for file in files if file not in volumes and is_dicom(file)] if dicom else []
            return FolderContents(meant[0], (*beside, *others))
    listed = [file for file in volumes if file not in beside]
    kinds = f"{len(listed)} volume file{'s' if len(listed) > 1 else ''}{' and DICOM files' if slices else ''}"
    shown = dicom if slices else None
    raise ScanError(
        f"{folder}: holds {kinds}. {way_out}:{_listed(folder, [*listed, *([shown] if shown else [])], shown)}"
    )


def _is_volume(file: Path) -> bool:
    if volume_suffix(file):
        return True
    return file.name.lower().removesuffix(".gz").endswith(".hdr") and is_nifti_pair(file)


def _problem(file: Path) -> str | None:
    missing = missing_part(file)
    return f"{file}: {missing}" if missing else None


def _files(folder: Path, *, linked: bool = False) -> Iterator[Path]:
    """Yield the files below a folder, in `linked` folders too or not; none that is hidden, and each folder once."""
    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=linked):
        if os.path.realpath(parent) in visited:
            folders.clear()
            continue
        visited.add(os.path.realpath(parent))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (
            file for name in sorted(names) if not name.startswith(".") and (file := Path(parent, name)).is_file()
        )


def _listed(folder: Path, files: Sequence[Path], dicom: Path | None) -> str:
    lines = [f"\n  {file.relative_to(folder)}{' (DICOM)' if file == dicom else ''}" for file in files]
    shown = lines if len(lines) <= LISTED else [*lines[: LISTED - 1], lines[-1]]
    return "".join(shown) + (f"\n  and {len(lines) - len(shown)} more" if len(lines) > len(shown) else "")
