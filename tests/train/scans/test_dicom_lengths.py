"""A DICOM element that says that it is longer than what holds it is refused before memory is set aside for it."""

import struct
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from tests.train.scans.test_dicom_series import dataset
from train.scans.dicom_lengths import check_lengths
from train.scans.errors import ScanError

GIGABYTES = struct.pack("<I", 0xFFF00000)


def nested(*, undefined: bool) -> Dataset:
    slice_, inner = dataset(0), Dataset()
    inner.StudyDescription = "a description that is nested"
    slice_.ReferencedStudySequence = Sequence([inner])
    slice_["ReferencedStudySequence"].is_undefined_length = undefined
    return slice_


def packed() -> Dataset:
    slice_ = dataset(0)
    slice_.file_meta.TransferSyntaxUID = RLELossless
    slice_.PixelData = encapsulate([b"first ", b"second"])
    slice_["PixelData"].is_undefined_length = True
    return slice_


def implicit() -> Dataset:
    slice_ = dataset(0)
    slice_.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    slice_.StudyDescription = "a description"
    return slice_


# A slice, what stands in front of the length to falsify, how long that length is, and the words of the refusal.
FILES: dict[str, tuple[Dataset, bytes, int, str]] = {
    "pixels": (dataset(0), b"\xe0\x7f\x10\x00OW\0\0", 4, r"\(7FE0,0010\) says that it is 4,293,918,720 bytes"),
    "implicit": (implicit(), b"\x08\x00\x30\x10", 4, r"\(0008,1030\)"),
    "nested": (nested(undefined=False), b"\x08\x00\x30\x10LO", 2, r"\(0008,1030\)"),
    "nested without length": (nested(undefined=True), b"\x08\x00\x30\x10LO", 2, "No tag to read"),
    "packed": (packed(), b"first \xfe\xff\x00\xe0", 4, "a piece of its packed pixels"),
}


@pytest.mark.parametrize("name", FILES)
def test_an_element_longer_than_its_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "slice"
    whole, before, width, problem = FILES[name]
    whole.save_as(path, enforce_file_format=True)
    check_lengths(path)
    raw = path.read_bytes()
    at = raw.index(before) + len(before)
    path.write_bytes(raw[:at] + GIGABYTES[4 - width :] + raw[at + width :])
    with pytest.raises((ScanError, OSError), match=problem):
        check_lengths(path)
