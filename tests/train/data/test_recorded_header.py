"""CT-RATE's original release with and without its table of headers."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.train.data.data_files import AFFINE, hounsfield, save
from train.data.cases import DataError
from train.data.checks import find_problems
from train.data.dataset import open_dataset, read_case


def ct_rate_metadata(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            "VolumeName Manufacturer RescaleSlope RescaleIntercept XYSpacing ZSpacing ImageOrientationPatient "
            "ImagePositionPatient".split()
        )
        for name in names:
            rows.writerow(
                [name, "x", "1", "-1024.0", "[0.8, 0.7]", "1.5", "[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]", "[-100, -90, 50]"]
            )


def test_ct_rates_original_release_gets_its_table_applied_once(tmp_path: Path) -> None:
    stored = hounsfield().astype(np.int32) + 1024
    blank = np.eye(4)
    root = tmp_path / "dataset" / "train"
    save(root / "train_1" / "train_1_a" / "train_1_a_1.nii.gz", stored.astype(np.int16), blank)
    save(root / "train_2" / "train_2_a" / "train_2_a_1.nii.gz", hounsfield())
    ct_rate_metadata(
        tmp_path / "dataset" / "metadata" / "train_metadata.csv", "train_1_a_1.nii.gz", "train_2_a_1.nii.gz"
    )
    original, mended = open_dataset(root).cases
    scan = read_case(original)
    assert np.array_equal(scan.voxels, hounsfield())
    expected = np.array([[-0.8, 0, 0, 100], [0, -0.7, 0, 90], [0, 0, 1.5, 50], [0, 0, 0, 1]])
    assert np.allclose(scan.affine, expected)
    with_header = read_case(mended)
    assert np.array_equal(with_header.voxels, hounsfield()), "a volume with a header is in HU: nothing is applied to it"
    assert np.allclose(with_header.affine, AFFINE)


def test_ct_rates_original_release_without_its_table_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b" / "c" / "d" / "train_1_a_1.nii.gz", hounsfield() + 1024, np.eye(4))
    save(tmp_path / "a" / "b" / "c" / "d" / "train_2_a_1.nii.gz", hounsfield())
    dataset = open_dataset(tmp_path / "a" / "b" / "c" / "d")
    (problem,) = find_problems(dataset.cases, dataset)
    assert problem.case_id == "train_1_a_1"
    assert "original release" in str(problem) and "metadata CSV" in str(problem)


def test_a_row_of_the_table_that_is_wrong_is_named(tmp_path: Path) -> None:
    save(tmp_path / "train_1_a_1.nii.gz", hounsfield(), np.eye(4))
    (tmp_path / "m.csv").write_text(
        "VolumeName,RescaleSlope,RescaleIntercept,XYSpacing,ZSpacing\ntrain_1_a_1.nii.gz,0,-1024,[1, 1],1\n"
    )
    with pytest.raises(DataError, match=r"m\.csv: the row of train_1_a_1\.nii\.gz"):
        open_dataset(tmp_path)
