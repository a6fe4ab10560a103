"""Volumes without labels: CT-RATE and any folder."""

from pathlib import Path

import pytest

from tests.train.data.data_files import hounsfield, save
from train.data.cases import DataError
from train.data.checks import find_problems
from train.data.dataset import open_dataset, read_case, read_labels
from train.data.volume_names import patient_and_scan


def test_ct_rate_names_patient_scan_and_split(tmp_path: Path) -> None:
    for split, name in (("train", "train_1_a_1"), ("train", "train_1_a_2"), ("valid", "valid_7_b_1")):
        patient, scan = patient_and_scan(name)
        save(tmp_path / f"{split}_fixed" / patient / scan / f"{name}.nii.gz", hounsfield())
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, dataset.structures) == ("ct-rate", {})
    assert [(case.patient, case.scan, case.split) for case in dataset.cases] == [
        ("train_1", "train_1_a", "train"),
        ("train_1", "train_1_a", "train"),
        ("valid_7", "valid_7_b", "val"),
    ]
    assert not find_problems(dataset.cases, dataset)


def test_ct_rate_in_both_releases_is_taken_once(tmp_path: Path) -> None:
    for release in ("train", "train_fixed"):
        save(tmp_path / release / "train_1" / "train_1_a" / "train_1_a_1.nii.gz", hounsfield())
    (case,) = open_dataset(tmp_path).cases
    assert "train_fixed" in case.image.parts


def test_any_folder_of_volumes(tmp_path: Path) -> None:
    save(tmp_path / "siteA" / "0001.nii.gz", hounsfield())
    save(tmp_path / "siteB" / "0001.nii", hounsfield())
    (tmp_path / "siteB" / "notes.txt").write_text("x")
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, [case.id for case in dataset.cases]) == ("volumes", ["siteA/0001", "siteB/0001"])
    with pytest.raises(DataError, match="has no labels"):
        read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0]))
    (tmp_path / "patients.csv").write_text("id,patient\nsiteA/0001.nii.gz,P7\nsiteB/0001,P7\n")
    assert {case.patient for case in open_dataset(tmp_path).cases} == {"P7"}
    (tmp_path / "patients.csv").write_text("id,patient\nother,P7\n")
    with pytest.raises(DataError, match="names none of the volumes"):
        open_dataset(tmp_path)
