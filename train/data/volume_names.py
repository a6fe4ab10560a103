"""Files of volumes, found and named: which file is one, what it is called without its ending, whose it is."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

ENDINGS = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd", ".nhdr")
# CT-RATE: split, patient, scan of the patient, reconstruction of the scan.
CT_RATE = re.compile(r"(?P<scan>(?P<patient>(?P<split>train|valid)_\d+)_[a-z]+)_\d+")


def ending(name: str) -> str:
    """The ending that says that a file of this name is a volume; empty where it is none."""
    return next((name[-len(known) :] for known in ENDINGS if name.lower().endswith(known)), "")


def stem(name: str) -> str:
    """The name of a volume without folders and ending: `a/train_1_a_1.nii.gz` -> `train_1_a_1`."""
    last = re.split(r"[/\\]", name.strip())[-1]
    return last.removesuffix(ending(last))


def is_volume(name: str) -> bool:
    """Whether a file of this name is a volume; `._*` are what macOS leaves, not volumes."""
    return name.lower().endswith(ENDINGS) and not name.startswith(".")


def files_under(root: Path) -> Iterator[Path]:
    """Every file under `root`, sorted within its folder, hidden folders and links that lead in circles left out."""
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
    """Patient and scan of a volume, by CT-RATE's rule where its name follows it; else the volume is one of its own."""
    found = CT_RATE.fullmatch(stem(name))
    return (found["patient"], found["scan"]) if found else (name, name)
