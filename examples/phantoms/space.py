"""The map between a patient's world coordinates (RAS mm) and the model torso in which the organs are described."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Volume = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Waves:
    """A smooth field in space: for each component d the sum over w of amplitude[w, d] sin(wave[w] . x + phase[w])."""

    wave: Array  # (W, 3), radians for each mm
    phase: Array  # (W,)
    amplitude: Array  # (W, components)

    @classmethod
    def draw(
        cls, rng: np.random.Generator, count: int, wavelengths_mm: tuple[float, float], size: float, components: int
    ) -> "Waves":
        """Draw `count` waves in random directions; each amplitude is normal with deviation `size`."""
        directions = rng.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lengths = rng.uniform(*wavelengths_mm, size=(count, 1))
        return cls(
            wave=directions * (2 * np.pi / lengths),
            phase=rng.uniform(0, 2 * np.pi, size=count),
            amplitude=np.clip(rng.normal(0, size, size=(count, components)), -2 * size, 2 * size),
        )

    def at(self, points: Array) -> Array:
        """Return the field at points (N, 3) in mm: (N, components)."""
        return np.asarray(np.sin(points @ self.wave.T + self.phase) @ self.amplitude, np.float64)

    def bound(self) -> Array:
        """Return a bound that no component exceeds anywhere, (components,)."""
        return np.asarray(np.abs(self.amplitude).sum(0), np.float64)

    def on_grid(self, affine: Array, shape: tuple[int, int, int]) -> Volume:
        """Return the field at all voxel centres, (components, X, Y, Z).

        sin(a + b) = sin a cos b + cos a sin b, with a of the first two axes and b of the third: a product of small
        matrices, exact on any grid, oblique ones too.
        """
        i, j, k = (np.arange(n, dtype=np.float64) for n in shape)
        steps = self.wave @ affine[:3, :3]  # (W, 3): phase for each step along an axis
        plane = (steps[:, :1] * i)[:, :, None] + (steps[:, 1:2] * j)[:, None, :]
        plane += (self.wave @ affine[:3, 3] + self.phase)[:, None, None]
        line = steps[:, 2:] * k
        left = np.concatenate([np.sin(plane), np.cos(plane)]).reshape(2 * len(self.phase), -1).astype(np.float32)
        right = np.concatenate([np.cos(line), np.sin(line)]).astype(np.float32)
        weights = np.concatenate([self.amplitude, self.amplitude]).astype(np.float32)
        return np.stack([((left * weights[:, d, None]).T @ right).reshape(shape) for d in range(weights.shape[1])])


@dataclass(frozen=True, eq=False)
class Body:
    """How one patient's body differs from the model torso: model = matrix @ world + shift + bend(world), all in mm.

    World is RAS: x grows to the patient's right, y to the front, z upwards. The model torso has the same axes.
    """

    matrix: Array
    shift: Array
    bend: Waves

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Body":
        """Draw a body of another size (0.92 to 1.08, each axis by 3 % more), slightly rotated and smoothly bent."""
        scale = rng.uniform(0.92, 1.08) * rng.uniform(0.97, 1.03, size=3)
        turn = rotation(rng.normal(0, 1.5), rng.normal(0, 1.0), rng.normal(0, 2.0))
        bend = Waves.draw(rng, 6, (170.0, 380.0), 1.7, 3)
        return cls(turn.T / scale[:, None], rng.uniform(-8, 8, size=3), bend)

    @property
    def scale(self) -> float:
        """Millimetres of this patient for each of the model's, on average over the directions."""
        return float(abs(np.linalg.det(self.matrix)) ** (-1 / 3))

    def to_model(self, points: Array) -> Array:
        """Map world points (N, 3) to model points (N, 3)."""
        return points @ self.matrix.T + self.shift + self.bend.at(points)

    def to_world(self, points: Array) -> Array:
        """Map model points (N, 3) to world points (N, 3) by fixed-point iteration (the bend is a contraction)."""
        back = np.linalg.inv(self.matrix)
        world = (points - self.shift) @ back.T
        for _ in range(30):
            world = (points - self.shift - self.bend.at(world)) @ back.T
        return np.asarray(world)

    def on_grid(self, affine: Array, shape: tuple[int, int, int]) -> Volume:
        """Return the model coordinates of all voxel centres, (3, X, Y, Z) float32."""
        model = self.bend.on_grid(affine, shape)
        linear, offset = self.matrix @ affine[:3, :3], self.matrix @ affine[:3, 3] + self.shift
        i, j, k = (np.arange(n, dtype=np.float64) for n in shape)
        for d in range(3):
            plane = linear[d, 0] * i[:, None] + linear[d, 1] * j[None, :] + offset[d]
            model[d] += plane.astype(np.float32)[:, :, None]
            model[d] += (linear[d, 2] * k).astype(np.float32)
        return model


def rotation(about_x: float, about_y: float, about_z: float) -> Array:
    """Return a rotation matrix (3, 3); angles in degrees, about x first."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.deg2rad([about_x, about_y, about_z])):
        turn = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


Block = tuple[slice, slice, slice]


def block_of(low: Array, high: Array, body: Body, affine: Array, shape: tuple[int, int, int]) -> Block:
    """Return the voxels that a box of the model torso can reach: slices, maybe empty ones."""
    slack = body.bend.bound() + 1.0
    ends = np.stack([low - slack, high + slack])
    corners = np.array([[ends[a, 0], ends[b, 1], ends[c, 2]] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    world = (corners - body.shift) @ np.linalg.inv(body.matrix).T
    return block_around(world, affine, shape)


def block_around(world: Array, affine: Array, shape: tuple[int, int, int]) -> Block:
    """Return the smallest block of voxels around these points (N, 3), world mm."""
    index = (world - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
    starts = np.clip(np.floor(index.min(0)), 0, shape).astype(int)
    stops = np.clip(np.ceil(index.max(0)) + 1, 0, shape).astype(int)
    a, b, c = (slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True))
    return a, b, c
