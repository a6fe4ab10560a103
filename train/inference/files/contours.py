"""Mask of a slice -> closed contours as DICOM has them: one polygon for each part, with holes joined to it by channels.

A contour runs midway between the voxels inside and those outside (marching squares), so that every voxel whose centre
lies in the polygon is one of the mask, and no other. A hole is joined to what lies left of it by a channel without
width, the keyhole of DICOM PS3.3 C.8.8.6.3, which runs between the centres of the voxels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from contourpy import FillType, contour_generator

LEVEL = 0.5
# Channels run along rows at this distance from the centres of voxels.
BESIDE_CENTRES = 0.25


class Crossing(NamedTuple):
    """Where the side of a ring behind its point ``side`` crosses a row of channels."""

    ring: int
    side: int
    x: float
    y: float


def closed_contours(mask: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the polygons (N, 2) of a mask (X, Y), in voxels along its two axes, none of which repeats its first point.

    By the even-odd and by the winding rule alike, a voxel's centre is inside where the mask has the voxel.
    """
    columns, rows = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(columns):
        return
    part = mask[columns[0] : columns[-1] + 1, rows[0] : rows[-1] + 1]
    first = np.array([columns[0] - 1, rows[0] - 1], float)
    generator = contour_generator(z=np.pad(part, 1).T.astype(np.float32), fill_type=FillType.OuterOffset)
    for points, offsets in zip(*generator.filled(LEVEL, 2.0), strict=True):
        rings = [points[start : end - 1] for start, end in pairwise(offsets)]
        yield _without_straight_points(rings[0] if len(rings) == 1 else _joined(rings)) + first


def _joined(rings: list[np.ndarray]) -> np.ndarray:
    """Return one polygon of an outer ring, the first, and the holes in it, each joined to the next ring left of it.

    From the leftmost crossing of a hole nothing of the hole itself lies further left, so that all channels lead to
    the outer ring in the end, and none crosses a ring or another channel.
    """
    crossings = _crossings(rings)
    leftmost: dict[int, int] = {}
    for place, crossing in enumerate(crossings):
        if crossing.ring and (crossing.ring not in leftmost or crossing.x < crossings[leftmost[crossing.ring]].x):
            leftmost[crossing.ring] = place
    channels = {crossings[place - 1][:2]: (crossings[place - 1], crossings[place]) for place in leftmost.values()}
    points: list[Sequence[float]] = []
    steps: list[tuple[int, int] | Crossing] = [(0, side) for side in reversed(range(len(rings[0])))]
    while steps:
        step = steps.pop()
        if isinstance(step, Crossing):
            points.append((step.x, step.y))
            continue
        ring, side = step
        points.append(rings[ring][side])
        if step in channels:
            wall, hole = channels[step]
            size = len(rings[hole.ring])
            around = [(hole.ring, (hole.side + 1 + number) % size) for number in range(size)]
            steps += reversed([wall, hole, *around, hole, wall])
    return np.array(points)


def _crossings(rings: list[np.ndarray]) -> list[Crossing]:
    """Return where rings cross the rows of channels, row by row from left to right. No side is longer than a voxel."""
    found = []
    for number, ring in enumerate(rings):
        following = np.roll(ring, -1, axis=0)
        low, high = np.minimum(ring[:, 1], following[:, 1]), np.maximum(ring[:, 1], following[:, 1])
        y = np.ceil(low - BESIDE_CENTRES) + BESIDE_CENTRES
        sides = np.flatnonzero((low < y) & (y < high))
        share = (y - ring[:, 1])[sides] / (following - ring)[sides, 1]
        x = ring[sides, 0] + share * (following - ring)[sides, 0]
        found += [
            Crossing(number, *values) for values in zip(sides.tolist(), x.tolist(), y[sides].tolist(), strict=True)
        ]
    return sorted(found, key=lambda crossing: (crossing.y, crossing.x))


def _without_straight_points(ring: np.ndarray) -> np.ndarray:
    """Return a ring without the points at which it goes straight on."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    turns = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 1e-9
    returns = (before * after).sum(axis=1) <= 0
    return np.asarray(ring[turns | returns])
