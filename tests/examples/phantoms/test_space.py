from __future__ import annotations

import numpy as np

from examples.phantoms.shapes import Ellipsoid, Tube
from examples.phantoms.space import Body, Waves, block_of, rotation

SHAPE = (7, 6, 5)


def oblique() -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = rotation(5, -7, 11) @ np.diag([-4.0, 3.0, 5.0])
    affine[:3, 3] = (30, -20, 80)
    return affine


def centres(affine: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
    return np.asarray(index @ affine[:3, :3].T + affine[:3, 3])


def test_a_field_on_a_grid_is_the_field_at_its_voxel_centres() -> None:
    waves = Waves.draw(np.random.default_rng(0), 5, (40.0, 90.0), 2.0, 3)
    on_grid = waves.on_grid(oblique(), SHAPE).reshape(3, -1).T
    np.testing.assert_allclose(on_grid, waves.at(centres(oblique(), SHAPE)), atol=1e-4)


def test_model_coordinates_on_a_grid_are_those_of_its_voxel_centres() -> None:
    body = Body.draw(np.random.default_rng(1))
    on_grid = body.on_grid(oblique(), SHAPE).reshape(3, -1).T
    np.testing.assert_allclose(on_grid, body.to_model(centres(oblique(), SHAPE)), atol=1e-3)


def test_there_and_back_again() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        body, points = Body.draw(rng), rng.uniform(-150, 300, size=(50, 3))
        np.testing.assert_allclose(body.to_model(body.to_world(points)), points, atol=1e-6)


def test_a_block_holds_all_of_its_shape() -> None:
    body, affine, shape = Body.draw(np.random.default_rng(2)), oblique(), (40, 50, 30)
    affine[:3, 3] = (70, -80, -70)
    ball = Ellipsoid((0, 0, 0), (30, 18, 12), rotation(20, 30, 40))
    place = body.on_grid(affine, shape)
    inside = ball.level(*place) < 0
    block = block_of(*ball.box(), body, affine, shape)
    assert inside.sum() > 100
    assert inside[block].sum() == inside.sum()
    assert inside[block].size < inside.size / 2


def test_levels_are_about_distances_near_the_surface() -> None:
    one = np.ones(1, np.float32)
    ball = Ellipsoid((0, 0, 0), (20, 10, 30))
    assert abs(float(ball.level(0 * one, 12 * one, 0 * one)[0]) - 2) < 0.5
    assert abs(float(ball.level(0 * one, 0 * one, 28 * one)[0]) + 2) < 0.5
    tube = Tube(((0, 0, 0), (0, 0, 50)), (10, 12))
    assert abs(float(tube.level(15 * one, 0 * one, 25 * one)[0]) - 4) < 1e-4
    assert abs(float(tube.level(0 * one, 0 * one, 65 * one)[0]) - 3) < 1e-4
