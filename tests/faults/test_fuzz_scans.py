"""Scans that were damaged at random: read, or refused in our words; never another error, never another's memory."""

import io
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from tests.faults.trials import Trials, count, drawn
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


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "packed.mha", "a.nrrd", "packed.nrrd"])
def test_a_damaged_scan_is_read_or_refused(trials: Trials, tmp_path: Path, name: str) -> None:
    whole, chance, path = stored(name, tmp_path), drawn(name), tmp_path / name
    trial = trials[f"a damaged scan: {name.partition('.')[2]}"]
    header = min(len(whole), 400)
    for _ in range(count(of_all=2_000, of_every_run=25)):
        raw = io.BytesIO(whole)
        for _ in range(chance.randint(1, 4)):
            raw.seek(chance.randrange(header if chance.random() < 0.8 else len(whole)))
            raw.write(bytes(chance.randrange(256) for _ in range(chance.choice((1, 1, 2, 4)))))
        content = raw.getvalue()
        path.write_bytes(content[: chance.randrange(len(content))] if chance.random() < 0.2 else content)
        try:
            assert read_scan(path, allow_suspicious=True).voxels.ndim == 3
        except ScanError as error:
            assert name in str(error), error
        trial.passed()
