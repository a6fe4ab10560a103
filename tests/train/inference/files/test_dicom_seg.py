"""DICOM SEG, read back: frames on the series' own grid, codes, colours, references, whatever the series is like."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
import torch
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from torch import Tensor

from tests.train.inference.segment_cases import affine_of, ball, dicom_series, hounsfield, result_of
from train.inference.errors import SegmentError
from train.inference.files import dicom_seg as module
from train.inference.files.codes import Code
from train.inference.files.colours import structure_colours, to_lab
from train.inference.files.dicom_seg import check_dicom_seg, write_dicom_seg
from train.inference.prompts import SegmentPrompt
from train.inference.result import SegmentationResult
from train.scans.scan import read_scan

SHAPE = (14, 12, 10)
NAMES = ["left kidney", "renal organ", "spleen", "odd thing"]

PROMPTS = [SegmentPrompt(name, name) for name in NAMES]

pytestmark = pytest.mark.usefixtures("one_thread")


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
    assert write_dicom_seg(result, tmp_path / "seg.dcm") == []
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
    (warning,) = write_dicom_seg(result, tmp_path / "seg.dcm")
    assert "shows one of them" in warning
    for number, label in ((1, 1), (2, 2), (3, 4)):
        assert np.array_equal(read_back(tmp_path / "seg.dcm", result, number), result.labels == label)


def test_no_voxel_at_all_is_an_empty_seg(tmp_path: Path) -> None:
    series = dicom_series(tmp_path / "series", hounsfield(SHAPE), affine_of((1.5, 2, 3), "LPS"))
    result = result_of(torch.full((1, *SHAPE), -3.0), ["spleen"], read_scan(series))
    write_dicom_seg(result, tmp_path / "seg.dcm")
    assert not pydicom.dcmread(tmp_path / "seg.dcm").pixel_array.any()


def test_an_anonymised_series_without_uids_is_told(tmp_path: Path) -> None:
    def change(header: pydicom.Dataset, _: int) -> None:
        for name in ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"):
            setattr(header, name, "")
        del header.PatientID, header.StudyDate

    result = changed(tmp_path / "series", change)
    (warning,) = write_dicom_seg(result, tmp_path / "seg.dcm")
    assert warning == (
        "made, so that it is not linked to the series by them: StudyInstanceUID (none), SeriesInstanceUID (none), "
        "SOPClassUID (none) of 10 slices, SOPInstanceUID (none) of 10 slices"
    )
    assert np.array_equal(read_back(tmp_path / "seg.dcm", result, 1), result.mask("left kidney"))
    write_dicom_seg(result, tmp_path / "again.dcm")
    first, second = (pydicom.dcmread(tmp_path / name) for name in ("seg.dcm", "again.dcm"))
    assert first.StudyInstanceUID == second.StudyInstanceUID != ""


def changed(folder: Path, change: Callable[[pydicom.Dataset, int], None]) -> SegmentationResult:
    """The result for a series whose headers were changed, slice by slice."""
    dicom_series(folder, hounsfield(SHAPE), affine_of((1.5, 2, 3), "LPS"))
    with pydicom.config.disable_value_validation():
        for file in folder.iterdir():
            header = pydicom.dcmread(file)
            change(header, header.InstanceNumber - 1)
            header.save_as(file)
    return result_of(logits(), NAMES, read_scan(folder))


def raw(header: pydicom.Dataset, **values: bytes) -> None:
    """Set values that pydicom would not take."""
    for keyword, value in values.items():
        tag = Tag(tag_for_keyword(keyword) or 0)
        header[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)


def test_whatever_the_header_says_there_is_a_seg(tmp_path: Path) -> None:
    def change(header: pydicom.Dataset, number: int) -> None:
        raw(
            header, SpecificCharacterSet=b"", PatientBirthDate=b"1950", StudyDate=b"02-01-2020", StudyTime=b"99",
            PatientSex=b"m", PatientAge=b"45", PatientName=b"M\xfcller", SeriesNumber=b"-7", AccessionNumber=b"x" * 20,
            StudyInstanceUID=[b"1.2.3", b"1.2.4 "][number == 4], FrameOfReferenceUID=b"1.02", SliceThickness=b"x",
        )  # fmt: skip

    result = changed(tmp_path / "series", change)
    told = check_dicom_seg(result.scan, PROMPTS)
    assert told == (
        "left empty: PatientBirthDate '1950', StudyDate '02-01-2020', StudyTime '99', "
        "AccessionNumber 'xxxxxxxxxxxxxxxxxxxx', PatientAge '45'; mended: SpecificCharacterSet '' to ISO_IR 192, "
        "PatientSex 'm' to 'M', StudyInstanceUID, '1.2.3' in 9 files, '1.2.4' in others, to the former, "
        "SeriesNumber '-7' to 1; made, so that it is not linked to the series by them: FrameOfReferenceUID '1.02'"
    )
    assert write_dicom_seg(result, tmp_path / "seg.dcm") == [told]
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    assert (seg.PatientName, seg.PatientSex, seg.PatientBirthDate, seg.StudyDate) == ("Müller", "M", "", "")
    assert (seg.StudyInstanceUID, seg.SeriesNumber, seg.SpecificCharacterSet) == ("1.2.3", 1, "ISO_IR 192")
    assert np.array_equal(read_back(tmp_path / "seg.dcm", result, 2), result.mask("renal organ"))


@pytest.mark.parametrize("name", ["FrameOfReferenceUID", "StudyInstanceUID", "PatientName", "SOPClassUID"])
def test_what_is_missing_stops_no_seg(tmp_path: Path, name: str) -> None:
    result = changed(tmp_path / "series", lambda header, _: delattr(header, name))
    write_dicom_seg(result, tmp_path / "seg.dcm")
    assert np.array_equal(read_back(tmp_path / "seg.dcm", result, 1), result.mask("left kidney"))


def test_frames_of_a_multi_frame_image_are_referred_to_by_number(tmp_path: Path) -> None:
    """Slices in one file, in an order that is not theirs in space."""
    plain = result_in(tmp_path / "series").scan
    headers = [pydicom.dcmread(file) for file in plain.dicom_files]
    for number, header in enumerate(headers):
        header.PositionReferenceIndicator = header.Manufacturer = ""
        header.LossyImageCompression, header.BurnedInAnnotation, header.InstanceNumber = "00", "NO", 10 - number
    (tmp_path / "enhanced").mkdir()
    image = highdicom.legacy.LegacyConvertedEnhancedCTImage(headers, highdicom.UID(), 4, highdicom.UID(), 1)
    image.save_as(tmp_path / "enhanced" / "ct.dcm")
    result = result_of(logits(), NAMES, read_scan(tmp_path / "enhanced"))
    assert write_dicom_seg(result, tmp_path / "seg.dcm") == []
    assert np.array_equal(read_back(tmp_path / "seg.dcm", result, 1), result.mask("left kidney"))
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    (referenced,) = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert (referenced.ReferencedSOPClassUID, referenced.ReferencedSOPInstanceUID) == (
        image.SOPClassUID, image.SOPInstanceUID,
    )  # fmt: skip
    for group in seg.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        frame = image.PerFrameFunctionalGroupsSequence[source.ReferencedFrameNumber - 1]
        place = group.PlanePositionSequence[0].ImagePositionPatient
        assert frame.PlanePositionSequence[0].ImagePositionPatient == pytest.approx(place)


def test_each_segment_has_the_colour_of_its_structure(tmp_path: Path) -> None:
    result = result_in(tmp_path / "series")
    write_dicom_seg(result, tmp_path / "seg.dcm")
    colours = structure_colours([(name, name) for name in NAMES])
    for segment in pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence:
        lightness, *ab = segment.RecommendedDisplayCIELabValue
        lab = np.array([lightness / 65535 * 100, *(value / 65535 * 255 - 128 for value in ab)])
        # Viewers take D50 for white, palettes D65: a few steps apart.
        assert np.linalg.norm(lab - to_lab(np.array([colours[segment.SegmentLabel]]))) < 12, segment.SegmentLabel


def test_words_that_dicom_has_no_room_for(tmp_path: Path) -> None:
    names = ["a\\b " + "x" * 80, "Ω 肝"]
    result = result_of(logits()[:2], names, result_in(tmp_path / "series").scan)
    write_dicom_seg(result, tmp_path / "seg.dcm")
    labels = [segment.SegmentLabel for segment in pydicom.dcmread(tmp_path / "seg.dcm").SegmentSequence]
    assert labels == ["a b " + "x" * 60, "Ω 肝"]


def test_what_highdicom_refuses_is_told_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_in(tmp_path / "series")
    broken = Code("x" * 100, "SCT", "")
    monkeypatch.setattr(module, "structure_code", lambda *_: (broken, broken, None))
    with pytest.raises(SegmentError, match=r"a DICOM SEG of this series cannot be made \(.*\): --out mask\.nii\.gz"):
        check_dicom_seg(result.scan, PROMPTS)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy, of the package dicom3tools")
def test_dciodvfy_finds_no_error(tmp_path: Path) -> None:
    write_dicom_seg(result_in(tmp_path / "series"), tmp_path / "seg.dcm")
    checked = subprocess.run(["dciodvfy", tmp_path / "seg.dcm"], capture_output=True, text=True, check=False)
    assert "Error" not in checked.stderr + checked.stdout


@pytest.mark.skipif(shutil.which("segimage2itkimage") is None, reason="needs segimage2itkimage, of the package dcmqi")
def test_dcmqi_finds_the_same_voxels(tmp_path: Path) -> None:
    result = result_in(tmp_path / "series")
    write_dicom_seg(result, tmp_path / "seg.dcm")
    command = ["segimage2itkimage", "--inputDICOM", str(tmp_path / "seg.dcm"), "--outputDirectory", str(tmp_path)]
    subprocess.run([*command, "--outputType", "nii"], capture_output=True, check=True)
    for number, name in ((1, "left kidney"), (2, "renal organ"), (3, "odd thing")):
        found = nibabel.load(tmp_path / f"{number}.nii.gz")
        index = np.argwhere(np.asarray(found.dataobj))  # type: ignore[attr-defined]
        world = found.affine @ np.vstack([index.T, np.ones(len(index))])  # type: ignore[attr-defined]
        voxels = np.rint((np.linalg.inv(result.scan.affine) @ world)[:3]).astype(int)
        mask = np.zeros(result.labels.shape, bool)
        mask[tuple(voxels)] = True
        assert np.array_equal(mask, result.mask(name)), name
