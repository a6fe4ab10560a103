"""Masks of a tilted gantry on an upright grid: ITK opens them, and they lie where the tilted ones do."""

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK

from tests.train.inference.segment_cases import affine_of, ball, dicom_series, hounsfield, result_of
from train.inference.files.upright import tilt_degrees, to_upright
from train.inference.outputs import Outputs
from train.inference.prompts import SegmentPrompt
from train.inference.result import SegmentationResult
from train.scans.scan import read_scan

SHAPE = (24, 20, 12)
# mm that each slice lies further along the columns than the one before it.
SHIFT_MM = 1.2

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tilted(tmp_path_factory: pytest.TempPathFactory) -> SegmentationResult:
    series = dicom_series(tmp_path_factory.mktemp("tilted") / "ct", hounsfield(SHAPE), affine_of((3, 3, 4), "LPS"))
    for file in series.iterdir():
        header = pydicom.dcmread(file)
        x, y, z = header.ImagePositionPatient
        header.ImagePositionPatient = [x, float(y) + SHIFT_MM * (header.InstanceNumber - 1), z]
        header.save_as(file)
    return result_of(ball(SHAPE, (12, 10, 6), 5.0)[None], ["liver"], read_scan(series))


def places(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Where the voxels of a mask are, in mm."""
    return np.asarray((affine @ np.vstack([np.argwhere(mask).T, np.ones(mask.sum())]))[:3].T)


def test_itk_opens_the_upright_mask_and_it_lies_on_the_tilted_one(tilted: SegmentationResult, tmp_path: Path) -> None:
    prompts = [SegmentPrompt("liver", "liver")]
    plain, upright = Outputs(tmp_path / "a.nii.gz"), Outputs(tmp_path / "b.nii.gz", upright=True)
    (told,) = plain.check_scan(tilted.scan, prompts)
    assert "tilted by 16.7 degrees" in told and "--upright writes the mask on a grid that they open" in told
    assert upright.check_scan(tilted.scan, prompts) == []
    for outputs in (plain, upright, Outputs(tmp_path / "c.seg.nrrd", upright=True)):
        assert outputs.write(tilted) == ([], {})
    with pytest.raises(RuntimeError, match="orthonormal"):
        SimpleITK.ReadImage(str(plain.out))
    for name in ("b.nii.gz", "c.seg.nrrd"):
        image = SimpleITK.ReadImage(str(tmp_path / name))
        mask = SimpleITK.GetArrayFromImage(image).transpose() == 1
        axes = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = axes, image.GetOrigin()
        found = places(mask, np.diag([-1.0, -1, 1, 1]) @ affine)
        there = places(tilted.mask("liver"), tilted.scan.affine)
        assert len(found) == pytest.approx(len(there), rel=0.02)
        assert found.mean(axis=0) == pytest.approx(there.mean(axis=0), abs=0.3)
        # No voxel is farther than half a voxel from one of the tilted mask.
        for points, others in ((found, there), (there, found)):
            nearest = np.abs(points[:, None] - others[None]).max(axis=-1).min(axis=1)
            assert nearest.max() <= 1.5 + 1e-6
    loaded = nibabel.load(upright.out)
    assert np.allclose(loaded.header.get_qform(), loaded.affine, atol=1e-3)  # type: ignore[attr-defined]


def test_upright_grids_stay_as_they_are() -> None:
    mask = np.zeros((4, 4, 4), bool)
    turned = affine_of((1, 2, 3), "LAS")
    turned[:3, :3] = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ turned[:3, :3]
    same, affine = to_upright(mask, turned)
    assert same is mask and affine is turned and tilt_degrees(turned) == 0


def test_probabilities_are_interpolated(tilted: SegmentationResult) -> None:
    probability = tilted.probability("liver")
    moved, affine = to_upright(probability, tilted.scan.affine)
    assert moved.dtype == np.float32 and moved.min() >= 0 and moved.max() <= probability.max()
    assert tilt_degrees(affine) == 0 and moved.shape[1] > SHAPE[1]
