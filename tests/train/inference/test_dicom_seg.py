"""DICOM SEG, read back: frames on the series' own grid, codes, references, overlapping segments."""

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import torch
from torch import Tensor

from tests.train.inference.segment_cases import affine_of, ball, dicom_series, hounsfield, result_of
from train.inference import dicom_seg as module
from train.inference.dicom_seg import write_dicom_seg
from train.inference.result import SegmentationResult
from train.scans.scan import read_scan

SHAPE = (14, 12, 10)
NAMES = ["left kidney", "renal organ", "spleen", "odd thing"]

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    # highdicom says so of every oblique or gantry-tilted series, and of names without a ^.
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def logits() -> Tensor:
    left, right = ball(SHAPE, (4, 6, 3), 2.2), ball(SHAPE, (10, 6, 6), 2.2)
    return torch.stack([left, torch.maximum(left, right) + 1, left - 9, ball(SHAPE, (9, 3, 8), 1.5)])


def result_in(folder: Path, axes: str = "LPS") -> SegmentationResult:
    series = dicom_series(folder, hounsfield(SHAPE), affine_of((1.5, 2, 3), axes))
    return result_of(logits(), NAMES, read_scan(series))


def read_back(path: Path, result: SegmentationResult, number: int) -> np.ndarray:
    """A segment as a mask (X, Y, Z) on the scan's voxels, by the physical place of its frames alone."""
    volume = highdicom.seg.segread(path).get_volume(segment_numbers=[number], combine_segments=True, relabel=True)
    index = np.argwhere(volume.array)
    world = volume.affine @ np.vstack([index.T, np.ones(len(index))])
    voxels = np.linalg.inv(np.diag([-1.0, -1, 1, 1]) @ result.scan.affine) @ world
    mask = np.zeros(result.labels.shape, bool)
    mask[tuple(np.rint(voxels[:3]).astype(int))] = True
    return mask


@pytest.mark.parametrize("axes", ["LPS", "LPI"])
def test_segments_lie_where_the_masks_lie(tmp_path: Path, axes: str) -> None:
    result = result_in(tmp_path / "series", axes)
    assert write_dicom_seg(result, tmp_path / "seg.dcm") is None
    segments = highdicom.seg.segread(tmp_path / "seg.dcm").SegmentSequence
    # What has no voxel has no segment, and those that have count without a gap.
    assert [segment.SegmentLabel for segment in segments] == ["left kidney", "renal organ", "odd thing"]
    for segment in segments:
        mask = read_back(tmp_path / "seg.dcm", result, segment.SegmentNumber)
        assert mask.any() and np.array_equal(mask, result.mask(segment.SegmentLabel)), segment.SegmentLabel


def test_codes_come_from_the_vocabulary(tmp_path: Path) -> None:
    write_dicom_seg(result_in(tmp_path / "series"), tmp_path / "seg.dcm")
    kidney, organ, odd = pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence
    code = kidney.SegmentedPropertyTypeCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning) == ("64033007", "SCT", "Kidney")
    side = code.SegmentedPropertyTypeModifierCodeSequence[0]
    assert (side.CodeValue, side.CodeMeaning) == ("7771000", "Left")
    assert kidney.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == "Anatomical Structure"
    for segment, text in ((organ, "renal organ"), (odd, "odd thing")):
        private = segment.SegmentedPropertyTypeCodeSequence[0]
        assert private.CodingSchemeDesignator == "99OVCT" and private.CodeMeaning == text
        assert segment.SegmentDescription == text


def test_it_refers_to_the_series(tmp_path: Path) -> None:
    result = result_in(tmp_path / "series")
    write_dicom_seg(result, tmp_path / "seg.dcm")
    seg, source = pydicom.dcmread(tmp_path / "seg.dcm"), pydicom.dcmread(result.scan.dicom_files[0])
    assert seg.Modality == "SEG" and seg.SeriesInstanceUID != source.SeriesInstanceUID
    for name in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "PatientName"):
        assert seg.get(name) == source.get(name), name
    referenced = {
        instance.ReferencedSOPInstanceUID for instance in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert referenced <= {pydicom.dcmread(file).SOPInstanceUID for file in result.scan.dicom_files} and referenced


def test_too_many_overlapping_segments_are_shown_as_the_label_map_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = result_in(tmp_path / "series")
    monkeypatch.setattr(module, "STACKED_BYTES", 10)
    warning = write_dicom_seg(result, tmp_path / "seg.dcm")
    assert warning is not None and "shows one of them" in warning
    for number, label in ((1, 1), (2, 2), (3, 4)):
        assert np.array_equal(read_back(tmp_path / "seg.dcm", result, number), result.labels == label)


def test_no_voxel_at_all_is_an_empty_seg(tmp_path: Path) -> None:
    series = dicom_series(tmp_path / "series", hounsfield(SHAPE), affine_of((1.5, 2, 3), "LPS"))
    result = result_of(torch.full((1, *SHAPE), -3.0), ["spleen"], read_scan(series))
    write_dicom_seg(result, tmp_path / "seg.dcm")
    assert not pydicom.dcmread(tmp_path / "seg.dcm").pixel_array.any()


def test_an_anonymised_series_without_uids_is_told(tmp_path: Path) -> None:
    series = dicom_series(tmp_path / "series", hounsfield(SHAPE), affine_of((1.5, 2, 3), "LPS"))
    for file in series.iterdir():
        header = pydicom.dcmread(file)
        for name in ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"):
            setattr(header, name, "")
        del header.PatientID, header.StudyDate
        header.save_as(file)
    result = result_of(logits(), NAMES, read_scan(series))
    warning = write_dicom_seg(result, tmp_path / "seg.dcm")
    assert warning is not None and "has no SOPClassUID, SOPInstanceUID, SeriesInstanceUID, StudyInstanceUID" in warning
    assert np.array_equal(read_back(tmp_path / "seg.dcm", result, 1), result.mask("left kidney"))
    write_dicom_seg(result, tmp_path / "again.dcm")
    first, second = (pydicom.dcmread(tmp_path / name) for name in ("seg.dcm", "again.dcm"))
    assert first.StudyInstanceUID == second.StudyInstanceUID != ""
