"""Dice and NSD against their definitions and against MONAI."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics.meandice import compute_dice
from monai.metrics.surface_dice import compute_surface_dice
from scipy import ndimage

from train.evaluation.metrics import Mask, MaskCrop, bounding_box, dice, surface_dice, surface_of

ISOTROPIC = (1.5, 1.5, 1.5)


def cube(start: tuple[int, int, int], size: int = 6, shape: tuple[int, int, int] = (20, 18, 16)) -> Mask:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(first, first + size) for first in start)] = True
    return mask


def blob(seed: int, threshold: float = 0.8) -> Mask:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(22, 19, 17)), 2)
    mask: Mask = noise > threshold * noise.std()
    return mask


def scores(
    prediction: Mask, reference: Mask, spacing: tuple[float, float, float] = ISOTROPIC, mm: float = 3.0
) -> tuple[float | None, float | None]:
    first, second = MaskCrop.of(prediction), MaskCrop.of(reference)
    return dice(first, second), surface_dice(surface_of(first, spacing), surface_of(second, spacing), mm)


def test_the_reference_itself_scores_one() -> None:
    assert scores(blob(0), blob(0)) == (1.0, 1.0)
    assert scores(blob(0), blob(0), mm=0.0) == (1.0, 1.0)


def test_cubes_that_are_shifted() -> None:
    # 6 voxels wide, shifted by 2: 4 of 6 layers are common.
    overlap, nsd = scores(cube((4, 4, 4)), cube((6, 4, 4)))
    assert overlap == pytest.approx(4 / 6)
    # Two voxels are 3 mm: every point of either surface has one of the other within the tolerance, and none at 2.9 mm
    # on the two faces that moved.
    assert nsd == 1.0
    assert scores(cube((4, 4, 4)), cube((6, 4, 4)), mm=2.9)[1] < 0.9  # type: ignore[operator]
    # Apart by more than the tolerance: nothing is common.
    assert scores(cube((0, 0, 0), 3), cube((12, 12, 12), 3)) == (0.0, 0.0)


def test_the_tolerance_is_in_mm() -> None:
    shifted = cube((4, 4, 4)), cube((4, 4, 6))
    assert scores(*shifted, spacing=(1, 1, 1.0), mm=2)[1] == 1.0
    assert scores(*shifted, spacing=(1, 1, 5.0), mm=2)[1] != 1.0
    assert scores(*shifted, spacing=(5, 5, 1.0), mm=2)[1] == 1.0


def test_empty_masks() -> None:
    nothing, something = np.zeros((20, 18, 16), bool), cube((4, 4, 4))
    assert scores(something, nothing) == (None, None)
    assert scores(nothing, nothing) == (None, None)
    assert scores(nothing, something) == (0.0, 0.0)


def test_a_structure_may_fill_the_scan() -> None:
    everything = np.ones((5, 4, 3), bool)
    assert scores(everything, everything) == (1.0, 1.0)
    assert surface_of(MaskCrop.of(everything), (1, 1, 1)).areas.sum() == pytest.approx(2 * (20 + 15 + 12), rel=0.2)


def test_a_plane_has_its_area() -> None:
    mask = np.zeros((6, 40, 40), bool)
    mask[2:4] = True
    surface = surface_of(MaskCrop.of(mask), (1.0, 2.0, 3.0))
    inner = surface.points[(surface.points[:, 1] > 2) & (surface.points[:, 1] < 70)]
    areas = surface.areas[(surface.points[:, 1] > 2) & (surface.points[:, 1] < 70) & (surface.points[:, 2] == 60)]
    assert len(inner) and areas == pytest.approx(6.0)


@pytest.mark.parametrize("spacing", [ISOTROPIC, (0.7, 0.8, 3.0), (2.0, 1.0, 0.5)])
@pytest.mark.parametrize("mm", [1.1, 2.1, 3.1])
def test_nsd_is_monais(spacing: tuple[float, float, float], mm: float) -> None:
    reference, prediction = blob(1), blob(1) ^ (blob(2, 1.2))
    first, second = (torch.from_numpy(mask)[None, None] for mask in (prediction, reference))
    with pytest.warns(FutureWarning):
        theirs = compute_surface_dice(first, second, [mm], include_background=True, spacing=spacing, use_subvoxels=True)
    assert scores(prediction, reference, spacing, mm)[1] == pytest.approx(theirs.item(), abs=1e-5)
    assert 0.1 < theirs.item() < 0.99


@pytest.mark.parametrize("seeds", [(1, 1), (1, 2), (3, 4)])
def test_dice_is_monais(seeds: tuple[int, int]) -> None:
    prediction, reference = map(blob, seeds)
    first, second = (torch.from_numpy(mask)[None, None] for mask in (prediction, reference))
    assert scores(prediction, reference)[0] == pytest.approx(compute_dice(first, second).item(), abs=1e-6)


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.sampled_from([ISOTROPIC, (1.0, 2.0, 4.0)]), st.floats(0.5, 6))
def test_both_are_what_the_definition_says(seed: int, spacing: tuple[float, float, float], mm: float) -> None:
    generator = np.random.default_rng(seed)
    reference, prediction = (generator.random((5, 4, 6)) < share for share in (0.3, 0.2))
    common = sum(bool(a and b) for a, b in zip(reference.flat, prediction.flat, strict=True))
    count = int(reference.sum() + prediction.sum())
    expected = None if not reference.any() else 2 * common / count
    overlap, nsd = scores(prediction, reference, spacing, mm)
    assert overlap == pytest.approx(expected)
    assert nsd == pytest.approx(naive_nsd(prediction, reference, spacing, mm))


def naive_nsd(prediction: Mask, reference: Mask, spacing: tuple[float, float, float], mm: float) -> float | None:
    """Every corner of the grid against every other; areas alone are the implementation's."""
    points = [corners(mask) for mask in (prediction, reference)]
    if not points[1]:
        return None
    areas = []
    for mask in (prediction, reference):
        places, corner_areas = (
            surface_of(MaskCrop.of(mask), (1, 1, 1)).points.astype(int),
            surface_of(MaskCrop.of(mask), spacing).areas,
        )
        areas.append(dict(zip(map(tuple, places), corner_areas, strict=True)))
    within = 0.0
    for points_of_mask, others, area in ((points[0], points[1], areas[0]), (points[1], points[0], areas[1])):
        for place in points_of_mask:
            if any(
                math.dist(*(np.multiply(corner, spacing) for corner in (place, neighbour))) <= mm
                for neighbour in others
            ):
                within += area[place]
    return within / sum(sum(area.values()) for area in areas)


def corners(mask: Mask) -> list[tuple[int, int, int]]:
    """Where eight voxels meet that are not all the same; corner (x, y, z) is the lower one of voxel (x, y, z)."""
    padded = np.pad(mask, 1)
    size = [length + 1 for length in mask.shape]
    return [
        (x, y, z)
        for x, y, z in product(*map(range, size))
        if padded[x : x + 2, y : y + 2, z : z + 2].any() and not padded[x : x + 2, y : y + 2, z : z + 2].all()
    ]


def test_a_bounding_box_is_the_smallest() -> None:
    mask = cube((3, 5, 7), 4)
    mask[17, 1, 2] = True
    assert bounding_box(mask) == (slice(3, 18), slice(1, 9), slice(2, 11))
    assert bounding_box(np.zeros((4, 5, 6), bool)) == (slice(0, 0),) * 3
