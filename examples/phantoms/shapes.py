"""Implicit shapes of the model torso: at each point a level, below zero inside, which is about the distance in mm."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from examples.phantoms.space import Array, Volume

Field = Callable[[Volume, Volume, Volume], Volume]


class Shape(Protocol):
    """A shape that can be painted: its level at points x, y, z (mm of the model torso), and a box around it."""

    def level(self, x: Volume, y: Volume, z: Volume) -> Volume:
        """Return the level of each point: below zero inside, about the distance to the surface in mm outside."""

    def box(self) -> tuple[Array, Array]:
        """Return the lowest and the highest corner of a box around the shape, (3,) each."""


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """An ellipsoid, or with `square` a block with rounded edges (a superellipsoid of power 4).

    `turn` (3, 3): from the shape's own axes to the model's.
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    turn: Array | None = None
    square: bool = False

    def level(self, x: Volume, y: Volume, z: Volume) -> Volume:
        """Return the first-order distance to the surface."""
        a, b, c = (v - np.float32(m) for v, m in zip((x, y, z), self.centre, strict=True))
        if self.turn is not None:
            t = self.turn.astype(np.float32)
            a, b, c = (t[0, d] * a + t[1, d] * b + t[2, d] * c for d in range(3))
        u, v, w = (p / np.float32(r) for p, r in zip((a, b, c), self.radii, strict=True))
        if self.square:
            reach = np.sqrt(np.sqrt(u**2 * u**2 + v**2 * v**2 + w**2 * w**2))
            return np.asarray((reach - 1) * np.float32(min(self.radii)))
        reach = np.sqrt(u * u + v * v + w * w)
        p, q, r = (np.float32(1 / radius) for radius in self.radii)
        slope = np.sqrt((u * p) ** 2 + (v * q) ** 2 + (w * r) ** 2)
        return np.asarray(reach * (reach - 1) / np.maximum(slope, np.float32(1e-6)))

    def box(self) -> tuple[Array, Array]:
        """Return the box around its turned axes."""
        centre, reach = np.array(self.centre), np.array(self.radii)
        if self.turn is not None:
            reach = np.abs(self.turn) @ reach
        return centre - reach, centre + reach


@dataclass(frozen=True, eq=False)
class Tube:
    """A tube along straight pieces between points, each point with its radius."""

    points: tuple[tuple[float, float, float], ...]
    radii: tuple[float, ...]

    def level(self, x: Volume, y: Volume, z: Volume) -> Volume:
        """Return the distance to the centre line, less the radius there."""
        lowest: Volume | None = None
        for (p, q), (r, s) in zip(
            zip(self.points, self.points[1:], strict=False), zip(self.radii, self.radii[1:], strict=False), strict=True
        ):
            start, along = np.array(p, np.float32), np.array(q, np.float32) - np.array(p, np.float32)
            a, b, c = x - start[0], y - start[1], z - start[2]
            share = np.clip((a * along[0] + b * along[1] + c * along[2]) / np.float32(along @ along), 0, 1)
            a, b, c = a - share * along[0], b - share * along[1], c - share * along[2]
            level = np.sqrt(a * a + b * b + c * c) - (np.float32(r) + share * np.float32(s - r))
            lowest = level if lowest is None else np.minimum(lowest, level)
        assert lowest is not None  # the code gives every tube at least two points
        return lowest

    def box(self) -> tuple[Array, Array]:
        """Return the box around the balls at its points."""
        points, radii = np.array(self.points), np.array(self.radii)[:, None]
        return (points - radii).min(0), (points + radii).max(0)


@dataclass(frozen=True, eq=False)
class Union:
    """The union of several shapes."""

    parts: tuple[Shape, ...]

    def level(self, x: Volume, y: Volume, z: Volume) -> Volume:
        """Return the lowest level of its parts."""
        level = self.parts[0].level(x, y, z)
        for part in self.parts[1:]:
            level = np.minimum(level, part.level(x, y, z))
        return level

    def box(self) -> tuple[Array, Array]:
        """Return the box around all parts."""
        boxes = [part.box() for part in self.parts]
        return np.min([low for low, _ in boxes], 0), np.max([high for _, high in boxes], 0)


@dataclass(frozen=True, eq=False)
class Cut:
    """The part of a shape where a field is below zero."""

    shape: Shape
    field: Field

    def level(self, x: Volume, y: Volume, z: Volume) -> Volume:
        """Return the higher of both levels."""
        return np.maximum(self.shape.level(x, y, z), self.field(x, y, z))

    def box(self) -> tuple[Array, Array]:
        """Return the box of the whole shape."""
        return self.shape.box()
