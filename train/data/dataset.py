"""Opening a data set of CT volumes, whatever its layout, and reading its cases one by one."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.config.options import LabelledBy
from train.scans.labels import read_label_map, read_mask
from train.scans.scan import Scan, read_scan

from .cases import Case, DataError, DataSet, list_problems
from .labelling.labelled import with_labelled
from .layouts import find_layout
from .recorded_header import read_with_recorded_header
from .volume_names import without_suffix

PATIENTS = "patients.csv"


def open_dataset(
    path: Path, layout: str | None = None, patients: Path | None = None, labelled: LabelledBy = "auto"
) -> DataSet:
    """Return the cases of a folder, sorted by id. Only names of files are looked at: no volume is opened.

    `layout` is a name in `train.data.layouts.LAYOUTS`, None for the one that matches. `patients` is a CSV with columns
    id and patient, for volumes whose names do not tell whose they are; None for `patients.csv` in the folder, if it is
    there. `labelled` says which structures were looked for in each case (`with_labelled` in train/data/labelling).

    Raises:
        DataError: no such folder, no layout or several that match, no case in it, or a `labelled.json` or `patients`
            that does not fit it.
    """
    root = Path(path)
    if not root.is_dir():
        raise DataError(f"{root} is {'a file' if root.exists() else 'not there'}; name the data set's folder")
    dataset = find_layout(root, layout).read(root)
    if not dataset.cases:
        reasons = f":\n  {list_problems(dataset.problems)}" if dataset.problems else ""
        raise DataError(f"{root} holds no case that can be used (layout {dataset.layout}){reasons}")
    table = patients or root / PATIENTS
    patient_of = _read_patients(table, dataset) if patients or table.is_file() else {}
    cases = (replace(case, patient=patient_of.get(case.id, case.patient)) for case in dataset.cases)
    return with_labelled(replace(dataset, cases=tuple(sorted(cases, key=lambda case: case.id))), labelled)


def _read_patients(path: Path, dataset: DataSet) -> dict[str, str]:
    """Return the patients by case id. In the file, ids may have the ending of a volume."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"id", "patient"} <= set(rows.fieldnames or ()):
                raise DataError(f"{path} needs the columns id and patient, not {', '.join(rows.fieldnames or ())}")
            patients = {without_suffix(row["id"]): row["patient"] for row in rows}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}); expected a CSV with the columns id and patient") from None
    if not patients.keys() & {case.id for case in dataset.cases}:
        raise DataError(f"{path} names none of the volumes of {dataset.root}; one is called {dataset.cases[0].id!r}")
    return patients


def read_case(case: Case) -> Scan:
    """Read the case's volume, in HU; with its recorded header where its own is blank. Raises `ScanError`."""
    scan = read_with_recorded_header(case) if case.recorded_header else None
    return scan or read_scan(case.image)


def read_labels(case: Case, dataset: DataSet, scan: Scan) -> NDArray[np.int16]:
    """Read the case's label map (X, Y, Z) on the grid of its scan, with the ids of `dataset.structures`.

    0 is background. Binary masks are painted in the order of their ids, later ones over earlier ones, as
    TotalSegmentator itself does.

    Raises:
        DataError: the case has no labels, or a label that the data set does not name.
        ScanError: a file that cannot be read or lies on another grid than the scan; it names both.
    """
    if case.labels is None:
        raise DataError(f"{case.id} ({case.image}) has no labels; `{dataset.layout}` data are for volumes alone")
    if case.labels.map is not None:
        labels = read_label_map(case.labels.map, scan)
        _check_label_ids(labels, case.labels.map, dataset)
        return labels.astype(np.int16)
    # In the order in which files hold voxels: painting across it takes many times as long.
    painted = np.zeros(scan.voxels.shape, np.int16, order="F")
    for number, path in case.labels.masks:
        _paint(painted, read_mask(path, scan), number)
    return painted


def _paint(labels: NDArray[np.int16], mask: NDArray[np.generic], number: int) -> None:
    """Write `number` where a mask is not 0; only the box around the mask is looked at voxel by voxel."""
    for axis in (2, 1, 0):
        occupied = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(occupied):
            return
        box = (slice(None),) * axis + (slice(occupied[0], occupied[-1] + 1),)
        labels, mask = labels[box], mask[box]
    np.copyto(labels, np.int16(number), where=mask != 0)


def _check_label_ids(labels: NDArray[np.integer], path: Path, dataset: DataSet) -> None:
    """Raise `DataError` for a label that the data set does not name: the map is one of another data set."""
    ids = {0, *dataset.ignored, *(number for numbers in dataset.structures.values() for number in numbers)}
    present = np.zeros(max(int(labels.max()), 0) + 1, np.bool_)
    present[labels] = True
    unknown = sorted({int(labels.min()), *np.flatnonzero(present).tolist()} - ids)
    if unknown:
        raise DataError(
            f"{path} holds label {', '.join(map(str, unknown[:5]))}, which {dataset.root} does not name; its "
            f"structures have the ids {min(ids)} to {max(ids)}"
        )
