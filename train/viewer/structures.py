"""Structures of one mask or of many as the page takes them: one label map on the scan's grid, and a list of names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import nibabel
import numpy as np
from scipy import ndimage

from train.scans.scan import Scan

from .errors import ViewError
from .mask_files import MaskFile, NamedLabel

Point = tuple[float, float, float]
Box = tuple[slice, ...]
# More are no structures, but the values of an image.
MOST_STRUCTURES = 2000
# Volumes that a table and its label map give may differ by this share: the table rounds nothing, a viewer may.
SAME_VOLUME = 0.01


@dataclass(frozen=True)
class Structure:
    """A structure of the page: `label` in its label map, `at` a point inside it in RAS mm, None where it has no voxel.

    `colour` is that of its file, red, green and blue, if that gives one.
    """

    label: int
    name: str
    prompt: str
    volume_ml: float
    at: Point | None
    colour: tuple[int, int, int] | None = None


@dataclass(eq=False)
class StructureMap:
    """The label map (X, Y, Z) of a scan, put together from masks one after the other.

    Where masks overlap, the smaller one is seen. `notices` are sentences on what the page does not show as it is.
    """

    scan: Scan
    structures: list[Structure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    labels: np.ndarray[Any, Any] = field(init=False)
    _sizes: np.ndarray[Any, Any] = field(init=False)

    def __post_init__(self) -> None:
        # Volumes are stored slice after slice, the last axis slowest.
        self.labels = np.zeros(self.scan.voxels.shape, np.uint8, order="F")
        self._sizes = np.zeros(MOST_STRUCTURES + 1, np.int64)

    def add(self, mask: MaskFile) -> None:
        """Add the structures of a file. Raises ViewError where it lies beside the scan, or holds no labels."""
        voxels = self._on_scan(mask)
        self.notices += mask.notices
        boxes = _boxes(voxels)
        own_boxes = boxes if voxels is mask.labels else _boxes(mask.labels)
        voxel_ml = abs(float(np.linalg.det(mask.affine[:3, :3]))) / 1000
        found = [label for label, box in enumerate(own_boxes, 1) if box is not None]
        absent = [named for named in mask.named if named.label not in found]
        if len(self.structures) + len(found) + len(absent) > MOST_STRUCTURES:
            raise ViewError(f"{mask.path}: more than {MOST_STRUCTURES:,} structures: is it an image? Name fewer masks")
        for label in found:
            named = mask.name_of(label)
            volume = int(np.count_nonzero(mask.labels[own_boxes[label - 1] or ()] == label)) * voxel_ml
            if named.volume_ml and abs(named.in_label_map_ml - volume) <= SAME_VOLUME * volume:
                volume = named.volume_ml  # that of the whole mask, whatever a label map has room for
            box = boxes[label - 1] if label <= len(boxes) else None
            self._append(named, volume, None if box is None else self._paint(voxels[box] == label, box, named.name))
        for named in absent:
            self._append(named, 0.0, None)

    def _append(self, named: NamedLabel, volume_ml: float, at: Point | None) -> None:
        self.structures.append(
            Structure(len(self.structures) + 1, named.name, named.prompt, volume_ml, at, named.colour)
        )

    def _paint(self, inside: np.ndarray[Any, Any], box: Box, name: str) -> Point:
        """Paint the next structure, given in a box of the scan, and return a point inside it."""
        label, size = len(self.structures) + 1, int(np.count_nonzero(inside))
        if label > np.iinfo(self.labels.dtype).max:
            self.labels = self.labels.astype(np.int16)
        self._sizes[label] = size
        there, seen = self.labels[box], inside
        if (taken := inside & (there != 0)).any():
            seen = inside.copy()
            seen[taken] = self._sizes[there[taken]] > size
            if not seen.any():
                self.notices.append(f"{name} cannot be seen: what lies on all of it is shown")
        there[seen] = label
        return self._point_inside(inside, box)

    def _point_inside(self, inside: np.ndarray[Any, Any], box: Box) -> Point:
        """Return the voxel nearest to the middle of a mask in the slice that has most of it, in RAS mm."""
        up = int(np.flatnonzero(nibabel.io_orientation(self.scan.affine)[:, 0] == 2)[0])
        others = tuple(axis for axis in range(3) if axis != up)
        areas = inside.sum(axis=others)
        largest = np.flatnonzero(areas == areas.max())
        number = int(largest[len(largest) // 2])
        cut = np.argwhere(np.moveaxis(inside, up, 0)[number])
        nearest = cut[((cut - cut.mean(axis=0)) ** 2).sum(axis=1).argmin()].tolist()
        nearest.insert(up, number)
        index = [start.start + offset for start, offset in zip(box, nearest, strict=True)]
        x, y, z = nibabel.affines.apply_affine(self.scan.affine, index).tolist()
        return x, y, z

    def _on_scan(self, mask: MaskFile) -> np.ndarray[Any, Any]:
        """Return the labels of a file on the scan's grid: each voxel gets that of the nearest one."""
        to_mask = np.linalg.inv(mask.affine) @ self.scan.affine
        shape = self.scan.voxels.shape
        if mask.labels.shape == shape and np.allclose(to_mask, np.eye(4), atol=1e-3 / max(shape)):
            return mask.labels
        matrix, offset = to_mask[:3, :3], to_mask[:3, 3]
        # Turned, or cut out of the scan, it has the same voxels.
        if not np.allclose(to_mask, np.rint(to_mask), atol=0.01):
            self.notices.append(f"{mask.path.name} has another grid than the scan: each voxel shows the nearest label")
        voxels: np.ndarray[Any, Any] = ndimage.affine_transform(
            mask.labels, matrix, offset, shape, order=0, mode="constant", cval=0
        )
        if mask.labels.any() and not voxels.any():
            raise ViewError(
                f"{mask.path}: lies nowhere on {self.scan.path}: is it the mask of another scan? Its first voxel is at "
                f"{_millimetres(mask.affine)} mm, the scan's at {_millimetres(self.scan.affine)} mm. Name the "
                "scan that it was made of"
            )
        return voxels


def _boxes(labels: np.ndarray[Any, Any]) -> list[Box | None]:
    """Return the box of each label from 1, None for one that has no voxel."""
    # Turned, as volumes are stored slice after slice: several times as fast.
    return [None if box is None else box[::-1] for box in ndimage.find_objects(labels.T)]


def _millimetres(affine: np.ndarray[Any, Any]) -> str:
    return "(" + ", ".join(f"{value:.0f}" for value in affine[:3, 3]) + ")"
