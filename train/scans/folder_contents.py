"""Says which volume a folder or an unpacked zip holds: one volume file, or DICOM, and nothing of both."""

import os
from collections.abc import Iterator
from pathlib import Path

from .dicom.header import is_dicom
from .errors import ScanError
from .formats import volume_suffix

# A message lists this many files, and counts the others.
LISTED = 8


def only_volume(folder: Path, *, zipped: bool = False) -> Path | None:
    """Return the volume file of a folder that holds just one and no DICOM; None for DICOM, and for nothing at all.

    Raises:
        ScanError: there are several volume files, or one beside DICOM, or only archives.
    """
    files = list(_files(folder))
    volumes = [file for file in files if volume_suffix(file)]
    archives = [file for file in files if file.name.lower().endswith(".zip")]
    if not volumes and not archives:
        return None
    dicom = next((file for file in files if file not in volumes and is_dicom(file)), None)
    if len(volumes) == 1 and dicom is None:
        return volumes[0]
    way_out = "Unpack it, and give the one you want" if zipped else "Give the one you want"
    if volumes:
        listed = [*volumes, *([dicom] if dicom else [])]
        kinds = f"{len(volumes)} volume file{'s' if len(volumes) > 1 else ''}{' and DICOM files' if dicom else ''}"
        raise ScanError(f"{folder}: holds {kinds}. {way_out}:{_listed(folder, listed, dicom)}")
    if dicom is None:
        raise ScanError(
            f"{folder}: no DICOM image here and no volume file, but other zips. {way_out}:"
            f"{_listed(folder, archives, None)}"
        )
    return None


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (
            file for name in sorted(names) if not name.startswith(".") and (file := Path(parent, name)).is_file()
        )


def _listed(folder: Path, files: list[Path], dicom: Path | None) -> str:
    lines = [f"\n  {file.relative_to(folder)}{' (DICOM)' if file == dicom else ''}" for file in files]
    shown = lines if len(lines) <= LISTED else [*lines[: LISTED - 1], lines[-1]]
    return "".join(shown) + (f"\n  and {len(lines) - len(shown)} more" if len(lines) > len(shown) else "")
