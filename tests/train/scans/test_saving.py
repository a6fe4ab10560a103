"""Masks and label maps as NIfTI: on the scan's own grid, whole or not at all."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK

from tests.train.scans.test_scan import AFFINE, ct, load_nifti, nifti, patch_header
from train.scans.errors import ScanError
from train.scans.saving import save_nifti
from train.scans.scan import read_scan

LABELS = (np.arange(960).reshape(12, 10, 8) % 5).astype(np.int16)


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask.nii"])
def test_what_is_saved_is_read_again(tmp_path: Path, name: str) -> None:
    for array in (LABELS, LABELS > 2, LABELS.astype(np.float32) / 7, LABELS.astype(np.uint8)):
        save_nifti(tmp_path / name, array, AFFINE)
        image = load_nifti(tmp_path / name)
        assert np.array_equal(np.asanyarray(image.dataobj), array) and np.array_equal(image.affine, AFFINE)
        assert image.get_data_dtype() == (np.uint8 if array.dtype == np.bool_ else array.dtype)
        assert image.header["sform_code"] == image.header["qform_code"] == 1
        assert image.header.get_xyzt_units()[0] == "mm"
    save_nifti(tmp_path / name, LABELS.astype(np.float16), AFFINE)
    assert load_nifti(tmp_path / name).get_data_dtype() == np.float32


def test_every_reader_finds_the_same_place(tmp_path: Path) -> None:
    save_nifti(tmp_path / "mask.nii.gz", LABELS, AFFINE)
    left, back, up = SimpleITK.ReadImage(str(tmp_path / "mask.nii.gz")).TransformIndexToPhysicalPoint((3, 4, 5))
    np.testing.assert_allclose(AFFINE @ [3, 4, 5, 1], [-left, -back, up, 1], atol=1e-4)


@pytest.mark.parametrize("codes", [(0, 2), (1, 0), (1, 1), (2, 4)])
def test_the_scans_own_header_places_the_mask(tmp_path: Path, codes: tuple[int, int]) -> None:
    image = nibabel.Nifti1Image(ct(), AFFINE)
    image.set_qform(AFFINE, codes[0])
    image.set_sform(AFFINE, codes[1])
    image.header["cal_max"], image.header["descrip"], image.header["intent_name"] = 240, b"CT", b"HU"
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "ct.nii")
    patch_header(tmp_path / "ct.nii", scl_slope=1, scl_inter=-3)
    scan = read_scan(tmp_path / "ct.nii")
    save_nifti(tmp_path / "mask.nii.gz", LABELS, scan.affine, like=scan)
    header = load_nifti(tmp_path / "mask.nii.gz").header
    assert scan.header is not None
    for field in ("qform_code", "sform_code", "srow_x", "srow_y", "quatern_b", "qoffset_x", "pixdim", "xyzt_units"):
        assert np.array_equal(header[field], scan.header[field]), field
    for field in ("cal_max", "descrip", "intent_name"):
        assert not header[field].item(), field
    saved = load_nifti(tmp_path / "mask.nii.gz")
    assert np.array_equal(np.asanyarray(saved.dataobj), LABELS) and saved.get_data_dtype() == np.int16
    assert scan.header.get_data_dtype() == np.int16 and scan.header["cal_max"] == 240


@pytest.mark.parametrize("codes", [(0, 2), (1, 0), (2, 4)])
def test_the_mask_of_a_nifti_2_scan_is_nifti_1_in_its_place(tmp_path: Path, codes: tuple[int, int]) -> None:
    image = nibabel.Nifti2Image(ct(), AFFINE)
    image.set_qform(AFFINE, codes[0])
    image.set_sform(AFFINE, codes[1])
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "ct.nii")
    scan = read_scan(tmp_path / "ct.nii")
    save_nifti(tmp_path / "mask.nii", LABELS, scan.affine, like=scan)
    saved = load_nifti(tmp_path / "mask.nii")
    assert type(saved) is nibabel.Nifti1Image and np.array_equal(np.asanyarray(saved.dataobj), LABELS)
    np.testing.assert_allclose(saved.affine, AFFINE, atol=1e-4)
    for field in ("qform_code", "sform_code", "pixdim", "xyzt_units", "quatern_b", "srow_x"):
        np.testing.assert_allclose(saved.header[field], image.header[field], rtol=1e-6, err_msg=field)
    left, back, up = SimpleITK.ReadImage(str(tmp_path / "mask.nii")).TransformIndexToPhysicalPoint((3, 4, 5))
    np.testing.assert_allclose(AFFINE @ [3, 4, 5, 1], [-left, -back, up, 1], atol=1e-4)


def test_a_volume_that_nifti_1_cannot_hold_stays_nifti_2(tmp_path: Path) -> None:
    labels = np.zeros((40_000, 2, 2), np.uint8)
    nibabel.save(nibabel.Nifti2Image(labels, AFFINE), tmp_path / "long.nii")
    like = nibabel.load(tmp_path / "long.nii")
    save_nifti(tmp_path / "mask.nii", labels, AFFINE, like=like)  # type: ignore[arg-type]  # nibabel's header is untyped
    assert isinstance(load_nifti(tmp_path / "mask.nii"), nibabel.Nifti2Image)


def test_on_another_grid_the_scans_header_is_not_used(tmp_path: Path) -> None:
    scan = read_scan(nifti(tmp_path / "ct.nii", ct()))
    coarser = AFFINE @ np.diag([2, 2, 2, 1])
    save_nifti(tmp_path / "mask.nii", LABELS[::2, ::2, ::2], coarser, like=scan)
    assert np.array_equal(load_nifti(tmp_path / "mask.nii").affine, coarser)


def test_a_tilted_gantry_is_in_the_sform_alone(tmp_path: Path) -> None:
    sheared = AFFINE.copy()
    sheared[1, 2] = 0.8
    save_nifti(tmp_path / "mask.nii", LABELS, sheared)
    header = load_nifti(tmp_path / "mask.nii").header
    np.testing.assert_allclose(header.get_best_affine(), sheared, atol=1e-6)
    assert header["qform_code"] == 0 and header["sform_code"] == 1


def test_an_extension_travels_with_the_mask(tmp_path: Path) -> None:
    content = json.dumps({"labels": {"1": "left kidney"}}).encode()
    save_nifti(tmp_path / "mask.nii.gz", LABELS, AFFINE, extensions={6: content})
    image = load_nifti(tmp_path / "mask.nii.gz")
    (extension,) = image.header.extensions
    assert extension.get_code() == 6 and json.loads(bytes(extension.content)) == {"labels": {"1": "left kidney"}}
    assert np.array_equal(np.asanyarray(image.dataobj), LABELS)


def test_the_same_mask_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        save_nifti(tmp_path / name, LABELS, AFFINE)
    packed = (tmp_path / "a.nii.gz").read_bytes()
    assert packed == (tmp_path / "b.nii.gz").read_bytes()
    # RFC 1952: flags, of which the fourth bit says that a file name follows, and the time.
    assert packed[3] & 8 == 0 and packed[4:8] == bytes(4)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_nifti(tmp_path / "mask.nii.gz", LABELS, AFFINE)
    before = (tmp_path / "mask.nii.gz").read_bytes()

    def full(descriptor: int) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_nifti(tmp_path / "mask.nii.gz", LABELS + 1, AFFINE)
    assert [path.name for path in tmp_path.iterdir()] == ["mask.nii.gz"]
    assert (tmp_path / "mask.nii.gz").read_bytes() == before


def test_a_name_or_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    for name, message in (("mask.mha", "ends in .nii.gz"), ("nowhere/mask.nii.gz", "no such folder")):
        with pytest.raises(ScanError, match=message):
            save_nifti(tmp_path / name, LABELS, AFFINE)
