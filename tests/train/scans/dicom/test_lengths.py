"""A DICOM element that says that it is longer than what holds it is refused before memory is set aside for it."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian, JPEGLSLossless, RLELossless

from tests.train.scans.dicom.test_series import dataset, edit_file, error_of, series
from tests.train.scans.test_scan import ct
from train.scans.dicom.lengths import check_lengths
from train.scans.errors import ScanError
from train.scans.scan import read_scan

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


def one_file(path: Path, change: Callable[[Dataset], None]) -> Path:
    """A series of which the fourth slice is changed."""
    folder = series(path)
    edit_file(folder / "im3", change)
    return folder


def cut_pixels(slice_: Dataset, syntax: str) -> None:
    slice_.compress(syntax)
    (frame,) = generate_frames(slice_.PixelData, number_of_frames=1)
    slice_.PixelData = encapsulate([frame[: len(frame) // 2 // 2 * 2]])


@pytest.mark.parametrize(
    "change",
    [
        lambda slice_: setattr(slice_, "PixelData", slice_.PixelData[:100]),
        lambda slice_: setattr(slice_, "PixelData", slice_.PixelData[:-2]),
        lambda slice_: setattr(slice_, "PixelData", slice_.PixelData + bytes(100)),
        lambda slice_: setattr(slice_, "PixelData", b""),
        lambda slice_: cut_pixels(slice_, RLELossless),
        lambda slice_: cut_pixels(slice_, JPEGLSLossless),
    ],
)
def test_pixels_that_are_too_short_or_too_long_are_refused(tmp_path: Path, change: Callable[[Dataset], None]) -> None:
    folder = one_file(tmp_path / "ct", change)
    assert "im3: " in error_of(folder) and "cut off" in error_of(folder)


def test_padding_behind_pixels_is_read(tmp_path: Path) -> None:
    folder = one_file(tmp_path / "ct", lambda slice_: setattr(slice_, "PixelData", slice_.PixelData + b"\0\0"))
    assert np.array_equal(read_scan(folder).voxels, ct())
