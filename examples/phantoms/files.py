"""Writing phantoms: scans and masks in TotalSegmentator's layout, reports in CT-RATE's columns."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from curation.runtime.errors import InputError
from curation.runtime.made_files import MadeFiles
from examples.phantoms.canvas import LABELS, STRUCTURES
from examples.phantoms.finding_labels import finding_labels
from examples.phantoms.painting import paint
from examples.phantoms.patient import Patient, draw_patient
from examples.phantoms.reports import PhantomReport, write_report
from examples.phantoms.space import Array
from examples.phantoms.truth import ScanContent, scan_content

CsvRow = dict[str, str]
KIND = "set of phantoms"
DATASET, META = "dataset", "meta.csv"
TABLES = ("reports.csv", "truth.csv", "findings.csv")
SPLITS = (("train", 0.7), ("val", 0.1), ("test", 0.2))


class PhantomError(ValueError):
    """Raised where phantoms cannot be written to a folder. The text says what is wrong, and the way out."""


def prepare_folder(folder: Path, overwrite: bool) -> None:
    """Make a folder to write phantoms into, with `overwrite` by deleting those in it; what else is there stays.

    Raises:
        PhantomError: the folder contains something else, or phantoms and `overwrite` is not set.
    """
    if folder.exists() and not folder.is_dir():
        raise PhantomError(f"{folder}: is a file. Name a folder to write into.")
    try:
        made = MadeFiles(folder, KIND)
        if made.names() and any((folder / name).exists() for name in made.names()) and not overwrite:
            raise PhantomError(f"{folder}: is not empty. Name another folder, or pass --overwrite to write anew.")
        there = sorted(path.relative_to(folder).as_posix() for path in (folder / DATASET).rglob("*"))
        if foreign := [name for name in there if name not in made]:
            raise PhantomError(f"{folder}: {foreign[0]} is no phantom. Move it away, or name another folder.")
        made.remove(made.names())
        made.claim(*TABLES, DATASET, f"{DATASET}/{META}")
    except InputError as error:
        raise PhantomError(str(error)) from None
    (folder / DATASET).mkdir(parents=True, exist_ok=True)


def claim_phantoms(folder: Path, count: int) -> None:
    """Put the files of all phantoms on the folder's list of what was made in it, before they are."""
    names = [f"{DATASET}/{phantom_id(number)}" for number in range(count)]
    masks = [f"segmentations/{structure}.nii.gz" for structure in LABELS]
    try:
        MadeFiles(folder, KIND).claim(
            *(f"{name}{below}" for name in names for below in ("", "/ct.nii.gz", "/segmentations")),
            *(f"{name}/{mask}" for name in names for mask in masks),
        )
    except InputError as error:
        raise PhantomError(str(error)) from None


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
    """Write reports.csv, truth.csv, findings.csv and the data set's meta.csv."""
    _write_csv(folder / "reports.csv", [report for report, _ in rows], ",")
    _write_csv(folder / "truth.csv", [truth for _, truth in rows], ",")
    _write_csv(folder / "findings.csv", [finding_labels(truth) for _, truth in rows], ",")
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
