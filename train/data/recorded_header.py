"""CT-RATE's original release: volumes without geometry and not in HU, whose headers are the rows of a table.

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

from train.scans.errors import ScanError
from train.scans.formats import StoredVolume
from train.scans.geometry import LPS_TO_RAS
from train.scans.hounsfield import LOWEST_HU, hu_problem
from train.scans.nifti import read_nifti
from train.scans.scan import Scan

from .cases import Case, DataError, RecordedHeader
from .volume_names import volume_stem

REQUIRED_COLUMNS = frozenset(("VolumeName", "RescaleSlope", "RescaleIntercept", "XYSpacing", "ZSpacing"))
# The table is looked for in this many folders above the data set: dataset/train/ and dataset/metadata/ are neighbours.
PARENT_LEVELS = 3


def read_recorded_headers(root: Path, files: Sequence[Path]) -> dict[str, RecordedHeader]:
    """Read the tables among `files`, and those beside and above `root`; return the headers by the volumes' names.

    Raises:
        DataError: a row with a value that is no number, or with a slope or spacing of 0.
    """
    parents = [root, *root.resolve().parents[:PARENT_LEVELS]]
    folders = [folder for parent in parents for folder in (parent, parent / "metadata")]
    tables = [file for file in files if file.name.lower().endswith(".csv")]
    tables += [path for folder in folders for path in sorted(folder.glob("*.csv"))]
    headers: dict[str, RecordedHeader] = {}
    for path in dict.fromkeys(table.resolve() for table in tables):
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            rows = csv.DictReader(file)
            if set(rows.fieldnames or ()) >= REQUIRED_COLUMNS:
                for row in rows:
                    headers[volume_stem(row["VolumeName"])] = _parse_row(path, row)
    return headers


def _parse_row(path: Path, row: Mapping[str, str]) -> RecordedHeader:
    try:
        directions = np.array(_parse_numbers(row.get("ImageOrientationPatient") or "[1, 0, 0, 0, 1, 0]")).reshape(2, 3)
        axes = np.vstack([directions, np.cross(*directions)])
        spacing = [*_parse_numbers(row["XYSpacing"]), *_parse_numbers(row["ZSpacing"])]
        affine = np.eye(4)
        affine[:3, :3] = axes.T * spacing
        affine[:3, 3] = _parse_numbers(row.get("ImagePositionPatient") or "[0, 0, 0]")
        slope, intercept = float(row["RescaleSlope"]), float(row["RescaleIntercept"])
        if not (np.isfinite([slope, intercept]).all() and slope and min(spacing) > 0):
            raise ValueError("slope and spacing must be above 0")
    except (ValueError, SyntaxError, TypeError) as error:
        raise DataError(f"{path}: the row of {row['VolumeName']} cannot be used ({error}); put it right") from None
    affine_rows = (LPS_TO_RAS @ affine)[:3].tolist()
    return RecordedHeader(slope, intercept, tuple(tuple(values) for values in affine_rows))


def _parse_numbers(cell: str) -> list[float]:
    """Return the number in a cell, or the numbers of a list as Python prints it."""
    value = ast.literal_eval(cell.strip())
    return [float(number) for number in (value if isinstance(value, list | tuple) else [value])]


def read_with_recorded_header(case: Case) -> Scan | None:
    """Read the case's volume with its recorded header; None where the file has a header itself, and is in HU already.

    Raises:
        ScanError: the file cannot be read, or a voxel is not a finite number.
    """
    header = case.recorded_header
    assert header is not None
    stored = read_nifti(case.image)
    if not _is_blank(stored):
        return None
    voxels = np.asarray(stored.array, np.float32) * np.float32(header.slope) + np.float32(header.intercept)
    if not np.isfinite(voxels).all():
        raise ScanError(f"{case.image}: voxels that are not finite numbers; fetch the file again")
    affine = np.vstack([header.affine, [0, 0, 0, 1]])
    problem = hu_problem(voxels)
    if problem is not None:
        return Scan(case.image, voxels, affine, "nifti", (f"{case.image}: {problem}",))
    return Scan(case.image, np.maximum(voxels, np.float32(LOWEST_HU)), affine, "nifti")


def _is_blank(stored: StoredVolume) -> bool:
    """Whether a file's header says nothing: spacing 1, axes and origin those of the array."""
    return stored.blank or bool(np.array_equal(stored.affine, np.eye(4)))
