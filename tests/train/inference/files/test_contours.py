"""Contours of a mask: read back by the even-odd and by the winding rule they give the same voxels."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from train.inference.files.contours import closed_contours


def even_odd(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Voxels (X, Y) whose centre a ray leaves through an odd number of sides."""
    x, y = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    inside = np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


def winding(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Voxels (X, Y) around whose centre a polygon goes."""
    centres = np.stack(np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij"), axis=-1).reshape(-1, 1, 2)
    to, on = polygon[None] - centres, np.roll(polygon, -1, axis=0)[None] - centres
    angles = np.arctan2(to[..., 0] * on[..., 1] - to[..., 1] * on[..., 0], (to * on).sum(axis=-1)).sum(axis=1)
    inside: np.ndarray = (np.abs(angles) > 3).reshape(shape)
    return inside


def masks() -> dict[str, np.ndarray]:
    ring = np.zeros((9, 9), bool)
    ring[1:8, 1:8] = True
    ring[2:7, 2:7] = False  # a wall of one voxel: a channel straight through it would pass a centre
    target = ring.copy()
    target[4, 4] = True
    diagonal = np.eye(5, dtype=bool)
    random = np.random.default_rng(0)
    sponge = gaussian_filter(random.normal(size=(30, 25)), 0.8) > -0.2
    return {
        "nothing": np.zeros((3, 4), bool),
        "a voxel at the edge": np.eye(1, 12, 11, dtype=bool).reshape(3, 4),
        "everything": np.ones((3, 4), bool),
        "ring": ring,
        "island in a ring": target,
        "corners that touch": diagonal,
        "sponge": sponge,
        "noise": random.random((20, 20)) > 0.4,
    }


@pytest.mark.parametrize("rule", [even_odd, winding])
@pytest.mark.parametrize("name", masks())
def test_the_same_voxels_are_inside(name: str, rule: object) -> None:
    mask = masks()[name]
    found = np.zeros(mask.shape, bool)
    for polygon in closed_contours(mask):
        inside = rule(polygon, mask.shape)  # type: ignore[operator]
        assert not (found & inside).any(), "contours of one slice do not overlap"
        found |= inside
    assert np.array_equal(found, mask)


def test_a_part_with_holes_is_one_contour() -> None:
    assert [len(list(closed_contours(masks()[name]))) for name in ("ring", "island in a ring", "nothing")] == [1, 2, 0]


def test_points_on_a_straight_line_are_left_out() -> None:
    (polygon,) = closed_contours(masks()["everything"])
    assert sorted(map(tuple, polygon.tolist())) == [
        (-0.5, 0), (-0.5, 3), (0, -0.5), (0, 3.5), (2, -0.5), (2, 3.5), (2.5, 0), (2.5, 3),
    ]  # fmt: skip
