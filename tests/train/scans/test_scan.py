"""Volumes from NIfTI, MetaImage and NRRD: what is read, refused or warned about; label maps on a scan's axes."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK

from train.scans.errors import ScanError
from train.scans.scan import read_scan

AFFINE = np.array([[-2.5, 0, 0, 40], [0, 2.5, 0, -30], [0, 0, 3, 7], [0, 0, 0, 1.0]])


def ct(shape: tuple[int, ...] = (12, 10, 8)) -> np.ndarray[Any, Any]:
    """Air and tissue, int16 HU, no two voxels in a row alike."""
    voxels = np.random.default_rng(3).normal(40, 60, shape).clip(-300, 900)
    voxels[:4] = -1000
    return voxels.astype(np.int16)


def nifti(path: Path, array: np.ndarray[Any, Any], affine: np.ndarray[Any, Any] = AFFINE) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, affine, dtype=array.dtype), path)
    return path


def load_nifti(path: Path) -> Any:
    """Load a file with nibabel, as a type that has all attributes."""
    return nibabel.load(path)


def patch_header(path: Path, **fields: Any) -> Path:
    """Set fields of the header to values that nibabel itself would not write."""
    header = load_nifti(path).header
    header["vox_offset"] = 352
    for field, value in fields.items():
        header[field] = value
    data = path.read_bytes()
    path.write_bytes(header.binaryblock + data[348:])
    return path


def test_a_nifti_file_gives_its_voxels_affine_and_spacing(tmp_path: Path) -> None:
    scan = read_scan(nifti(tmp_path / "ct.nii.gz", ct()))
    assert scan.kind == "nifti" and scan.warnings == () and scan.dicom_files == ()
    assert scan.voxels.dtype == np.float32 and np.array_equal(scan.voxels, ct())
    assert np.array_equal(scan.affine, AFFINE) and scan.spacing_mm == (2.5, 2.5, 3.0)


@pytest.mark.parametrize("dtype", ["int16", "int32", "int64", "float32", "float64", ">i2", ">f4"])
def test_any_number_type_is_read(tmp_path: Path, dtype: str) -> None:
    assert np.array_equal(read_scan(nifti(tmp_path / "ct.nii", ct().astype(dtype))).voxels, ct())


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    stored = nifti(tmp_path / "ct.nii", ((ct() + 1024) // 2).astype(np.uint16))
    assert "nothing is below" in read_scan(stored).warnings[0]
    scan = read_scan(patch_header(stored, scl_slope=2, scl_inter=-1024))
    assert np.array_equal(scan.voxels, (ct() + 1024) // 2 * 2.0 - 1024) and scan.warnings == ()


def test_what_is_gzipped_is_seen_from_the_file_not_from_its_name(tmp_path: Path) -> None:
    packed = nifti(tmp_path / "ct.nii.gz", ct()).read_bytes()
    (tmp_path / "packed.nii").write_bytes(packed)
    (tmp_path / "plain.nii.gz").write_bytes(gzip.decompress(packed))
    for name in ("packed.nii", "plain.nii.gz"):
        assert np.array_equal(read_scan(tmp_path / name).voxels, ct())


def test_one_volume_of_four_dimensions_is_a_volume(tmp_path: Path) -> None:
    assert read_scan(nifti(tmp_path / "ct.nii", ct()[..., None])).voxels.shape == (12, 10, 8)


@pytest.mark.parametrize(
    ("ending", "kind"), [("mha", "metaimage"), ("mhd", "metaimage"), ("nrrd", "nrrd"), ("nhdr", "nrrd")]
)
def test_metaimage_and_nrrd_lie_where_simpleitk_has_them(tmp_path: Path, ending: str, kind: str) -> None:
    image = SimpleITK.GetImageFromArray(ct().T)
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin((1, 2, 3))
    image.SetDirection((0, 0.6, 0.8, -1, 0, 0, 0, -0.8, 0.6))
    SimpleITK.WriteImage(image, str(tmp_path / f"ct.{ending}"))
    scan = read_scan(tmp_path / f"ct.{ending}")
    assert np.array_equal(scan.voxels, ct()) and scan.kind == kind
    left, back, up = image.TransformIndexToPhysicalPoint((5, 6, 7))
    np.testing.assert_allclose(scan.affine @ [5, 6, 7, 1], [-left, -back, up, 1], atol=1e-6)


def test_padding_is_lifted_to_air_where_the_rest_is_hu(tmp_path: Path) -> None:
    voxels = ct()
    voxels[:2] = -32768
    scan = read_scan(nifti(tmp_path / "ct.nii", voxels))
    assert scan.voxels.min() == -1024 and scan.warnings == ()
    assert np.array_equal(scan.voxels[2:], voxels[2:])


def test_intensities_that_are_not_hu_are_told_with_the_file(tmp_path: Path) -> None:
    scan = read_scan(nifti(tmp_path / "ct.nii", np.abs(ct()).clip(0, 255).astype(np.uint8)))
    assert scan.warnings[0].startswith(f"{tmp_path / 'ct.nii'}: intensities from 0 to 255")


COLOURS = np.zeros((5, 6, 7), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
NOT_NUMBERS = np.where(np.arange(960).reshape(12, 10, 8) < 3, np.nan, 1.0).astype(np.float32)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (ct()[:, :, 0], "at least 2 slices is needed, this image is 12 x 10[.] Give the whole CT"),
        (ct()[:, :, :1], "at least 2 slices is needed, this image is 12 x 10 x 1"),
        (np.stack([ct(), ct()], -1), r"several volumes in one file \(12 x 10 x 8 x 2\)"),
        (COLOURS, "3 numbers for each voxel"),
        (ct().astype(np.complex64), "complex64"),
        (NOT_NUMBERS, "3 of 960 voxels are not finite"),
        (np.full((4, 5, 6), -1000, np.int16), "every voxel is -1000"),
    ],
)
def test_what_is_no_volume_is_refused(tmp_path: Path, array: np.ndarray[Any, Any], message: str) -> None:
    with pytest.raises(ScanError, match=message) as error:
        read_scan(nifti(tmp_path / "ct.nii", array))
    assert str(tmp_path / "ct.nii") in str(error.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"srow_x": [0, 1.5, 0, 0]}, r"spacing of 0 mm \(0, "),
        ({"srow_x": [1.5, 1.5, 0, 0], "srow_y": [1.5, 1.5, 0, 0]}, "singular"),
        ({"srow_x": np.nan}, "not a number"),
        ({"sform_code": 0, "qform_code": 0, "pixdim": [1, 1, 1, 1, 0, 0, 0, 0]}, "nor its voxel spacing"),
    ],
)
def test_a_geometry_that_cannot_be_used_is_refused(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    path = patch_header(nifti(tmp_path / "ct.nii", ct()), **fields)
    with pytest.raises(ScanError, match=message) as error:
        read_scan(path)
    assert str(path) in str(error.value)


def test_a_blank_header_is_read_when_the_caller_insists(tmp_path: Path) -> None:
    path = patch_header(nifti(tmp_path / "ct.nii", ct(), np.eye(4)), sform_code=0, qform_code=0)
    with pytest.raises(ScanError, match="CT-RATE"):
        read_scan(path)
    scan = read_scan(path, allow_suspicious=True)
    assert scan.spacing_mm == (1.0, 1.0, 1.0)
    assert "nor its voxel spacing" in scan.warnings[0]


@pytest.mark.parametrize(
    ("affine", "fields", "message"),
    [
        (AFFINE, {"sform_code": 0, "qform_code": 0}, "left and right may be exchanged"),
        (np.eye(4), {}, "the identity"),
        (AFFINE, {"qform_code": 1, "qoffset_x": 80}, "different things"),
    ],
)
def test_a_doubtful_header_is_a_warning(tmp_path: Path, affine: Any, fields: dict[str, Any], message: str) -> None:
    (warning,) = read_scan(patch_header(nifti(tmp_path / "ct.nii", ct((24, 22, 20)), affine), **fields)).warnings
    assert message in warning and str(tmp_path) in warning


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "mha", "nrrd"])
@pytest.mark.parametrize(
    "damage", [half, lambda data: data[:30], lambda data: b"", lambda data: b"Dear colleague" * 40]
)
def test_a_damaged_file_is_refused(tmp_path: Path, ending: str, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"ct.{ending}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(ct().T), str(path))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ScanError, match="export it once more") as error:
        read_scan(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_colours_and_several_volumes_in_a_metaimage_are_refused(tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(ct().T)
    SimpleITK.WriteImage(SimpleITK.Compose(image, image, image), str(tmp_path / "colours.mha"))
    SimpleITK.WriteImage(SimpleITK.JoinSeries([image, image]), str(tmp_path / "two.mha"))
    for name, message in (("colours.mha", "3 numbers"), ("two.mha", "several volumes")):
        with pytest.raises(ScanError, match=message):
            read_scan(tmp_path / name)


def test_what_is_not_there_or_another_format_says_which_there_are(tmp_path: Path) -> None:
    (tmp_path / "ct.csv").write_text("id,path\n" * 30)
    for name in ("ct.csv", "nothing.nii.gz", "nothing"):
        with pytest.raises(ScanError, match=r"\.nii\.gz.*DICOM series"):
            read_scan(tmp_path / name)


def test_real_volumes_are_hu_but_for_the_windowed_heads(shared_data: Path) -> None:
    folder = shared_data / "volumes"
    for path in (
        *folder.glob("elastix_lung/*_small.mha"),
        folder / "totalsegmentator" / "example_ct.nii.gz",
        *folder.glob("soft_tissue_sarcoma/*/CT_image.nii.gz"),
    ):
        assert read_scan(path).warnings == ()
    for path in folder.glob("head_oblique/*.nii.gz"):
        assert len(read_scan(path).warnings) == 1
