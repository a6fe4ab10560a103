"""What lies beside a CT in its folder, or in a zip of it, neither blocks it nor is used."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.train.inference.segment_cases import affine_of, dicom_series, hounsfield, nifti
from tests.train.viewer.view_cases import write_other_seg
from train.scans.errors import ScanError
from train.scans.saving import COMMENT, save_nifti
from train.scans.scan import read_scan

VOXELS, AFFINE = hounsfield((12, 11, 8)), affine_of((3, 3, 4), "LPS")


def mask(path: Path) -> Path:
    """A label map of `ovct segment`."""
    path.parent.mkdir(exist_ok=True, parents=True)
    save_nifti(path, (VOXELS > 0).astype(np.uint8), AFFINE, extensions={COMMENT: b'{"format": "ovct labels 1"}'})
    return path


def any_volume(path: Path) -> Path:
    return nifti(path, VOXELS, AFFINE)


def dicom_mask(path: Path) -> Path:
    slices = read_scan(path.parent).dicom_files
    return write_other_seg(path, slices, {"liver": VOXELS > 0})


BESIDE: dict[str, Callable[[Path], Path]] = {
    "mask.nii.gz": mask,
    "masks/liver.nii.gz": mask,
    "converted.nii.gz": any_volume,
    "masks/unknown.nii": any_volume,
    "mask.dcm": dicom_mask,
    "mask.seg.nrrd": mask,
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.filterwarnings("ignore")
def test_a_mask_that_was_saved_beside_slices_is_left_out_and_told(tmp_path: Path, name: str) -> None:
    folder = dicom_series(tmp_path / "series", VOXELS, AFFINE)
    alone = read_scan(folder)
    path = BESIDE[name](folder / name.replace(".seg.nrrd", ".nii"))
    if name.endswith(".seg.nrrd"):
        path.rename(folder / name)
    with zipfile.ZipFile(tmp_path / "series.zip", "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(tmp_path))
    for source in (folder, tmp_path, tmp_path / "series.zip"):
        if source == tmp_path:
            (tmp_path / "series.zip").rename(tmp_path / ".series.zip")
        scan = read_scan(source)
        assert scan.kind == "dicom" and np.array_equal(scan.voxels, alone.voxels)
        assert len(scan.dicom_files) == len(alone.dicom_files)
        assert len(scan.warnings) == 1 and "left out" in scan.warnings[0] and Path(name).name in scan.warnings[0]
        if source == tmp_path:
            (tmp_path / ".series.zip").rename(tmp_path / "series.zip")


def test_a_mask_above_the_folder_of_slices_is_left_out_if_it_says_that_it_is_one(tmp_path: Path) -> None:
    dicom_series(tmp_path / "ct", VOXELS, AFFINE)
    mask(tmp_path / "mask.nii.gz")
    assert "left out beside the scan: mask.nii.gz" in read_scan(tmp_path).warnings[0]
    any_volume(tmp_path / "other.nii.gz")
    with pytest.raises(ScanError, match=r"holds 1 volume file and DICOM files\. Give the one you want:\n  other"):
        read_scan(tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_masks_and_dicom_without_a_volume_beside_a_volume_file_are_left_out(tmp_path: Path) -> None:
    series = dicom_series(tmp_path / "series", VOXELS, AFFINE)
    study = tmp_path / "study"
    any_volume(study / "ct.nii.gz")
    mask(study / "masks" / "liver.nii.gz")
    shutil.copy(dicom_mask(series / "seg.dcm"), study / "seg.dcm")
    header = pydicom.dcmread(series / "000.dcm")
    header.SeriesInstanceUID = "1.2.3"
    header.save_as(study / "lone.dcm")
    scan = read_scan(study)
    assert scan.path == study / "ct.nii.gz" and np.array_equal(scan.voxels, VOXELS)
    assert scan.warnings == (f"{study}: left out beside the scan: masks/liver.nii.gz, lone.dcm, seg.dcm",)
    any_volume(study / "b.nii.gz")
    with pytest.raises(ScanError, match=r"holds 2 volume files\. Give the one you want:\n  b\.nii\.gz\n  ct\.nii\.gz$"):
        read_scan(study)


def test_a_folder_with_a_mask_alone_is_read(tmp_path: Path) -> None:
    assert read_scan(mask(tmp_path / "mask.nii.gz").parent, allow_suspicious=True).path == tmp_path / "mask.nii.gz"


def test_a_linked_folder_is_looked_at_where_there_is_nothing_else(tmp_path: Path) -> None:
    any_volume(tmp_path / "elsewhere" / "other.nii.gz")
    folder = tmp_path / "scan"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "circle").symlink_to(folder)
    scan = read_scan(folder)
    assert np.array_equal(scan.voxels, VOXELS) and scan.path == folder / "linked" / "other.nii.gz"
    any_volume(folder / "ct.nii.gz")
    assert read_scan(folder).path == folder / "ct.nii.gz"


@pytest.mark.parametrize(
    ("name", "way_out"), [("a.zip", "Give the one"), ("a.tar.gz", "Unpack it"), ("a.7z", "Unpack")]
)
def test_a_folder_with_archives_alone_names_them(tmp_path: Path, name: str, way_out: str) -> None:
    (tmp_path / name).write_bytes(b"packed")
    with pytest.raises(ScanError, match=rf"no volume file, but archives\. {way_out}.*:\n  {name}"):
        read_scan(tmp_path)
