"""A CT from DICOM files: the right series, in order, in HU and in its place; what makes up no volume is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from tests.train.scans.test_scan import ct
from train.scans.errors import ScanError
from train.scans.labels import read_label_map
from train.scans.scan import read_scan

SLICES = 8
AFFINE = np.array([[-2.7, 0, 0, 10], [0, -2.8, 0, 20], [0, 0, 2.5, 100], [0, 0, 0, 1]])
DEFAULTS: dict[str, Any] = {
    "StudyInstanceUID": "1.2",
    "SeriesInstanceUID": "1.2.3",
    "Modality": "CT",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [2.8, 2.7],
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 1,
    "RescaleSlope": 1,
    "RescaleIntercept": -1024,
}


def dataset(number: int, **tags: Any) -> Dataset:
    """A CT slice as scanners write it: the number-th of `ct()`, 2.5 mm apart."""
    slice_ = Dataset()
    slice_.file_meta = FileMetaDataset()
    slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_.SOPClassUID = slice_.file_meta.MediaStorageSOPClassUID = CTImageStorage
    slice_.SOPInstanceUID = slice_.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    slice_.ImagePositionPatient = [-10, -20, 100 + 2.5 * number]
    for keyword, value in {**DEFAULTS, **tags}.items():
        setattr(slice_, keyword, value)
    pixels = ct()[:, :, number % SLICES].T
    slice_.Rows, slice_.Columns = pixels.shape
    stored = np.rint((pixels - float(slice_.RescaleIntercept)) / float(slice_.RescaleSlope))
    slice_.PixelData = stored.astype("<i2").tobytes()
    return slice_


def series(folder: Path, tags: Callable[[int], dict[str, Any]] = lambda number: {}, count: int = SLICES) -> Path:
    """A folder of slices whose names are in another order than they lie."""
    folder.mkdir(parents=True)
    for number in range(count):
        dataset(number, **tags(number)).save_as(folder / f"im{number * 5 % count}", enforce_file_format=True)
    return folder


def edit_file(path: Path, change: Callable[[Dataset], Any]) -> None:
    slice_ = pydicom.dcmread(path)
    change(slice_)
    slice_.save_as(path)


def error_of(path: Path) -> str:
    with pytest.raises(ScanError) as error:
        read_scan(path)
    assert str(path if path.is_dir() else path.parent) in str(error.value)
    return str(error.value)


def test_slices_are_sorted_by_place_and_given_in_hu(tmp_path: Path) -> None:
    scan = read_scan(series(tmp_path / "ct"))
    assert scan.kind == "dicom" and scan.warnings == () and scan.path == tmp_path / "ct"
    assert scan.voxels.dtype == np.float32 and np.array_equal(scan.voxels, ct())
    assert [file.name for file in scan.dicom_files] == [f"im{number * 5 % 8}" for number in range(8)]
    np.testing.assert_allclose(scan.affine, AFFINE)


def test_the_place_in_space_is_that_of_simpleitk(tmp_path: Path) -> None:
    across, down = np.array([0.8, 0.36, 0.48]), np.array([-0.6, 0.48, 0.64])
    normal = np.cross(across, down)
    tags = {"ImageOrientationPatient": [*across, *down]}
    folder = series(
        tmp_path / "ct", lambda n: {**tags, "ImagePositionPatient": [round(v, 6) for v in [5, 6, 7] - 3.0 * n * normal]}
    )
    scan = read_scan(folder)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in scan.dicom_files])
    image = reader.Execute()
    assert np.array_equal(SimpleITK.GetArrayFromImage(image).T, scan.voxels)
    for corner in ((0, 0, 0), (11, 0, 0), (0, 9, 0), (0, 0, 7), (11, 9, 7)):
        left, back, up = image.TransformIndexToPhysicalPoint(corner)
        np.testing.assert_allclose(scan.affine @ [*corner, 1], [-left, -back, up, 1], atol=1e-4)


def test_each_slice_has_its_own_slope(tmp_path: Path) -> None:
    scan = read_scan(series(tmp_path / "ct", lambda number: {"RescaleSlope": [1, 0.5][number % 2]}))
    assert np.array_equal(scan.voxels, ct())


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_pixels_are_decoded(tmp_path: Path, syntax: str) -> None:
    folder = series(tmp_path / "ct")
    for file in folder.iterdir():
        edit_file(file, lambda slice_: slice_.compress(syntax))
    assert np.array_equal(read_scan(folder).voxels, ct())


def test_old_files_without_a_preamble_are_read(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    for file in folder.iterdir():
        bare = Dataset()
        bare.update(pydicom.dcmread(file))
        pydicom.dcmwrite(file, bare, implicit_vr=True, little_endian=True)
        assert file.read_bytes()[128:132] != b"DICM"
    assert np.array_equal(read_scan(folder).voxels, ct())


def test_an_enhanced_multi_frame_image_is_read(tmp_path: Path) -> None:
    frames = dataset(0)
    frames.NumberOfFrames = SLICES
    order = [3, 0, 7, 2, 1, 5, 6, 4]
    shared, pixels = Dataset(), ct().T[order] + 1024
    for sequence, tags in (
        ("PlaneOrientationSequence", {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}),
        ("PixelMeasuresSequence", {"PixelSpacing": [2.8, 2.7], "SliceThickness": 2.5}),
        ("PixelValueTransformationSequence", {"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU"}),
    ):
        setattr(shared, sequence, [item(**tags)])
    frames.SharedFunctionalGroupsSequence = [shared]
    frames.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[-10, -20, 100 + 2.5 * number])]) for number in order
    ]
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(frames, keyword)
    frames.SOPClassUID = frames.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    frames.PixelData = pixels.astype("<i2").tobytes()
    frames.save_as(tmp_path / "ct.dcm", enforce_file_format=True)
    scan = read_scan(tmp_path / "ct.dcm")
    assert np.array_equal(scan.voxels, ct()) and scan.dicom_files == (tmp_path / "ct.dcm",)
    np.testing.assert_allclose(scan.affine, AFFINE)


def item(**tags: Any) -> Dataset:
    element = Dataset()
    for keyword, value in tags.items():
        setattr(element, keyword, value)
    return element


def test_of_several_series_one_is_named_by_any_of_its_files(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    dataset(0, SeriesInstanceUID="1.9", SeriesDescription="lung kernel").save_as(
        folder / "other1", enforce_file_format=True
    )
    dataset(1, SeriesInstanceUID="1.9", SeriesDescription="lung kernel").save_as(
        folder / "other2", enforce_file_format=True
    )
    message = error_of(folder)
    assert (
        "2 series" in message and f"{folder / 'other1'} (CT, lung kernel, 2 files)" in message and "im0 (CT" in message
    )
    assert np.array_equal(read_scan(folder / "im3").voxels, ct())
    assert read_scan(folder / "other2").voxels.shape == (12, 10, 2)


def test_what_lies_beside_a_ct_and_is_none_is_passed_over(tmp_path: Path) -> None:
    folder = series(tmp_path / "study" / "ct")
    dataset(0, SeriesInstanceUID="1.7", Modality="SEG").save_as(tmp_path / "study" / "seg", enforce_file_format=True)
    dataset(0, SeriesInstanceUID="1.8", Modality="PT").save_as(tmp_path / "study" / "pet", enforce_file_format=True)
    scout = dataset(0, SeriesInstanceUID="1.9", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    scout.save_as(tmp_path / "study" / "scout", enforce_file_format=True)
    (folder / "notes.txt").write_text("nothing")
    assert np.array_equal(read_scan(tmp_path / "study").voxels, ct())
    assert "only localizers" in error_of(tmp_path / "study" / "scout")
    assert "modality is MR" in read_scan(series(tmp_path / "mr", lambda number: {"Modality": "MR"})).warnings[0]


def test_localizers_within_the_series_are_left_out_and_named(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    scout = dataset(0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    scout.save_as(folder / "scout", enforce_file_format=True)
    scan = read_scan(folder)
    assert np.array_equal(scan.voxels, ct()) and "scout" in scan.warnings[0]


def test_files_that_have_lost_the_uid_of_their_series_belong_together(tmp_path: Path) -> None:
    assert np.array_equal(read_scan(series(tmp_path / "ct", lambda number: {"SeriesInstanceUID": ""})).voxels, ct())


def test_a_missing_slice_is_refused_with_its_neighbours(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    (folder / "im7").unlink()
    assert "between im2 and im4, 5 mm apart, not 2.5" in error_of(folder)


def test_a_copy_of_a_slice_is_taken_once_and_told(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    shutil.copy(folder / "im3", folder / "im3 copy")
    scan = read_scan(folder)
    assert np.array_equal(scan.voxels, ct()) and scan.warnings == (
        f"{folder}: copies of the series are left out: im3 copy",
    )
    edit_file(folder / "im3 copy", lambda slice_: setattr(slice_, "SeriesDescription", "sent again"))
    assert np.array_equal(read_scan(folder).voxels, ct())
    edit_file(folder / "im3 copy", lambda slice_: setattr(slice_, "PixelData", bytes(len(slice_.PixelData))))
    assert "im3 copy: has the SOPInstanceUID (0008,0018) of im3, but other pixels" in error_of(folder)


def test_several_phases_are_refused(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    shutil.copy(folder / "im3", folder / "phase")
    edit_file(folder / "phase", lambda slice_: setattr(slice_, "SOPInstanceUID", "1.2.77"))
    assert "copies of the series are left out: phase" in read_scan(folder).warnings[0]
    edit_file(folder / "phase", lambda slice_: setattr(slice_, "PixelData", bytes(len(slice_.PixelData))))
    assert "im3 and phase" in error_of(folder) or "phase and im3" in error_of(folder)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.8, -0.6]}, "1 of 9 slices have another direction"),
        ({"PixelSpacing": [0.9, 0.9]}, "another pixel spacing (0.9 x 0.9, not 2.8 x 2.7): odd"),
    ],
)
def test_a_slice_of_another_geometry_is_refused(tmp_path: Path, tags: dict[str, Any], message: str) -> None:
    folder = series(tmp_path / "ct")
    dataset(8, **tags).save_as(folder / "odd", enforce_file_format=True)
    assert message in error_of(folder)


def test_uneven_distances_are_refused_but_for_rounding(tmp_path: Path) -> None:
    def at(shift: Callable[[int], float]) -> Callable[[int], dict[str, Any]]:
        return lambda number: {"ImagePositionPatient": [0, 0, round(2.5 * number + shift(number), 6)]}

    assert read_scan(series(tmp_path / "a", at(lambda number: 0.02 * (number % 2)))).warnings == ()
    assert "not lie at even distances" in error_of(series(tmp_path / "b", at(lambda number: 0.8 * (number > 4))))


def test_a_tilted_gantry_is_told_and_its_place_kept(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct", lambda number: {"ImagePositionPatient": [0, 0.5 * number, 2.5 * number]})
    scan = read_scan(folder)
    assert "tilted by 11.3 degrees" in scan.warnings[0]
    np.testing.assert_allclose(scan.affine @ [0, 0, 6, 1], [0, -3, 15, 1], atol=1e-9)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_slice_that_does_not_say_where_it_lies_is_refused(tmp_path: Path, keyword: str) -> None:
    folder = series(tmp_path / "ct")
    edit_file(folder / "im3", lambda slice_: delattr(slice_, keyword))
    assert f"im3: {keyword} is missing" in error_of(folder)


def test_damaged_slices_are_refused(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    content = (folder / "im3").read_bytes()
    (folder / "im3").write_bytes(content[:-100])
    assert "im3: cut off or damaged, (7FE0,0010) says" in error_of(folder)
    # The last slice: left out silently, the volume would only be shorter.
    (folder / "im3").write_bytes(content[:420])
    assert "im3: " in error_of(folder) and "cut off" in error_of(folder)


def test_pictures_and_single_slices_are_refused(tmp_path: Path) -> None:
    def colours(slice_: Dataset) -> None:
        slice_.SamplesPerPixel, slice_.PhotometricInterpretation, slice_.PlanarConfiguration = 3, "RGB", 0
        slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 8, 8, 7, 0
        slice_.PixelData = bytes(3 * 120)

    folder = series(tmp_path / "ct")
    for file in folder.iterdir():
        edit_file(file, colours)
    assert "a picture in colours" in error_of(folder)
    assert "only im0" in error_of(series(tmp_path / "one", count=1))


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    assert "no DICOM image here" in error_of(tmp_path)


def test_a_real_series_lies_under_its_mask(shared_data: Path) -> None:
    folder = shared_data / "volumes" / "totalsegmentator"
    scan = read_scan(folder / "example_ct_dicom")
    assert scan.voxels.shape == (512, 512, 20) and scan.warnings == () and len(scan.dicom_files) == 20
    labels = read_label_map(folder / "example_ct_dicom_seg.nii.gz", scan)
    classes = {"spleen": (1, 80), "liver": (5, 89), "aorta": (52, 177)}
    for label, expected in classes.values():
        assert float(scan.voxels[labels == label].mean()) == pytest.approx(expected, abs=1)
    assert np.array_equal(read_scan(scan.dicom_files[7]).affine, scan.affine)


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({"Rows": 65535, "Columns": 65535}, "Rows is 65535 and Columns is 65535; the finest CT slices"),
        ({"Rows": 0}, "Rows is 0"),
        ({"Rows": 4000}, "its header says .* x 4000 x 1 voxels, .* holds .* at most"),
        (
            {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0},
            "colours|cannot be decoded|its pixels",
        ),
    ],
)
def test_an_image_that_promises_too_much_is_refused(tmp_path: Path, tags: dict[str, Any], problem: str) -> None:
    folder = series(tmp_path / "ct")
    for path in folder.iterdir():
        dataset_of_file = pydicom.dcmread(path)
        for name, value in tags.items():
            setattr(dataset_of_file, name, value)
        dataset_of_file.save_as(path)
    with pytest.raises(ScanError, match=problem):
        read_scan(folder)


def test_a_damaged_deflated_file_is_refused_by_name(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    first = min(path for path in folder.iterdir())
    deflated = pydicom.dcmread(first)
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    deflated.save_as(first)
    raw = first.read_bytes()
    begin = 144 + int.from_bytes(raw[140:144], "little")
    first.write_bytes(raw[:begin] + b"\xff" * 100)
    with pytest.raises(ScanError, match=rf"{first}: a deflated DICOM file, and damaged"):
        read_scan(folder)


def changed(folder: Path, names: slice, change: Callable[[Dataset], None]) -> Path:
    for path in sorted(folder.iterdir())[names]:
        header = pydicom.dcmread(path)
        change(header)
        header.save_as(path)
    return folder


def test_a_slice_without_the_rescaling_of_the_others_is_refused_by_name(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    first = min(folder.iterdir())
    changed(folder, slice(0, 1), lambda header: delattr(header, "RescaleIntercept"))
    problem = rf"{first}: RescaleIntercept \(0028,1052\) or .* is missing, which 7 of the 8 slices"
    with pytest.raises(ScanError, match=problem):
        read_scan(folder)


def test_values_that_are_no_hu_are_told_by_their_type(tmp_path: Path) -> None:
    for number, (unit, told) in enumerate({"HU": False, "US": False, "MGML": True, "Z_EFF": True}.items()):
        folder = series(tmp_path / str(number))
        changed(folder, slice(None), lambda header, unit=unit: setattr(header, "RescaleType", unit))  # type: ignore[misc]
        warnings = read_scan(folder).warnings
        assert any(f"its values are {unit} by RescaleType (0028,1054), not HU" in text for text in warnings) == told


def test_a_table_of_values_is_refused(tmp_path: Path) -> None:
    folder = changed(
        series(tmp_path / "ct"), slice(None), lambda header: setattr(header, "ModalityLUTSequence", [Dataset()])
    )
    with pytest.raises(ScanError, match=r"ModalityLUTSequence \(0028,3000\)"):
        read_scan(folder)
