"""Frames of a DICOM SEG -> the grid that they lie on."""

import numpy as np
import pytest

from train.viewer.frame_grid import frame_grid

AXES, SPACING = [1.0, 0, 0, 0, 1, 0], [0.8, 0.7]


def places(depths: list[float], shift: float = 0.0) -> np.ndarray:
    return np.array([[-10.0, 5 + shift * depth, 100 + depth] for depth in depths])


def test_frames_in_any_order_and_several_in_one_place_have_the_slices_that_they_lie_in() -> None:
    grid = frame_grid(places([4, 0, 2, 4]), AXES, SPACING, None)
    assert grid is not None and grid.slices.tolist() == [2, 0, 1, 2]
    assert np.allclose(grid.affine, np.array([[0.7, 0, 0, -10], [0, 0.8, 0, 5], [0, 0, 2, 100], [0, 0, 0, 1]]))


def test_slices_between_which_none_has_a_frame_are_known_by_the_stated_distance() -> None:
    for between, slices in ((2.0, [0, 2, 4]), (None, [0, 1, 2]), (3.0, [0, 1, 2])):
        grid = frame_grid(places([0, 4, 8]), AXES, SPACING, between)
        assert grid is not None and grid.slices.tolist() == slices
        assert np.allclose(grid.affine @ [0, 0, slices[-1], 1], [-10, 5, 108, 1])
    lone = frame_grid(places([0]), AXES, SPACING, 2.5)
    assert lone is not None and np.allclose(lone.affine[:3, 2], [0, 0, 2.5])


def test_a_tilted_gantrys_slices_are_shifted_evenly() -> None:
    # The distance that such files state is that along the table, or that between the planes.
    for between in (4.0, 4.0 * np.hypot(1, 0.2)):
        grid = frame_grid(places([0, 4, 12], shift=0.2), AXES, SPACING, between)
        assert grid is not None and grid.slices.tolist() == [0, 1, 3]
        assert np.allclose(grid.affine[:3, 2], [0, 0.8, 4])


def test_slices_closer_than_is_stated_lie_on_a_grid_if_all_do() -> None:
    # Of slices that overlap, some programs state the thickness.
    overlapping = frame_grid(places([0, 1, 2, 3]), AXES, SPACING, 2.0)
    assert overlapping is not None and overlapping.slices.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("odd", [[0.0, 2, 5.1], [0, 2, 4.5], [0, 2, 4, 5, 6, 8]])
def test_uneven_frames_lie_on_no_grid(odd: list[float]) -> None:
    assert frame_grid(places(odd), AXES, SPACING, 2.0) is None
    shifted = places([0, 2, 4])
    shifted[1, 0] += 1
    assert frame_grid(shifted, AXES, SPACING, 2.0) is None


def test_frames_on_slices_of_the_scan_have_its_distance_whatever_is_stated() -> None:
    scan = np.diag([0.7, 0.8, 2.0, 1])
    scan[:3, 3] = -10, 5, 96
    for depths, slices in (([0, 4, 8], [0, 2, 4]), ([2, 4, 10], [0, 1, 4]), ([6], [0])):
        for between in (None, 4.0, 2.0):
            grid = frame_grid(places(list(map(float, depths))), AXES, SPACING, between, scan)
            assert grid is not None and grid.slices.tolist() == slices
            assert np.allclose(grid.affine[:3, 2], [0, 0, 2])


def test_a_scan_that_lies_otherwise_says_nothing_of_frames() -> None:
    turned = np.array([[1.0, 0, 0, 0], [0, 0.8, -0.6, 0], [0, 0.6, 0.8, 0], [0, 0, 0, 1]])
    for scan in (turned, np.diag([1.0, 1, 3, 1])):
        grid = frame_grid(places([0, 4, 8]), AXES, SPACING, None, scan)
        assert grid is not None and np.allclose(grid.affine[:3, 2], [0, 0, 4])
