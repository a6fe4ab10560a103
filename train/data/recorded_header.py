"""CT-RATE's original release: volumes without geometry and not in HU, whose headers stand in a table of their own.

`*_metadata.csv`, one row for each VolumeName: HU = RescaleSlope × value + RescaleIntercept; XYSpacing, ZSpacing,
ImageOrientationPatient and ImagePositionPatient as in DICOM. The first axis of the stored array runs along the first
direction of ImageOrientationPatient, the second along the second, the third along their normal: so the release's users
read it, and so its `_fixed` files lie.
"""

import ast
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from train.scans.formats import LPS_TO_RAS, ScanError, Stored, read_nifti
from train.scans.scan import LOWEST_HU, Scan, hu_problem

from .cases import Case, DataError, RecordedHeader
from .volume_names import stem

NEEDED = frozenset(("VolumeName", "RescaleSlope", "RescaleIntercept", "XYSpacing", "ZSpacing"))
# Folders above the data set in which the table is looked for: dataset/train/ and dataset/metadata/ are neighbours.
ABOVE = 3


def read_headers(root: Path, files: Sequence[Path]) -> dict[str, RecordedHeader]:
    """What the tables among `files`, beside and above `root` say, by the volumes' names; empty without any."""
    places = [root, *root.resolve().parents[:ABOVE]]
    near = [path for place in places for folder in (place, place / "metadata") for path in sorted(folder.glob("*.csv"))]
    found: dict[str, RecordedHeader] = {}
    for path in dict.fromkeys(file.resolve() for file in [*files, *near] if file.name.lower().endswith(".csv")):
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            rows = csv.DictReader(file)
            if set(rows.fieldnames or ()) >= NEEDED:
                for row in rows:
                    found[stem(row["VolumeName"])] = _header(path, row)
    return found


def _header(path: Path, row: Mapping[str, str]) -> RecordedHeader:
    try:
        directions = np.array(_numbers(row.get("ImageOrientationPatient") or "[1, 0, 0, 0, 1, 0]")).reshape(2, 3)
        axes = np.vstack([directions, np.cross(*directions)])
        spacing = [*_numbers(row["XYSpacing"]), *_numbers(row["ZSpacing"])]
        affine = np.eye(4)
        affine[:3, :3] = axes.T * spacing
        affine[:3, 3] = _numbers(row.get("ImagePositionPatient") or "[0, 0, 0]")
        slope, intercept = float(row["RescaleSlope"]), float(row["RescaleIntercept"])
        if not (np.isfinite([slope, intercept]).all() and slope and min(spacing) > 0):
            raise ValueError("slope and spacing must be above 0")
    except (ValueError, SyntaxError, TypeError) as error:
        raise DataError(f"{path}: the row of {row['VolumeName']} cannot be used ({error}); put it right") from None
    rows = (LPS_TO_RAS @ affine)[:3].tolist()
    return RecordedHeader(slope, intercept, tuple(tuple(each) for each in rows))


def _numbers(cell: str) -> list[float]:
    """A number, or several as the list that Python would print."""
    value = ast.literal_eval(cell.strip())
    return [float(each) for each in (value if isinstance(value, list | tuple) else [value])]


def is_blank(stored: Stored) -> bool:
    """Whether a file's header says nothing: spacing 1, axes and origin those of the array."""
    return stored.blank or bool(np.array_equal(stored.affine, np.eye(4)))


def read_recorded(case: Case) -> Scan | None:
    """The case's volume by its recorded header; None where the file has a header itself, and so is in HU already."""
    assert case.recorded is not None
    stored = read_nifti(case.image)
    if not is_blank(stored):
        return None
    voxels = np.asarray(stored.array, np.float32) * np.float32(case.recorded.slope) + np.float32(
        case.recorded.intercept
    )
    if not np.isfinite(voxels).all():
        raise ScanError(f"{case.image}: voxels that are not finite numbers; fetch the file again")
    affine = np.vstack([case.recorded.affine, [0, 0, 0, 1]])
    problem = hu_problem(voxels)
    if problem is not None:
        return Scan(case.image, voxels, affine, "nifti", (f"{case.image}: {problem}",))
    return Scan(case.image, np.maximum(voxels, np.float32(LOWEST_HU)), affine, "nifti")
