"""RTSTRUCT, read back: contours on the slices of the series, names, colours, codes and references."""

import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import torch

from tests.train.inference.files.test_contours import even_odd
from tests.train.inference.segment_cases import affine_of, ball, dicom_series, hounsfield, nifti, result_of
from train.inference.errors import SegmentError
from train.inference.files.colours import structure_colours
from train.inference.files.rtstruct import check_rtstruct, write_rtstruct
from train.inference.prompts import SegmentPrompt
from train.inference.result import SegmentationResult
from train.scans.scan import read_scan

SHAPE = (14, 12, 10)
NAMES = ["left kidney", "renal organ", "spleen", "odd thing"]
PROMPTS = [SegmentPrompt(name, name) for name in NAMES]

pytestmark = pytest.mark.usefixtures("one_thread")


def result_in(folder: Path, axes: str = "LPS", tilt: float = 0) -> SegmentationResult:
    affine = affine_of((1.5, 2, 3), axes)
    affine[1, 2] += tilt
    left, right = ball(SHAPE, (4, 6, 3), 3.2), ball(SHAPE, (10, 6, 6), 2.2)
    shell = torch.minimum(left, -ball(SHAPE, (4, 6, 3), 1.6))
    logits = torch.stack([shell, torch.maximum(left, right) + 1, left - 9, ball(SHAPE, (9, 3, 8), 1.5)])
    return result_of(logits, NAMES, read_scan(dicom_series(folder, hounsfield(SHAPE), affine)))


def read_back(structures: pydicom.Dataset, result: SegmentationResult, name: str) -> np.ndarray:
    """A structure as a mask (X, Y, Z) on the scan's voxels, by the places of its points alone."""
    number = next(roi.ROINumber for roi in structures.StructureSetROISequence if roi.ROIName == name)
    roi = next(roi for roi in structures.ROIContourSequence if roi.ReferencedROINumber == number)
    to_index = np.linalg.inv(np.diag([-1.0, -1, 1, 1]) @ result.scan.affine)
    mask = np.zeros(result.labels.shape, bool)
    for contour in roi.ContourSequence:
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        assert len(points) == contour.NumberOfContourPoints and contour.ContourGeometricType == "CLOSED_PLANAR"
        index = points @ to_index[:3, :3].T + to_index[:3, 3]
        (number,) = set(np.rint(index[:, 2]).astype(int))
        assert np.abs(index[:, 2] - number).max() < 1e-3
        assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID == uid_at(result, number)
        mask[:, :, number] ^= even_odd(index[:, :2], SHAPE[:2])
    return mask


def uid_at(result: SegmentationResult, number: int) -> str:
    return str(pydicom.dcmread(result.scan.dicom_files[number]).SOPInstanceUID)


@pytest.mark.parametrize(("axes", "tilt"), [("LPS", 0), ("LPI", 0), ("LPS", 0.9)])
def test_contours_enclose_the_voxels_of_the_masks(tmp_path: Path, axes: str, tilt: float) -> None:
    result = result_in(tmp_path / "series", axes, tilt)
    assert check_rtstruct(result.scan, PROMPTS) is None
    assert write_rtstruct(result, tmp_path / "rt.dcm") == []
    structures = pydicom.dcmread(tmp_path / "rt.dcm")
    # What has no voxel is no structure; masks that overlap stay whole.
    assert [roi.ROIName for roi in structures.StructureSetROISequence] == ["left kidney", "renal organ", "odd thing"]
    for roi in structures.StructureSetROISequence:
        mask = read_back(structures, result, roi.ROIName)
        assert mask.any() and np.array_equal(mask, result.mask(roi.ROIName)), roi.ROIName


def test_what_it_says_of_the_series_and_of_structures(tmp_path: Path) -> None:
    result = result_in(tmp_path / "series")
    write_rtstruct(result, tmp_path / "rt.dcm")
    structures, image = pydicom.dcmread(tmp_path / "rt.dcm"), pydicom.dcmread(result.scan.dicom_files[0])
    assert (structures.Modality, structures.SOPClassUID.name) == ("RTSTRUCT", "RT Structure Set Storage")
    for name in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert structures[name].value == image[name].value
    (frame,) = structures.ReferencedFrameOfReferenceSequence
    (series,) = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence
    assert series.SeriesInstanceUID == image.SeriesInstanceUID != structures.SeriesInstanceUID
    uids = [item.ReferencedSOPInstanceUID for item in series.ContourImageSequence]
    assert uids == [uid_at(result, number) for number in range(SHAPE[2])]
    colours = structure_colours([(name, name) for name in NAMES])
    assert tuple(structures.ROIContourSequence[0].ROIDisplayColor) == colours["left kidney"]
    (code,) = structures.RTROIObservationsSequence[0].RTROIIdentificationCodeSequence
    assert (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning) == ("64033007", "SCT", "Kidney")
    assert structures.StructureSetROISequence[0].ROIGenerationAlgorithm == "AUTOMATIC"


def test_prompts_without_a_voxel_are_named_without_contours(tmp_path: Path) -> None:
    scan = read_scan(dicom_series(tmp_path / "series", hounsfield(SHAPE), affine_of((1.5, 2, 3), "LPS")))
    write_rtstruct(result_of(-torch.ones(1, *SHAPE), ["spleen"], scan), tmp_path / "rt.dcm")
    structures = pydicom.dcmread(tmp_path / "rt.dcm")
    assert [roi.ROIName for roi in structures.StructureSetROISequence] == ["spleen"]
    assert "ContourSequence" not in structures.ROIContourSequence[0]


def test_long_contours_and_long_names(tmp_path: Path) -> None:
    """A contour of more than 64 kB, which explicit VR cannot hold; a name of 80 characters."""
    shape = (120, 110, 3)
    scan = read_scan(dicom_series(tmp_path / "series", hounsfield(shape), affine_of((0.7, 0.7, 3), "LPS")))
    sponge = torch.tensor(np.random.default_rng(0).random((1, *shape)), dtype=torch.float32) - 0.3
    write_rtstruct(result_of(sponge, ["ä" * 80], scan), tmp_path / "rt.dcm")
    structures = pydicom.dcmread(tmp_path / "rt.dcm")
    assert structures.StructureSetROISequence[0].ROIName == "ä" * 64
    contours = structures.ROIContourSequence[0].ContourSequence
    assert max(len(contour.get_item("ContourData").value) for contour in contours) > 2**16


def test_a_scan_that_is_no_series_is_refused_with_the_way_out(tmp_path: Path) -> None:
    scan = read_scan(nifti(tmp_path / "ct.nii.gz", hounsfield(SHAPE), affine_of((1.5, 2, 3))))
    with pytest.raises(SegmentError, match=r"is no DICOM series, and an RTSTRUCT refers to one: --out mask\.nii\.gz"):
        check_rtstruct(scan, PROMPTS)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy, of the package dicom3tools")
def test_dciodvfy_finds_no_error(tmp_path: Path) -> None:
    write_rtstruct(result_in(tmp_path / "series"), tmp_path / "rt.dcm")
    checked = subprocess.run(["dciodvfy", tmp_path / "rt.dcm"], capture_output=True, text=True, check=False)
    assert "Error" not in checked.stderr + checked.stdout


@pytest.mark.skipif(shutil.which("plastimatch") is None, reason="needs plastimatch")
def test_plastimatch_finds_the_same_voxels(tmp_path: Path) -> None:
    result = result_in(tmp_path / "series")
    write_rtstruct(result, tmp_path / "rt.dcm")
    command = [
        "plastimatch",
        "convert",
        "--input",
        str(tmp_path / "rt.dcm"),
        "--referenced-ct",
        str(tmp_path / "series"),
    ]
    subprocess.run([*command, "--output-prefix", str(tmp_path / "read"), "--prefix-format", "nii.gz"], check=True)
    for name in ("left kidney", "renal organ", "odd thing"):
        read = nibabel.Nifti1Image.from_filename(tmp_path / "read" / f"{name}.nii.gz")
        to_scan = np.linalg.inv(result.scan.affine) @ read.affine
        index = np.rint(np.argwhere(np.asarray(read.dataobj)) @ to_scan[:3, :3].T + to_scan[:3, 3]).astype(int)
        mask = np.zeros(SHAPE, bool)
        mask[tuple(index.T)] = True
        assert np.array_equal(mask, result.mask(name)), name
