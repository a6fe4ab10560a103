"""Label maps: their numbers, and the axes of their scan."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from tests.train.scans.test_scan import AFFINE, ct, nifti
from train.scans.errors import ScanError
from train.scans.labels import read_label_map
from train.scans.scan import read_scan


def test_labels_keep_their_numbers(tmp_path: Path) -> None:
    labels = np.arange(960).reshape(12, 10, 8) % 118
    for name, dtype in (("a.nii.gz", np.uint8), ("b.nii.gz", np.float64), ("c.nii.gz", np.int32)):
        read = read_label_map(nifti(tmp_path / name, labels.astype(dtype)))
        assert read.dtype == np.int16 and np.array_equal(read, labels)
    assert read_label_map(nifti(tmp_path / "d.nii", (labels * 1000).astype(np.int32))).dtype == np.int32
    assert not read_label_map(nifti(tmp_path / "e.nii", np.zeros((4, 5, 6), np.uint8))).any()


def test_a_probability_map_is_no_label_map(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"1 voxels are not, such as 0\.25"):
        read_label_map(nifti(tmp_path / "p.nii", np.where(np.arange(960).reshape(12, 10, 8) == 7, 0.25, 1)))


def test_labels_stored_along_other_axes_are_turned_to_those_of_the_scan(tmp_path: Path) -> None:
    tilted = AFFINE.copy()
    tilted[:3, :3] = [[0, -1.2, 0.9], [1.5, 0, 0], [0, 1.6, 1.2]]
    scan = read_scan(nifti(tmp_path / "ct.nii.gz", ct(), tilted))
    labels = np.arange(960).reshape(12, 10, 8).astype(np.int16)
    for turn in ([[2, 1], [0, -1], [1, -1]], [[1, -1], [0, 1], [2, 1]], [[0, 1], [1, 1], [2, 1]]):
        reoriented = nibabel.Nifti1Image(labels, tilted).as_reoriented(turn)
        nibabel.save(reoriented, tmp_path / "labels.nii")
        assert np.array_equal(read_label_map(tmp_path / "labels.nii", scan), labels)


@pytest.mark.parametrize(
    ("shape", "change", "message"),
    [
        ((12, 10, 9), (0, 0, 0), "12 x 10 x 9 voxels, but its scan .* has 12 x 10 x 8"),
        ((12, 10, 8), (0, 3, 0.5), r"by up to 0\.2 voxels"),
        ((12, 10, 8), (2, 2, 0.1), r"spacing 2\.5 x 2\.5 x 3\.1, not 2\.5 x 2\.5 x 3"),
    ],
)
def test_labels_of_another_grid_are_refused(tmp_path: Path, shape: Any, change: Any, message: str) -> None:
    scan = read_scan(nifti(tmp_path / "ct.nii", ct()))
    shifted = AFFINE.copy()
    shifted[change[0], change[1]] += change[2]
    path = nifti(tmp_path / "labels.nii", np.zeros(shape, np.uint8), shifted)
    with pytest.raises(ScanError, match=message) as error:
        read_label_map(path, scan)
    assert str(path) in str(error.value) and str(scan.path) in str(error.value)


def test_labels_may_lie_off_by_what_a_header_rounds(tmp_path: Path) -> None:
    scan = read_scan(nifti(tmp_path / "ct.nii", ct()))
    rounded = AFFINE + np.array([[0, 0, 0, 0.05]] * 3 + [[0, 0, 0, 0]])
    assert read_label_map(nifti(tmp_path / "labels.nii", np.zeros((12, 10, 8), np.uint8), rounded), scan).shape == (
        12,
        10,
        8,
    )


def test_a_real_label_map_fits_its_scan(shared_data: Path) -> None:
    folder = shared_data / "volumes" / "totalsegmentator"
    scan = read_scan(folder / "example_ct.nii.gz")
    labels = read_label_map(folder / "example_ct_seg.nii.gz", scan)
    liver = float(scan.voxels[labels == 5].mean())
    assert 40 < liver < 140
    with pytest.raises(ScanError, match="30 voxels, but its scan"):
        read_label_map(folder / "example_ct_sm_seg.nii.gz", scan)
