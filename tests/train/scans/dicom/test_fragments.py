"""What is left of a slice is no reason for a shorter volume, and slices of two patients are none at all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.train.scans.dicom.test_series import dataset, edit_file, error_of, series
from tests.train.scans.test_scan import ct
from train.scans.errors import ScanError
from train.scans.scan import read_scan

# Names of the slice in the middle and of the last one: without that, the volume looks whole.
MIDDLE, LAST = "im7", "im3"


def cut_behind(keyword: str) -> Callable[[Path], object]:
    """Cut a slice off where the element behind a tag begins."""

    def cut_slice(slice_: Dataset) -> None:
        for element in [element for element in slice_ if element.tag > slice_[keyword].tag]:
            del slice_[element.tag]

    return lambda path: edit_file(path, cut_slice)


FRAGMENTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "the file is empty"),
    "begun": (lambda path: path.write_bytes(path.read_bytes()[:99]), "damaged, it begins with zeros|cut off"),
    "zeros": (lambda path: path.write_bytes(bytes(5000)), "damaged, it begins with zeros"),
    "early": (cut_behind("SOPInstanceUID"), "without pixels"),
    "before Rows": (cut_behind("ImageOrientationPatient"), "without pixels"),
    "before PixelData": (cut_behind("RescaleSlope"), "without pixels"),
}


@pytest.mark.parametrize("uneven", ["refuse", "resample"])
@pytest.mark.parametrize("name", [MIDDLE, LAST])
@pytest.mark.parametrize("kind", FRAGMENTS)
def test_what_is_left_of_a_slice_is_named(tmp_path: Path, kind: str, name: str, uneven: str) -> None:
    folder = series(tmp_path / "ct")
    damage, words = FRAGMENTS[kind]
    damage(folder / name)
    with pytest.raises(ScanError, match=rf"^{folder / name}: .*({words})") as error:
        read_scan(folder, uneven_slices="resample" if uneven == "resample" else "refuse")
    assert "uneven-slices" not in str(error.value)


def test_what_is_no_slice_does_not_matter(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    (folder / "notes.txt").write_bytes(b"")
    (folder / "list.dcm").write_text("what somebody noted of these slices, at some length, which is no DICOM " * 3)
    (tmp_path / "ct" / "more").mkdir()
    (tmp_path / "ct" / "more" / "im9").write_bytes(b"")
    scan = read_scan(folder)
    assert np.array_equal(scan.voxels, ct()) and scan.warnings == ()


def test_two_patients_are_refused_and_two_studies_told(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct", lambda number: {"StudyInstanceUID": f"1.2.{number // 4}", "PatientID": "A"})
    assert "of 2 studies by StudyInstanceUID (0020,000D), such as 1.2.0 (im0), 1.2.1" in read_scan(folder).warnings[0]
    edit_file(folder / "im3", lambda slice_: setattr(slice_, "PatientID", "B"))
    assert "im3: PatientID (0010,0020) is 'B', but that of im0 in the same series is 'A'" in error_of(folder)


@pytest.mark.parametrize("names", [["im3"], [f"im{number}" for number in range(8)]])
def test_values_that_are_turned_over_are_refused_by_their_tag(tmp_path: Path, names: list[str]) -> None:
    folder = series(tmp_path / "ct")

    def turn(slice_: Dataset) -> None:
        slice_.PhotometricInterpretation = "MONOCHROME1"

    for name in names:
        edit_file(folder / name, turn)
    assert "PhotometricInterpretation (0028,0004) is 'MONOCHROME1', expected MONOCHROME2" in error_of(folder)


def test_a_header_where_a_slice_lies_is_only_told(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    copy = dataset(2)
    del copy.PixelData
    copy.save_as(folder / "im9", enforce_file_format=True)
    assert "im9" in read_scan(folder).warnings[0]


def test_slices_of_one_uid_are_taken_by_their_places(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct", lambda number: {"SOPInstanceUID": f"1.2.{max(number, 1)}"})
    scan = read_scan(folder)
    assert np.array_equal(scan.voxels, ct())
    assert "SOPInstanceUID (0008,0018) is the same in slices that lie in different places" in scan.warnings[0]


@pytest.mark.parametrize(
    ("keyword", "kind", "value", "words"),
    [
        ("RescaleSlope", "DS", "-1", "is '-1', expected a number above 0"),
        ("RescaleSlope", "DS", "0", "is '0', expected a number above 0"),
        ("RescaleSlope", "FD", 1.0, r"is '1.0 (FD)', expected a value of type DS"),
        ("Rows", "IS", 10, "is '10 (IS)', expected a value of type US"),
        ("HighBit", "US", 1, "is '1', expected 15, one less than BitsStored"),
        ("HighBit", "US", 16, "is '16', expected 15, one less than BitsStored"),
        ("BitsStored", "US", 17, "is '17', expected 1 to 16, the value of BitsAllocated"),
    ],
)
def test_a_tag_that_would_be_decoded_otherwise_is_named(
    tmp_path: Path, keyword: str, kind: str, value: object, words: str
) -> None:
    folder = series(tmp_path / "ct")

    def change(slice_: Dataset) -> None:
        del slice_[keyword]
        slice_.add_new(keyword, kind, value)

    edit_file(folder / "im3", change)
    assert f"im3: {keyword} " in error_of(folder) and words in error_of(folder)


@pytest.mark.parametrize("syntax", [b"1.2.840.10008.1.2.7\0", b"\0" * 20])
def test_a_way_to_store_pixels_that_is_not_known_is_named(tmp_path: Path, syntax: bytes) -> None:
    folder = series(tmp_path / "ct")
    raw = (folder / "im3").read_bytes()
    (folder / "im3").write_bytes(raw.replace(b"1.2.840.10008.1.2.1\0", syntax, 1))
    assert "im3: TransferSyntaxUID (0002,0010) is " in error_of(folder)
