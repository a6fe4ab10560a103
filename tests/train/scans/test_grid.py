"""From a scan to the network's grid and back: places in space, not only shapes."""

from itertools import permutations, product
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.eulerangles import euler2mat

from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing
from train.scans.grid import Grid, labels_to_network, sample_slab, to_network
from train.scans.scan import Scan, read_scan

pytestmark = pytest.mark.usefixtures("one_thread")

SHAPE = (13, 11, 9)
LETTERS = ["".join(letters) for axes in permutations(("LR", "AP", "IS")) for letters in product(*axes)]
# Values come through such a window as they are, up to rounding.
WIDE = {"normalisation": "window", "hu_window": (-1000.0, 1000.0)}


def preprocessing(spacing: tuple[float, float, float], orientation: str) -> Preprocessing:
    return Preprocessing.model_validate({"spacing_mm": spacing, "orientation": orientation, **WIDE})


def hu(volume: torch.Tensor) -> torch.Tensor:
    return volume * 2000 - 1000


def scan_of(voxels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any]) -> Scan:
    return Scan(Path("ct.nii.gz"), voxels.astype(np.float32), affine, "nifti")


def affine_of(codes: str, spacing: tuple[float, float, float], rotation: tuple[float, float, float] = (0, 0, 0)) -> Any:
    """Axes towards `codes`, rotated by degrees about z, y and x, somewhere in space."""
    straight = np.eye(4)
    axes = nibabel.orientations.axcodes2ornt(tuple(codes))
    for scan_axis, (axis, sign) in enumerate(axes):
        straight[:3, scan_axis] = np.eye(3)[int(axis)] * sign * spacing[scan_axis]
    straight[:3, :3] = euler2mat(*np.radians(rotation)) @ straight[:3, :3]
    straight[:3, 3] = (12.5, -33, 140)
    return straight


def homogeneous(shape: tuple[int, ...]) -> Any:
    """Index of every voxel and a one, (4, ...)."""
    return np.stack([*np.indices(shape), np.ones(shape)])


def positions_mm(shape: tuple[int, ...], affine: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """RAS mm of every voxel, (3, ...)."""
    return np.asarray(np.einsum("ij,j...->i...", affine, homogeneous(shape))[:3])


SLOPE = np.array([1.7, -2.3, 0.9])


def ramp(shape: tuple[int, ...], affine: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A value that grows along a direction in space: linear interpolation must leave it as it is."""
    return np.asarray(np.tensordot(SLOPE, positions_mm(shape, affine) - [[[[12.5]]], [[[-33]]], [[[140]]]], 1))


def nearest(values: Any, values_affine: Any, shape: Any, shape_affine: Any) -> Any:
    """The values of the nearest voxels on another grid, each found by its position in space."""
    index = np.einsum("ij,j...->i...", np.linalg.inv(values_affine) @ shape_affine, homogeneous(shape))[:3]
    ends = np.reshape(values.shape, (3, 1, 1, 1)) - 1
    return values[tuple(np.clip(np.rint(index), 0, ends).astype(int))]


def inside(shape: tuple[int, ...], affine: np.ndarray[Any, Any], other_shape: Any, other_affine: Any) -> Any:
    """Which voxels lie within the centres of the outermost voxels of another grid."""
    index = np.einsum(
        "ij,j...->i...", np.linalg.inv(other_affine), np.stack([*positions_mm(shape, affine), np.ones(shape)])
    )
    ends = np.reshape(other_shape, (3, 1, 1, 1)) - 1
    return ((index[:3] >= -1e-6) & (index[:3] <= ends + 1e-6)).all(axis=0)


@settings(max_examples=40)
@given(
    st.sampled_from(LETTERS),
    st.sampled_from(LETTERS),
    st.tuples(*[st.sampled_from([0.7, 1.0, 1.5, 2.5, 3.0])] * 3),
    st.tuples(*[st.floats(-20, 20)] * 3),
)
def test_a_value_stays_at_its_position_in_space_both_ways(
    codes: str, orientation: str, spacing: Any, rotation: Any
) -> None:
    scan = scan_of(ramp(SHAPE, affine := affine_of(codes, spacing, rotation)), affine)
    volume, grid = to_network(scan, preprocessing((1.5, 1.25, 2.0), orientation))
    assert volume.shape == (1, *grid.shape) and volume.dtype == torch.float32 and volume.is_contiguous()
    in_scan = inside(grid.shape, grid.affine, SHAPE, affine)
    assert in_scan.mean() > 0.3
    np.testing.assert_allclose(hu(volume[0]).numpy()[in_scan], ramp(grid.shape, grid.affine)[in_scan], atol=2e-3)

    features = torch.from_numpy(ramp(grid.shape, grid.affine)).float()[None]
    back = torch.cat([sample_slab(features, grid, start, min(start + 4, 9)) for start in range(0, 9, 4)], dim=3)
    in_volume = inside(SHAPE, affine, grid.shape, grid.affine)
    np.testing.assert_allclose(back[0].numpy()[in_volume], ramp(SHAPE, affine)[in_volume], atol=2e-3)


@settings(max_examples=40)
@given(st.sampled_from(LETTERS), st.sampled_from(LETTERS), st.tuples(*[st.floats(-20, 20)] * 3))
def test_at_the_networks_spacing_nothing_but_the_order_changes(codes: str, orientation: str, rotation: Any) -> None:
    affine = affine_of(codes, (1.5, 1.5, 1.5), rotation)
    labels = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.int16)
    volume, grid = to_network(scan_of(labels / 2.0, affine), preprocessing((1.5, 1.5, 1.5), orientation))
    on_grid = labels_to_network(labels, grid)
    assert on_grid.dtype == torch.int16 and on_grid.shape == grid.shape
    assert torch.equal(hu(volume[0]).mul(2).round().short(), on_grid)
    assert np.array_equal(nearest(on_grid.numpy(), grid.affine, SHAPE, affine), labels)
    assert np.array_equal(sample_slab(on_grid[None], grid, 0, SHAPE[2])[0].numpy(), labels)


@pytest.mark.parametrize("orientation", ["SAR", "LPI"])
def test_labels_are_those_of_the_nearest_voxel_in_space(orientation: str) -> None:
    affine = affine_of("PLS", (1.3, 0.9, 2.2), (5, 0, -10))
    labels = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.int16)
    grid = to_network(scan_of(labels, affine), preprocessing((1.5, 1.5, 1.5), orientation))[1]
    on_grid = labels_to_network(labels, grid)
    assert np.array_equal(on_grid.numpy(), nearest(labels, affine, grid.shape, grid.affine))


@pytest.mark.parametrize("orientation", ["SAR", "LPI", "PIR", "RAS"])
def test_the_axes_run_where_the_checkpoint_wants_them(orientation: str) -> None:
    scan = scan_of(ramp(SHAPE, affine := affine_of("ILA", (1, 2, 3), (4, -3, 8))), affine)
    _, grid = to_network(scan, preprocessing((1.5, 2.5, 2.0), orientation))
    assert "".join(nibabel.aff2axcodes(grid.affine)) == orientation
    np.testing.assert_allclose(np.linalg.norm(grid.affine[:3, :3], axis=0), (1.5, 2.5, 2.0))
    np.testing.assert_allclose(  # the centre stays
        grid.affine @ [*(np.array(grid.shape) - 1) / 2, 1], affine @ [*(np.array(SHAPE) - 1) / 2, 1], atol=1e-9
    )
    extent = np.array(grid.shape) * (1.5, 2.5, 2.0)
    order = [int(axis) for axis in np.abs(np.linalg.inv(affine) @ grid.affine)[:3, :3].argmax(axis=0)]
    assert (np.abs(extent - (np.array(SHAPE) * (1, 2, 3))[order]) <= np.array((1.5, 2.5, 2.0)) / 2).all()


def test_a_spacing_that_is_right_but_for_rounding_is_left_as_it_is() -> None:
    voxels = np.random.default_rng(0).normal(0, 200, SHAPE).clip(-999, 999)
    affine = affine_of("RAS", (1.5, 1.5, 1.5)) @ np.diag([1.0000004, 1.0005, 1, 1])
    volume, grid = to_network(scan_of(voxels, affine), preprocessing((1.5, 1.5, 1.5), "RAS"))
    np.testing.assert_allclose(hu(volume[0]).numpy(), voxels, atol=2e-4)
    np.testing.assert_allclose(grid.affine, affine, atol=1e-12)


def test_zscore_is_that_of_the_whole_volume_after_resampling() -> None:
    voxels = np.random.default_rng(0).normal(-400, 500, (20, 18, 16)).astype(np.float32)
    scan = scan_of(voxels.copy(), np.diag([3.0, 1.5, 2.0, 1]))
    resampled, _ = to_network(scan, preprocessing((1.5, 1.5, 1.5), "SAR").model_copy(update={"hu_window": (0.0, 1.0)}))
    volume, _ = to_network(scan, PUBLISHED_PREPROCESSING)
    assert abs(float(volume.mean())) < 1e-6 and float(volume.std(correction=0)) == pytest.approx(1, abs=1e-6)
    assert resampled.shape == volume.shape and resampled.min() == 0 and resampled.max() == 1
    assert np.array_equal(scan.voxels, voxels)


def test_the_scan_is_not_changed_and_may_be_read_only() -> None:
    voxels = np.random.default_rng(0).normal(0, 200, SHAPE).astype(np.float32)
    voxels.flags.writeable = False
    before = voxels.copy()
    scan = Scan(Path("ct.nii.gz"), voxels.transpose(2, 1, 0), np.diag([1.5, 1.5, 1.5, 1]), "nifti")
    volume, _ = to_network(scan, PUBLISHED_PREPROCESSING)
    volume.zero_()
    assert np.array_equal(voxels, before)


def test_a_constant_volume_becomes_zero() -> None:
    volume, _ = to_network(scan_of(np.full(SHAPE, -1000), np.eye(4)), PUBLISHED_PREPROCESSING)
    assert not volume.any()


def some_grid(orientation: str = "SAR") -> Grid:
    scan = scan_of(np.zeros((9, 10, 40)), affine_of("LPS", (1.0, 1.2, 0.8)))
    return to_network(scan, preprocessing((1.5, 1.5, 1.5), orientation))[1]


@pytest.mark.parametrize("orientation", ["SAR", "RSA", "ARI"])
def test_a_slab_is_the_same_from_a_memory_map_and_from_grid_sample(tmp_path: Path, orientation: str) -> None:
    grid = some_grid(orientation)
    features = np.random.default_rng(0).normal(size=(3, *grid.shape)).astype(np.float16)
    np.save(tmp_path / "features.npy", features)
    slab = sample_slab(np.load(tmp_path / "features.npy", mmap_mode="r"), grid, 11, 17)
    assert slab.shape == (3, 9, 10, 6) and slab.dtype == torch.float32
    assert torch.equal(slab, sample_slab(torch.from_numpy(features), grid, 11, 17))

    index = np.einsum(
        "ij,j...->i...",
        np.linalg.inv(grid.affine),
        np.stack([*positions_mm((9, 10, 40), grid.scan_affine), np.ones((9, 10, 40))]),
    )
    where = index[:3] * 2 / (np.reshape(grid.shape, (3, 1, 1, 1)) - 1) - 1
    sampled = torch.nn.functional.grid_sample(
        torch.from_numpy(features).float()[None],
        torch.from_numpy(where[::-1].copy()).float().movedim(0, -1)[None],
        align_corners=True,
        padding_mode="border",
    )
    torch.testing.assert_close(slab, sampled[0, ..., 11:17], atol=1e-4, rtol=0)


@pytest.mark.parametrize("orientation", ["SAR", "RSA", "ARI"])
def test_only_what_a_slab_needs_is_read(orientation: str) -> None:
    grid = some_grid(orientation)
    through = orientation.index("S") if "S" in orientation else orientation.index("I")
    features = np.full((2, *grid.shape), np.nan, dtype=np.float32)
    index = np.linalg.inv(grid.affine) @ grid.scan_affine
    ends = sorted(index[through, 2] * np.array([11, 16]) + index[through, 3])
    needed = [slice(None)] * 4
    needed[through + 1] = slice(int(np.floor(ends[0])), int(np.ceil(ends[1])) + 1)
    features[tuple(needed)] = 1
    assert torch.equal(sample_slab(features, grid, 11, 17), torch.ones(2, 9, 10, 6))


def test_the_edge_is_continued() -> None:
    grid = some_grid()
    assert torch.equal(sample_slab(torch.ones(1, *grid.shape), grid, 0, 40), torch.ones(1, 9, 10, 40))


def test_a_volume_of_one_slice_has_the_same_all_along() -> None:
    scan = scan_of(np.ones((4, 4, 2)), np.diag([1, 1, 0.5, 1]))
    _, grid = to_network(scan, preprocessing((4, 4, 4), "RAS"))
    assert grid.shape == (1, 1, 1)
    assert torch.equal(sample_slab(torch.full((1, 1, 1, 1), 7.0), grid, 0, 2), torch.full((1, 4, 4, 2), 7.0))
    assert torch.equal(labels_to_network(np.full((4, 4, 2), 7), grid), torch.full((1, 1, 1), 7, dtype=torch.int16))


def test_shapes_and_slices_that_do_not_fit_are_told() -> None:
    grid = some_grid()
    with pytest.raises(ValueError, match=r"features are \(1, 2, 3, 4\)"):
        sample_slab(torch.ones(1, 2, 3, 4), grid, 0, 1)
    with pytest.raises(ValueError, match="slices 38 to 41 of a scan with 40"):
        sample_slab(torch.ones(1, *grid.shape), grid, 38, 41)
    with pytest.raises(ValueError, match=r"labels are \(2, 3, 4\)"):
        labels_to_network(np.zeros((2, 3, 4), np.int16), grid)


def test_a_real_scan_comes_back_from_half_its_spacing(shared_data: Path) -> None:
    scan = read_scan(shared_data / "volumes" / "totalsegmentator" / "example_ct_sm.nii.gz")
    volume, grid = to_network(scan, PUBLISHED_PREPROCESSING)
    assert grid.shape == (60, 202, 244)
    labels = np.digitize(scan.voxels, [-500, -50, 150]).astype(np.int16)
    on_grid = labels_to_network(labels, grid).numpy()
    assert np.array_equal(nearest(on_grid, grid.affine, labels.shape, scan.affine), labels)
    back = sample_slab(volume, grid, 0, 30)[0].numpy()
    assert np.corrcoef(back.ravel(), scan.voxels.ravel())[0, 1] > 0.98
