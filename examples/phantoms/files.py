"""Writing phantoms: scans and masks in TotalSegmentator's layout, reports in CT-RATE's columns."""

import csv
import gzip
import io
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from examples.phantoms.canvas import LABELS, STRUCTURES
from examples.phantoms.painting import paint
from examples.phantoms.patient import Patient, draw_patient
from examples.phantoms.reports import PhantomReport, write_report
from examples.phantoms.space import Array
from examples.phantoms.truth import ScanContent, scan_content

CsvRow = dict[str, str]
PHANTOM_NAMES = re.compile(r"s\d{4,}|meta\.csv")
SPLITS = (("train", 0.7), ("val", 0.1), ("test", 0.2))


class PhantomError(ValueError):
    """Raised where phantoms cannot be written to a folder. The text says what is wrong, and the way out."""


def prepare_folder(folder: Path, overwrite: bool) -> None:
    """Make an empty folder to write into, with `overwrite` by deleting the phantoms in it.

    Raises:
        PhantomError: the folder contains something else, or phantoms and `overwrite` is not set.
    """
    if folder.exists() and not folder.is_dir():
        raise PhantomError(f"{folder}: is a file. Name a folder to write into.")
    dataset = folder / "dataset"
    if folder.exists() and any(folder.iterdir()):
        if not overwrite:
            raise PhantomError(f"{folder}: is not empty. Name another folder, or pass --overwrite to write anew.")
        foreign = [path.name for path in dataset.glob("*") if not PHANTOM_NAMES.fullmatch(path.name)]
        if foreign:
            raise PhantomError(f"{dataset}: holds {foreign[0]}, which is no phantom. Name another folder.")
        if dataset.exists():
            shutil.rmtree(dataset)
        for name in ("reports.csv", "truth.csv"):
            (folder / name).unlink(missing_ok=True)
    dataset.mkdir(parents=True, exist_ok=True)


def phantom_id(number: int) -> str:
    """Return the name of a phantom: `s0001` for number 0."""
    return f"s{number + 1:04d}"


def write_phantom(folder: Path, seed: int, number: int) -> tuple[CsvRow, CsvRow]:
    """Write one phantom's scan and masks; return its rows of reports.csv and truth.csv."""
    patient = draw_patient(seed, number, STRUCTURES)
    phantom = paint(patient)
    name = phantom_id(number)
    scan, affine = folder / "dataset" / name, patient.acquisition.affine
    (scan / "segmentations").mkdir(parents=True, exist_ok=True)
    _save(scan / "ct.nii.gz", phantom.hu, affine)
    present = np.unique(phantom.labels)
    empty_mask = _nifti_bytes(np.zeros(phantom.labels.shape, np.uint8), affine)
    for structure, label in LABELS.items():
        path = scan / "segmentations" / f"{structure}.nii.gz"
        if label in present:
            _save(path, (phantom.labels == label).view(np.uint8), affine)
        else:  # as in TotalSegmentator's data set, an absent structure has a file without a voxel
            path.write_bytes(empty_mask)
    content = scan_content(patient, phantom)
    report = write_report(patient, content)
    return _report_row(name, report), _truth_row(name, patient, content, report)


def _nifti_bytes(array: NDArray[np.int16] | NDArray[np.uint8], affine: Array) -> bytes:
    image = nibabel.nifti1.Nifti1Image(array, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    return gzip.compress(image.to_bytes(), compresslevel=1, mtime=0)


def _save(path: Path, array: NDArray[np.int16] | NDArray[np.uint8], affine: Array) -> None:
    path.write_bytes(_nifti_bytes(array, affine))


def _report_row(name: str, report: PhantomReport) -> CsvRow:
    return {"VolumeName": f"{name}.nii.gz", "Findings_EN": report.findings, "Impressions_EN": report.impression}


def _truth_row(name: str, patient: Patient, content: ScanContent, report: PhantomReport) -> CsvRow:
    findings = [asdict(f) | {"shown": f in content.findings} for f in patient.findings]
    return {
        "id": name,
        "age": str(patient.age),
        "gender": patient.gender,
        "field_of_view": patient.acquisition.field,
        "phase": patient.phase,
        "style": report.style,
        "findings": json.dumps(findings),
        "visible": json.dumps(sorted(content.structures)),
        "volumes_ml": json.dumps(content.volumes_ml),
        "length_mm": json.dumps(content.length_mm),
    }


def write_tables(folder: Path, seed: int, rows: Sequence[tuple[CsvRow, CsvRow]]) -> None:
    """Write reports.csv, truth.csv and the data set's meta.csv."""
    _write_csv(folder / "reports.csv", [report for report, _ in rows], ",")
    _write_csv(folder / "truth.csv", [truth for _, truth in rows], ",")
    meta = [
        {
            "image_id": truth["id"],
            "age": truth["age"],
            "gender": truth["gender"],
            "institute": "phantom",
            "study_type": f"ct {truth['field_of_view']}",
            "split": split,
        }
        for (_, truth), split in zip(rows, draw_splits(seed, len(rows)), strict=True)
    ]
    _write_csv(folder / "dataset" / "meta.csv", meta, ";")


def draw_splits(seed: int, count: int) -> Iterator[str]:
    """Yield a split for each phantom: 70 % train, 10 % val, 20 % test, in random order.

    There is at least one of each in three phantoms or more.
    """
    names = [name for name, share in SPLITS[1:] for _ in range(max(round(count * share), count > 2))]
    names = ["train"] * (count - len(names)) + names
    yield from (names[i] for i in np.random.default_rng([seed, 2**31]).permutation(count))


def _write_csv(path: Path, rows: Sequence[CsvRow], separator: str) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
