"""Values of tags that are no numbers are refused with file, tag and value; what has no preamble is known."""

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from tests.train.scans.dicom.test_series import error_of, series
from tests.train.scans.test_scan import ct
from train.scans.dicom.header import is_dicom
from train.scans.scan import read_scan


def with_raw(path: Path, keyword: str, raw: bytes) -> None:
    header = pydicom.dcmread(path)
    tag = Tag(keyword)
    header[tag] = RawDataElement(tag, header[tag].VR if tag in header else "IS", len(raw), raw, 0, False, True)
    header.save_as(path)


@pytest.mark.parametrize(
    ("keyword", "raw", "message"),
    [
        ("PixelSpacing", b"3,0\\3,0 ", r"PixelSpacing (0028,0030) is '3,0\\3,0', expected 2 numbers"),
        ("PixelSpacing", b"-3\\3", "expected 2 numbers above 0"),
        ("PixelSpacing", b"0\\3 ", "PixelSpacing (0028,0030) is '0"),
        ("PixelSpacing", b"3 ", "PixelSpacing (0028,0030) is '3', expected 2 numbers"),
        ("ImagePositionPatient", b"1\\nan\\3", "ImagePositionPatient (0020,0032) is '1"),
        ("ImageOrientationPatient", b"2\\0\\0\\0\\2\\0 ", "expected two unit vectors at right angles"),
        ("ImageOrientationPatient", b"1\\0\\0\\.5\\.866\\0", "expected two unit vectors at right angles"),
        ("RescaleSlope", b"one ", "RescaleSlope (0028,1053) is 'one', expected a number"),
        ("RescaleSlope", b"0 ", "expected a number above 0"),
        ("RescaleIntercept", b"-1024,0 ", "RescaleIntercept (0028,1052) is '-1024,0'"),
        ("NumberOfFrames", b"1.5 ", "NumberOfFrames (0028,0008) is '1.5', expected a whole number"),
        ("Rows", b"\x14\0\x14\0", "Rows (0028,0010) is"),
    ],
)
def test_a_value_that_is_no_number_is_refused_with_its_tag(
    tmp_path: Path, keyword: str, raw: bytes, message: Any
) -> None:
    folder = series(tmp_path / "ct")
    with_raw(folder / "im3", keyword, raw)
    said = error_of(folder)
    assert said.startswith(f"{folder / 'im3'}: ") and message.replace("\\\\", "\\") in said.replace("\\\\", "\\")


def test_files_that_begin_with_group_0002_are_read(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[132:])
        assert is_dicom(file)
    for path in (folder, folder / "im3"):
        assert (read_scan(path).voxels == ct()).all()
