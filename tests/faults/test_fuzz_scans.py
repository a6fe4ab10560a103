"""Scans that were damaged at random: read, or refused in our words; never another error, never another's memory."""

import io
import random
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from tests.faults.odd_headers import odd_dicom, odd_nifti, odd_text
from tests.faults.trials import Trials, count, drawn
from tests.train.scans.dicom.test_series import series
from train.scans.errors import ScanError
from train.scans.scan import Scan, read_scan

VOXELS = np.random.default_rng(0).normal(0, 300, (6, 7, 8)).astype(np.int16)


def stored(name: str, folder: Path, spacing: float = 2) -> bytes:
    """Return a small scan as a file of the format that its name ends in."""
    path = folder / f"whole-{name}"
    if ".nii" in name:
        nibabel.save(nibabel.Nifti1Image(VOXELS, np.diag([spacing, spacing, spacing + 1, 1])), path)
    else:
        image = SimpleITK.GetImageFromArray(VOXELS)
        image.SetSpacing((spacing, spacing, spacing + 1))
        SimpleITK.WriteImage(image, str(path), useCompression="packed" in name)
    return path.read_bytes()


def damaged(whole: bytes, header: int, chance: random.Random) -> bytes:
    """Return a file with some bytes changed, most of them in its header, and sometimes cut off."""
    raw = io.BytesIO(whole)
    for _ in range(chance.randint(1, 4)):
        raw.seek(chance.randrange(header if chance.random() < 0.8 else len(whole)))
        raw.write(bytes(chance.randrange(256) for _ in range(chance.choice((1, 1, 2, 4)))))
    content = raw.getvalue()
    return content[: chance.randrange(len(content))] if chance.random() < 0.2 else content


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "packed.mha", "a.nrrd", "packed.nrrd"])
def test_a_damaged_scan_is_read_or_refused(trials: Trials, tmp_path: Path, name: str) -> None:
    whole, chance, path = stored(name, tmp_path), drawn(name), tmp_path / name
    trial = trials[f"a damaged scan: {name.partition('.')[2]}"]
    for _ in range(count(of_all=2_000, of_every_run=25)):
        path.write_bytes(damaged(whole, min(len(whole), 400), chance))
        try:
            assert read_scan(path, allow_suspicious=True).voxels.ndim == 3
        except ScanError as error:
            assert name in str(error), error
        trial.passed()


def test_a_damaged_slice_of_a_series_is_read_or_refused(trials: Trials, tmp_path: Path) -> None:
    trial, chance, folder = trials["a damaged scan: DICOM"], drawn("DICOM"), series(tmp_path / "ct", count=3)
    path = folder / "im1"
    whole = path.read_bytes()
    header = whole.index(b"\xe0\x7f\x10\x00") + 12
    for _ in range(count(of_all=2_000, of_every_run=25)):
        path.write_bytes(damaged(whole, header, chance))
        try:
            assert read_scan(folder, allow_suspicious=True).voxels.ndim == 3
        except ScanError as error:
            assert str(folder) in str(error), error
        trial.passed()


NET = "cannot be read as a scan"
LARGEST_MM, MOST_HU = 3000.0, 100_000.0


def independent(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Voxels (X, Y, Z) and affine to RAS by another reader; None where that fails."""
    try:
        if path.suffix == ".nii":
            image: Any = nibabel.load(path)
            unit = {1: 1e3, 3: 1e-3}.get(int(image.header["xyzt_units"]) & 7, 1.0)
            return image.get_fdata().reshape(image.shape[:3]), np.diag([unit, unit, unit, 1]) @ image.affine
        stored = SimpleITK.ReadImage(str(path))
    except (RuntimeError, ValueError, ImageFileError, OSError, HeaderDataError):
        return None
    direction, spacing = np.reshape(stored.GetDirection(), (3, 3)), np.array(stored.GetSpacing())
    affine = np.eye(4)
    affine[:3] = np.column_stack([direction * spacing, stored.GetOrigin()])
    return SimpleITK.GetArrayFromImage(stored).transpose(), np.diag([-1.0, -1, 1, 1]) @ affine


def check_right(scan: Scan, other: tuple[np.ndarray, np.ndarray] | None) -> None:
    """Fail where a scan is not what another reader makes of it, unless something was said of it."""
    extent = np.array(scan.voxels.shape) * scan.spacing_mm
    assert np.isfinite(scan.voxels).all() and np.abs(scan.voxels).max() <= MOST_HU and extent.max() <= LARGEST_MM
    if other is None:
        return
    voxels, affine = other
    assert scan.voxels.shape == voxels.shape
    np.testing.assert_allclose(scan.voxels, np.maximum(voxels, scan.voxels.min()), rtol=1e-5, atol=1e-2)
    if not any("converted to mm" in text or "qform" in text or "negative" in text for text in scan.warnings):
        np.testing.assert_allclose(scan.affine, affine, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ["a.nii", "a.mha", "a.nrrd"])
def test_a_header_with_odd_values_is_right_or_refused(
    trials: Trials, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    whole, chance, path = stored(name, tmp_path, spacing=5), drawn(f"odd {name}"), tmp_path / name
    trial = trials[f"odd values in the header of a scan: {name.partition('.')[2]}"]
    make = odd_nifti if name.endswith("nii") else odd_text
    for _ in range(count(of_all=2_000, of_every_run=40)):
        path.write_bytes(make(whole, chance))
        try:
            check_right(read_scan(path), independent(path))
        except ScanError as error:
            assert str(path) in str(error) and NET not in str(error) and str(error).count(". ") >= 1, error
        lines = capfd.readouterr()
        assert lines.out == "", lines
        trial.passed()


def check_slices(scan: Scan) -> None:
    """Fail where a slice has not the HU and the place that pydicom gives it."""
    check_right(scan, None)
    for number, file in enumerate(scan.dicom_files):
        header = pydicom.dcmread(file)
        lies = np.diag([-1.0, -1, 1, 1]) @ scan.affine @ [0, 0, number, 1]
        np.testing.assert_allclose(lies[:3], [float(value) for value in header.ImagePositionPatient], atol=0.3)
        try:
            stored_pixels = header.pixel_array
        except (ValueError, KeyError, AttributeError, TypeError, NotImplementedError):
            continue  # pydicom asks for more tags than a picture needs
        slope, intercept = float(header.get("RescaleSlope") or 1), float(header.get("RescaleIntercept") or 0)
        pixels = np.maximum(stored_pixels.T * slope + intercept, scan.voxels.min())
        np.testing.assert_allclose(scan.voxels[:, :, number], pixels, rtol=1e-5, atol=1e-2)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # pydicom's, while the tag is made odd
def test_a_slice_with_odd_tags_is_right_or_refused(trials: Trials, tmp_path: Path) -> None:
    trial, chance, folder = trials["odd values in the header of a scan: DICOM"], drawn("odd DICOM"), tmp_path / "ct"
    whole = {file.name: file.read_bytes() for file in series(folder, count=4).iterdir()}
    for _ in range(count(of_all=2_000, of_every_run=40)):
        for name, content in whole.items():
            (folder / name).write_bytes(content)
        for file in sorted(folder.iterdir()) if chance.random() < 0.5 else [folder / "im1"]:
            odd_dicom(file, random.Random(chance.random()))
        try:
            scan = read_scan(folder)
        except ScanError as error:
            assert str(folder) in str(error) and NET not in str(error), error
        else:
            check_slices(scan)
        trial.passed()
