"""Names of volume files: which file is a volume, its name without the ending, and its patient and scan."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from train.scans.formats import SUFFIXES

from .cases import DataError

VOLUME_SUFFIXES = tuple(SUFFIXES)
# CT-RATE: split, patient, scan of the patient, reconstruction of the scan.
CT_RATE = re.compile(r"(?P<scan>(?P<patient>(?P<split>train|valid)_\d+)_[a-z]+)_\d+")


def is_volume(name: str) -> bool:
    """Whether a file of this name is a volume. Hidden files are not: macOS leaves `._*` beside copied volumes."""
    return name.lower().endswith(VOLUME_SUFFIXES) and not name.startswith(".")


def without_suffix(name: str) -> str:
    """Return the name without the ending of a volume, such as `.nii.gz`, if it has one."""
    suffix = next((suffix for suffix in VOLUME_SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def volume_stem(name: str) -> str:
    """Return the name of a volume without folders and ending: `a/train_1_a_1.nii.gz` -> `train_1_a_1`."""
    return without_suffix(re.split(r"[/\\]", name.strip())[-1])


def volumes_in(folder: Path) -> dict[str, Path]:
    """Return the volumes in a folder, not below it, by their names without ending; empty without the folder.

    Raises:
        DataError: two of them differ by their ending alone.
    """
    volumes: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if is_volume(path.name) and volumes.setdefault(volume_stem(path.name), path) != path:
            raise DataError(f"{path} and {volumes[volume_stem(path.name)].name} have one name; take one of them out")
    return volumes


def files_under(root: Path) -> Iterator[Path]:
    """Yield every file under `root`, sorted within its folder; skip hidden folders and links that lead in circles."""
    visited: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        yield from (Path(folder, name) for name in sorted(names))


def patient_and_scan(name: str) -> tuple[str, str]:
    """Return patient and scan of a volume by CT-RATE's rule for names; any other volume is its own patient and scan."""
    match = CT_RATE.fullmatch(volume_stem(name))
    return (match["patient"], match["scan"]) if match else (name, name)
