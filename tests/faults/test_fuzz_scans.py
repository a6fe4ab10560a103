"""Scans that were damaged at random: read, or refused in our words; never another error, never another's memory."""

import io
import random
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from tests.faults.trials import Trials, count, drawn
from tests.train.scans.test_dicom_series import series
from train.scans.errors import ScanError
from train.scans.scan import read_scan

VOXELS = np.random.default_rng(0).normal(0, 300, (6, 7, 8)).astype(np.int16)


def stored(name: str, folder: Path) -> bytes:
    """Return a small scan as a file of the format that its name ends in."""
    path = folder / f"whole-{name}"
    if ".nii" in name:
        nibabel.save(nibabel.Nifti1Image(VOXELS, np.diag([2.0, 2, 3, 1])), path)
    else:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VOXELS), str(path), useCompression="packed" in name)
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
