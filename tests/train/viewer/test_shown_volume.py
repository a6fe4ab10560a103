"""Volumes for the page: whole or coarser, where they lie, and which values they keep."""

from math import prod
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.train.viewer.view_cases import oblique_affine
from train.viewer.shown_volume import averaged, block_affine, coarse_steps, thinned, write_labels, write_scan


@pytest.mark.parametrize(
    ("shape", "spacing", "most", "steps"),
    [
        ((512, 512, 300), (0.7, 0.7, 1.5), 10**9, (1, 1, 1)),
        ((512, 512, 800), (0.7, 0.7, 1.0), 128_000_000, (2, 2, 1)),
        ((512, 512, 800), (0.8, 0.8, 0.8), 128_000_000, (2, 2, 2)),
        ((64, 64, 5000), (1, 1, 1), 10**9, (1, 1, 3)),
    ],
)
def test_a_scan_is_made_coarser_where_it_is_finest(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], most: int, steps: tuple[int, int, int]
) -> None:
    found = coarse_steps(shape, spacing, most)
    assert prod(length // step for length, step in zip(shape, found, strict=True)) <= most
    assert found == steps


@pytest.mark.parametrize("shape", [(2, 300, 300), (10, 10, 10), (512, 2, 512)])
@pytest.mark.parametrize("spacing", [(9, 0.5, 0.5), (1, 1, 1), (0.1, 5, 20)])
def test_however_few_are_allowed(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    for most in (1, 10, 1000):
        steps = coarse_steps(shape, spacing, most)
        assert prod(length // step for length, step in zip(shape, steps, strict=True)) <= most
        assert all(step <= length for step, length in zip(steps, shape, strict=True))


def test_a_block_is_the_mean_of_its_voxels_and_lies_in_their_middle() -> None:
    rng, steps = np.random.default_rng(1), (2, 3, 1)
    voxels = rng.normal(0, 300, (9, 10, 4)).astype(np.float32)
    blocks = averaged(voxels, steps)
    assert blocks.shape == (4, 3, 4)
    assert np.allclose(blocks[1, 2, 3], voxels[2:4, 6:9, 3].mean(), atol=1e-2)
    affine = oblique_affine()
    corners = np.array([[x, y, 3] for x in (2, 3) for y in (6, 7, 8)])
    middle = nibabel.affines.apply_affine(affine, corners).mean(axis=0)
    assert np.allclose(nibabel.affines.apply_affine(block_affine(affine, steps), [1, 2, 3]), middle)
    labels = np.arange(9 * 10 * 4).reshape(9, 10, 4)
    assert thinned(labels, steps)[1, 2, 3] == labels[3, 7, 3]
    assert averaged(voxels, (1, 1, 1)) is voxels


@pytest.mark.parametrize(
    ("values", "within"),
    [
        (np.arange(-1024.0, 3071.0, 91.0), 0.0), (np.linspace(0, 1, 64), 1e-4), (np.linspace(-3.5, 2.5, 64), 1e-3),
        (np.linspace(-1e5, 2e5, 64), 5.0),
    ],
)  # fmt: skip
def test_values_are_kept(tmp_path: Path, values: np.ndarray, within: float) -> None:
    voxels = np.resize(values, (4, 4, 4)).astype(np.float32)
    write_scan(tmp_path / "scan.nii", voxels, oblique_affine(), (-160, 240))
    image = nibabel.load(tmp_path / "scan.nii")
    assert image.get_data_dtype() == np.int16  # type: ignore[attr-defined]
    assert np.abs(image.get_fdata() - voxels).max() <= within  # type: ignore[attr-defined]
    assert np.allclose(image.affine, oblique_affine(), atol=1e-4)  # type: ignore[attr-defined]
    assert (image.header["cal_min"], image.header["cal_max"]) == (-160, 240)  # type: ignore[index]


def test_labels_stay_labels(tmp_path: Path) -> None:
    labels = np.arange(64, dtype=np.int16).reshape(4, 4, 4) * 20
    write_labels(tmp_path / "labels.nii", labels, np.eye(4))
    assert np.array_equal(np.asarray(nibabel.load(tmp_path / "labels.nii").dataobj), labels)  # type: ignore[attr-defined]
