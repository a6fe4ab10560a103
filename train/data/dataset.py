"""Data sets of CT volumes, whatever their layout: opened, checked by their headers, split, and read case by case."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.scans.scan import Scan, read_label_map, read_scan

from .cases import (
    SPLITS,
    Case,
    DataError,
    DataSet,
    LabelFiles,
    OnProblem,
    Problem,
    RecordedHeader,
    Split,
    refuse,
    split_cases,
    told,
)
from .checks import check, checked
from .layouts import find_layout
from .recorded_header import read_recorded
from .volume_names import ending

__all__ = [
    "SPLITS",
    "Case",
    "DataError",
    "DataSet",
    "LabelFiles",
    "OnProblem",
    "Problem",
    "RecordedHeader",
    "Split",
    "check",
    "checked",
    "open_dataset",
    "read_case",
    "read_labels",
    "refuse",
    "split_cases",
    "told",
]


PATIENTS = "patients.csv"


def open_dataset(path: Path, layout: str | None = None, patients: Path | None = None) -> DataSet:
    """Cases of a folder, sorted by id. Only names of files are looked at: see `checked` for their headers.

    `layout` is a name in `train.data.layouts.LAYOUTS`, None for the one that fits. `patients` is a CSV with columns id
    and patient, for volumes whose names do not tell whose they are; None for `patients.csv` in the folder, if it is
    there.

    Raises:
        DataError: no such folder, no layout or several that fit, or no case in it.
    """
    root = Path(path)
    if not root.is_dir():
        raise DataError(f"{root} is {'a file' if root.exists() else 'not there'}; name the data set's folder")
    dataset = find_layout(root, layout).read(root)
    if not dataset.cases:
        why = f":\n  {told(dataset.problems)}" if dataset.problems else ""
        raise DataError(f"{root} holds no case that can be used (layout {dataset.layout}){why}")
    named = patients or root / PATIENTS
    owners = _patients(named, dataset) if patients or named.is_file() else {}
    cases = (replace(case, patient=owners.get(case.id, case.patient)) for case in dataset.cases)
    return replace(dataset, cases=tuple(sorted(cases, key=lambda case: case.id)))


def _patients(path: Path, dataset: DataSet) -> dict[str, str]:
    """Patients by case id, ids with or without a volume's ending."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"id", "patient"} <= set(rows.fieldnames or ()):
                raise DataError(f"{path} needs the columns id and patient, not {', '.join(rows.fieldnames or ())}")
            found = {row["id"].removesuffix(ending(row["id"])): row["patient"] for row in rows}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}); expected a CSV with the columns id and patient") from None
    if not found.keys() & {case.id for case in dataset.cases}:
        raise DataError(f"{path} names none of the volumes of {dataset.root}; one is called {dataset.cases[0].id!r}")
    return found


def read_case(case: Case) -> Scan:
    """The case's volume in HU; by the data set's table where its own header is blank. `ScanError` names the file."""
    recorded = read_recorded(case) if case.recorded else None
    return recorded or read_scan(case.image)


def read_labels(case: Case, dataset: DataSet, scan: Scan) -> NDArray[np.int16]:
    """The case's label map (X, Y, Z) on the grid of its scan, with the ids of `dataset.structures`; 0 is background.

    Binary masks are painted in the order of their ids, later over earlier, as TotalSegmentator itself does.

    Raises:
        DataError: the case has no labels.
        ScanError: a file that cannot be read or lies on another grid than the scan; it names both.
    """
    if case.labels is None:
        raise DataError(f"{case.id} ({case.image}) has no labels; `{dataset.layout}` data are for volumes alone")
    if case.labels.map is not None:
        return _known(read_label_map(case.labels.map, scan), case.labels.map, dataset)
    labels = np.zeros(scan.voxels.shape, np.int16)
    for number, path in case.labels.masks:
        np.copyto(labels, np.int16(number), where=read_label_map(path, scan) != 0)
    return labels


def _known(labels: NDArray[np.integer], path: Path, dataset: DataSet) -> NDArray[np.int16]:
    """The labels of a map, all of which the data set must know: one that it does not name is a map of another set."""
    ids = {0, *dataset.ignored, *(number for numbers in dataset.structures.values() for number in numbers)}
    present = np.zeros(max(int(labels.max()), 0) + 1, np.bool_)
    present[labels] = True
    unknown = sorted({int(labels.min()), *np.flatnonzero(present).tolist()} - ids)
    if unknown:
        raise DataError(
            f"{path} holds label {', '.join(map(str, unknown[:5]))}, which {dataset.root} does not name; its "
            f"structures have the ids {min(ids)} to {max(ids)}"
        )
    return labels.astype(np.int16)
