"""DICOM SEG files of ovct and of other programs: names, colours, places and volumes of their segments."""

from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest

from tests.train.inference.segment_cases import affine_of, dicom_series, hounsfield
from tests.train.viewer.view_cases import write_other_seg
from train.inference.files.colours import palette, to_lab, to_rgb
from train.scans.scan import Scan, read_scan
from train.viewer.content import load_content
from train.viewer.dicom_segments import is_dicom_seg, read_segments
from train.viewer.errors import ViewError
from train.viewer.mask_files import mask_paths, read_mask
from train.viewer.structures import StructureMap

SHAPE, AFFINE = (14, 12, 10), affine_of((1.5, 2, 3), "LPS")
RED = highdicom.color.CIELabColor.from_rgb(255, 0, 0)
BOXES = {"kidney_right": (1, 4), "kidney_left": (9, 13)}


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    return read_scan(dicom_series(tmp_path / "series", hounsfield(SHAPE), AFFINE))


def masks() -> dict[str, np.ndarray]:
    """Two boxes with slices between them that have neither, by name."""
    made = {}
    for name, (first, last) in BOXES.items():
        made[name] = np.zeros(SHAPE, bool)
        made[name][first:last, 3:7, 2:5] = made[name][first:last, 3:7, 7:9] = True
    return made


def write_seg(scan: Scan, path: Path, kind: str, share: float = 1.0, colour: Any = RED) -> Path:
    return write_other_seg(path, scan.dicom_files, masks(), kind, colour, share)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
@pytest.mark.filterwarnings("ignore")
def test_segments_of_each_kind_have_their_names_colours_places_and_volumes(
    scan: Scan, tmp_path: Path, kind: str
) -> None:
    path = write_seg(scan, tmp_path / "seg.dcm", kind)
    assert is_dicom_seg(path) and not is_dicom_seg(scan.dicom_files[0]) and mask_paths(tmp_path) == [path]
    shown = StructureMap(scan)
    for file in read_mask(path):
        shown.add(file)
    assert [one.name for one in shown.structures] == list(BOXES) and shown.notices == []
    for one, (name, mask) in zip(shown.structures, masks().items(), strict=True):
        assert np.array_equal(shown.labels == one.label, mask), name
        assert one.volume_ml == pytest.approx(mask.sum() * 9 / 1000) and one.colour == (255, 0, 0)
    right, left = (one.at for one in shown.structures)
    assert right is not None and left is not None and right[0] > left[0], "RAS: the first number grows to the right"
    told = load_content(scan.path, [path], 10**6, tmp_path).description
    colours = [tuple(one["colour"]) for one in told["structures"]]
    assert colours[0] == (255, 0, 0) and len(set(colours)) == 2, "a colour of all segments tells none apart"


@pytest.mark.parametrize("slices", [range(0, 10, 2), (2, 3, 4, 8), (2, 4, 7), (8,)])
@pytest.mark.filterwarnings("ignore")
def test_segments_on_some_slices_of_the_scan_lie_on_these_alone(scan: Scan, tmp_path: Path, slices: Any) -> None:
    chosen = list(slices)
    path = write_other_seg(
        tmp_path / "seg.dcm", [scan.dicom_files[k] for k in chosen], {k: m[:, :, chosen] for k, m in masks().items()}
    )
    shown = StructureMap(scan)
    for file in read_mask(path, scan.affine):
        shown.add(file)
    for one, mask in zip(shown.structures, masks().values(), strict=True):
        mask[:, :, [k for k in range(10) if k not in chosen]] = False
        assert np.array_equal(shown.labels == one.label, mask)
        assert one.volume_ml == pytest.approx(mask.sum() * 9 / 1000)


@pytest.mark.filterwarnings("ignore")
def test_shares_are_shown_from_a_half_and_that_is_told(scan: Scan, tmp_path: Path) -> None:
    for share, count in ((0.6, 1), (0.4, 0)):
        first = next(read_segments(write_seg(scan, tmp_path / "seg.dcm", "FRACTIONAL", share)))
        assert first.labels.any() == count and "a half at least" in first.notice
    (mask, _) = read_mask(tmp_path / "seg.dcm")
    shown = StructureMap(scan)
    shown.add(mask)
    assert shown.notices == [first.notice]


@pytest.mark.filterwarnings("ignore")
def test_a_seg_that_cannot_be_read_is_refused_by_name(scan: Scan, tmp_path: Path) -> None:
    path = write_seg(scan, tmp_path / "seg.dcm", "BINARY", colour=None)
    assert all(colour is None for segments in read_segments(path) for _, _, colour in segments.named)
    whole = pydicom.dcmread(path)
    frames = whole.PerFrameFunctionalGroupsSequence
    frames[2].PlanePositionSequence[0].ImagePositionPatient[2] += 1
    whole.save_as(path)
    with pytest.raises(ViewError, match=r"seg\.dcm: its frames do not lie on one regular grid"):
        list(read_segments(path))
    del frames[2].PlanePositionSequence
    whole.save_as(path)
    with pytest.raises(ViewError, match=r"seg\.dcm: ImagePositionPatient is missing"):
        list(read_segments(path))
    del whole.PixelData
    whole.save_as(path)
    with pytest.raises(ViewError, match=r"seg\.dcm: "):
        list(read_segments(path))
    del whole.SegmentSequence
    whole.save_as(path)
    with pytest.raises(ViewError, match=r"seg\.dcm: cannot be read as a DICOM SEG \(.*SegmentSequence"):
        list(read_segments(path))


def test_colours_are_those_that_were_stored() -> None:
    for rgb in [*palette()[:50], (0, 0, 0), (255, 255, 255)]:
        lab = highdicom.color.CIELabColor.from_rgb(*rgb).lab
        assert np.abs(to_rgb(np.array([lab]))[0] - rgb).max() <= 1
        assert np.array_equal(to_rgb(to_lab(np.array([rgb])))[0], rgb)
