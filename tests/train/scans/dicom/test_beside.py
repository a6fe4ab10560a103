"""What lies beside a CT neither blocks it nor is used, and is named as left out."""

import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from tests.train.scans.dicom.test_series import dataset, series
from tests.train.scans.test_scan import ct
from train.scans.errors import ScanError
from train.scans.scan import read_scan

PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
OTHER = {"SeriesInstanceUID": "1.9"}


def without(slice_: Dataset, *keywords: str) -> Dataset:
    for keyword in keywords:
        delattr(slice_, keyword)
    return slice_


def capture(**tags: Any) -> Dataset:
    slice_ = without(dataset(0, **tags), *PLACE)
    slice_.SOPClassUID = slice_.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    return slice_


BESIDE: dict[str, Callable[[], Dataset]] = {
    "dose report": lambda: capture(**OTHER, SeriesDescription="Dose Report"),
    "screenshot in the series": capture,
    "scout": lambda: dataset(0, **OTHER, ImageOrientationPatient=[0, 1, 0, 0, 0, -1]),
    "scout in the series": lambda: dataset(0, ImageOrientationPatient=[0, 1, 0, 0, 0, -1]),
    "header in the series": lambda: without(dataset(2), "PixelData"),
    "header alone": lambda: without(dataset(0, **OTHER), "PixelData", "Rows", "Columns"),
    "single slice": lambda: dataset(0, **OTHER, ImageType=["DERIVED", "SECONDARY", "MIP"]),
    "report": lambda: without(dataset(0, **OTHER, Modality="SR"), "PixelData", "Rows", "Columns"),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_what_is_no_volume_is_left_out_and_named(tmp_path: Path, kind: str) -> None:
    folder = series(tmp_path / "ct")
    BESIDE[kind]().save_as(folder / "beside", enforce_file_format=True)
    scan = read_scan(folder)
    assert np.array_equal(scan.voxels, ct()) and folder / "beside" not in scan.dicom_files
    assert len(scan.warnings) == 1 and "left out" in scan.warnings[0] and "beside" in scan.warnings[0]


def deflated(slice_: Dataset, path: Path) -> Path:
    slice_.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    slice_.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("kind", BESIDE)
def test_what_is_no_volume_is_left_out_though_it_is_deflated(tmp_path: Path, kind: str) -> None:
    folder = series(tmp_path / "ct")
    deflated(BESIDE[kind](), folder / "beside")
    scan = read_scan(folder)
    assert np.array_equal(scan.voxels, ct()) and folder / "beside" not in scan.dicom_files
    assert len(scan.warnings) == 1 and "left out" in scan.warnings[0] and "beside" in scan.warnings[0]


def test_a_deflated_slice_is_refused_by_name_and_a_deflated_series_beside_one_is_listed(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    one = deflated(dataset(8), folder / "one")
    with pytest.raises(ScanError, match=r"one: a deflated DICOM file\. Unpack it with dcmconv"):
        read_scan(folder)
    one.unlink()
    for number in range(3):
        deflated(dataset(number, **OTHER), folder / f"other{number}")
    with pytest.raises(ScanError, match=r"2 series\. Give a file"):
        read_scan(folder)
    with pytest.raises(ScanError, match=r"other0: a deflated DICOM file"):
        read_scan(folder / "other0")


def test_linked_folders_are_read_once(tmp_path: Path) -> None:
    series(tmp_path / "real")
    study = tmp_path / "study"
    study.mkdir()
    for name in ("a", "b"):
        os.symlink(tmp_path / "real", study / name)
    os.symlink(study, study / "circle")
    scan = read_scan(study)
    assert np.array_equal(scan.voxels, ct()) and scan.warnings == ()


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir"])
def test_a_dicomdir_stands_for_its_folder(tmp_path: Path, name: str) -> None:
    series(tmp_path / "cd" / "IMAGES")
    (tmp_path / "cd" / name).write_bytes(bytes(128) + b"DICM" + bytes(99))
    assert np.array_equal(read_scan(tmp_path / "cd" / name).voxels, ct())
    scan = read_scan(tmp_path / "cd")
    assert np.array_equal(scan.voxels, ct()) and scan.warnings == ()


REFERENCES: dict[str, list[str] | str] = {
    "its own": ["IMAGES", "im0"],
    "upward": ["..", "OUTSIDE", "im0"],
    "absolute": ["", "etc", "passwd"],
    "a drive": ["C:", "OUTSIDE", "im0"],
    "a path in one": "../OUTSIDE/im0",
    "itself": "DICOMDIR",
}


@pytest.mark.parametrize("references", REFERENCES)
def test_what_a_dicomdir_refers_to_is_not_followed(tmp_path: Path, references: str) -> None:
    """The files of a medium are found in its folders: no name in a DICOMDIR, and no loop of its records, leads out."""
    series(tmp_path / "OUTSIDE")
    medium = tmp_path / "cd"
    series(medium / "IMAGES")
    write_dicomdir(medium / "DICOMDIR", REFERENCES[references])
    for path in (medium / "DICOMDIR", medium):
        scan = read_scan(path)
        assert np.array_equal(scan.voxels, ct()) and scan.warnings == ()
        assert all(file.parent == medium / "IMAGES" for file in scan.dicom_files)
    shutil.rmtree(medium / "IMAGES")
    with pytest.raises(ScanError, match=r"cd: no DICOM image here"):
        read_scan(medium / "DICOMDIR")
    os.rename(medium / "DICOMDIR", medium / "index.dcm")
    with pytest.raises(ScanError, match="no DICOM image here"):
        read_scan(medium / "index.dcm")


def write_dicomdir(path: Path, references: list[str] | str) -> None:
    """Write a DICOMDIR of three images that are said to stand at this place, and whose records refer to each other."""
    with warnings.catch_warnings():  # pydicom's, on names that the standard forbids
        warnings.simplefilter("ignore")
        directory = Dataset()
        directory.file_meta = FileMetaDataset()
        directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        directory.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 400
        records = [Dataset() for _ in range(3)]
        for record in records:
            record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 400
            record.RecordInUseFlag, record.DirectoryRecordType = 0xFFFF, "IMAGE"
            record.ReferencedFileID = references
        directory.DirectoryRecordSequence = records
        directory.save_as(path, enforce_file_format=True)


def test_a_copied_folder_is_taken_once(tmp_path: Path) -> None:
    series(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    scan = read_scan(tmp_path)
    assert np.array_equal(scan.voxels, ct()) and "copies of the series are left out: im0, im1" in scan.warnings[0]
