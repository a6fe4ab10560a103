"""A folder of scans: which entries are scans, what they are called, and when the folder is one scan."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.train.inference.segment_cases import affine_of, dicom_series, hounsfield, nifti
from train.inference.errors import SegmentError
from train.inference.scan_folder import scans_in
from train.scans.saving import COMMENT, save_nifti
from train.scans.scan import read_scan

VOXELS = hounsfield((6, 5, 4))


def series(folder: Path) -> Path:
    return dicom_series(folder, VOXELS, affine_of((2, 2, 2), "LPS"))


def test_files_folders_of_one_volume_and_series_are_scans(tmp_path: Path) -> None:
    for name in (
        "a.nii.gz",
        "b.mha",
        "z.zip",
        "readme.txt",
        ".hidden.nii",
        "p1/ct.nii.gz",
        "p1/segmentations/liver.nii.gz",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    for name in ("p2/one.nii", "p2/two.nii", "out/a.nii.gz", "notes/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    series(tmp_path / "p3" / "series")
    found = scans_in(tmp_path, tmp_path / "out")
    assert found is not None
    assert [(scan.name, scan.path.relative_to(tmp_path).as_posix()) for scan in found.scans] == [
        ("a", "a.nii.gz"), ("b", "b.mha"), ("p1", "p1/ct.nii.gz"), ("p2", "p2"), ("p3", "p3"), ("z", "z.zip"),
    ]  # fmt: skip
    assert "2 volumes (one.nii, two.nii)" in found.scans[3].problem
    assert found.left_out == ("readme.txt", "notes/") and "readme.txt, notes/" in found.describe_left_out()


def test_a_link_to_the_folder_is_no_scan_and_deeper_scans_are_told_as_such(tmp_path: Path) -> None:
    for name in ("in/a.nii.gz", "in/deep/below/b.nii.gz", "other/one/two/c.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name, target in (("self", "in"), ("up", ".")):
        (tmp_path / "in" / name).symlink_to(tmp_path / target, target_is_directory=True)
    found = scans_in(tmp_path / "in")
    assert found is not None and [scan.name for scan in found.scans] == ["a"]
    assert found.describe_left_out() == (
        "no scans, and left out: self/, up/; scans that lie deeper than one level are left out, in deep/below/: name "
        "that folder instead"
    )
    with pytest.raises(SegmentError, match="its scans lie deeper than one level, in one/two/: name that folder"):
        scans_in(tmp_path / "other")


def test_masks_are_no_scans_and_a_volume_file_beside_slices_does_not_stand_for_them(tmp_path: Path) -> None:
    def mask(path: Path) -> None:
        save_nifti(path, np.ones((6, 5, 4), np.uint8), np.eye(4), extensions={COMMENT: b'{"format": "ovct labels 1"}'})

    nifti(tmp_path / "a.nii.gz", VOXELS, affine_of((2, 2, 2)))
    mask(tmp_path / "a_mask.nii.gz")
    nifti(tmp_path / "p1" / "ct.nii.gz", VOXELS, affine_of((2, 2, 2)))
    mask(tmp_path / "p1" / "mask.nii.gz")
    nifti(series(tmp_path / "p2") / "any.nii.gz", VOXELS, affine_of((2, 2, 2)))
    nifti(tmp_path / "p3" / "ct.nii.gz", VOXELS, affine_of((2, 2, 2)))
    shutil.copy(sorted((tmp_path / "p2").glob("*.dcm"))[0], tmp_path / "p3" / "lone.dcm")
    found = scans_in(tmp_path)
    assert found is not None and found.left_out == ("a_mask.nii.gz",)
    assert [(scan.name, scan.path.relative_to(tmp_path).as_posix(), scan.problem) for scan in found.scans] == [
        ("a", "a.nii.gz", ""), ("p1", "p1/ct.nii.gz", ""), ("p2", "p2", ""), ("p3", "p3/ct.nii.gz", ""),
    ]  # fmt: skip
    assert read_scan(found.scans[2].path).kind == "dicom"


def test_two_scans_of_one_name_keep_what_tells_them_apart(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "A.mha", "b/a.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = scans_in(tmp_path)
    assert found is not None and [scan.name for scan in found.scans] == ["A_mha", "a_nii_gz", "b"]


def test_a_series_and_the_series_of_one_study_are_one_scan(tmp_path: Path) -> None:
    one = series(tmp_path / "one")
    assert scans_in(one) is None
    study = tmp_path / "study"
    shutil.copytree(one, study / "a")
    shutil.copytree(one, study / "b" / "below")
    assert scans_in(study) is None and scans_in(tmp_path / "study" / "b") is None
    series(study / "c")
    found = scans_in(study)
    assert found is not None and [scan.name for scan in found.scans] == ["a", "b", "c"]


def test_a_folder_without_a_scan_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SegmentError, match="no scan here"):
        scans_in(tmp_path)
