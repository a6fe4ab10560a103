"""Result -> file, as a picture: three planes through the middle of the masks, with a contour for each prompt."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np

from train.scans.grey_range import SOFT_TISSUE, own_range
from train.scans.hounsfield import hu_problem
from train.scans.scan import Scan

from ..label_table import LabelRow
from ..result import SegmentationResult
from .label_names import colours_of

MOST_NAMED = 30
# Axis that is looked along (of R A S), and the two that lie in the picture, across and up.
PLANES = {"axial": (2, 0, 1), "coronal": (1, 0, 2), "sagittal": (0, 1, 2)}
# What lies at the left, right, upper and lower edge of each picture.
MARKS = {"axial": "RLAP", "coronal": "RLSI", "sagittal": "APSI"}
EDGES = ((0.02, 0.5), (0.98, 0.5), (0.5, 0.98), (0.5, 0.02))


class Plane(NamedTuple):
    """A plane: its image in HU (rows up, columns across), the masks in it by name, and mm per pixel across and up.

    `number` is that of the slice in the scan, from 1.
    """

    name: str
    number: int
    image: np.ndarray
    masks: dict[str, np.ndarray]
    mm: tuple[float, float]


def draw_preview(result: SegmentationResult, path: Path) -> None:
    """Draw a PNG with the contours of each prompt's own mask, in the colours that other files have for them."""
    from matplotlib import patheffects
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(15, 5.6), dpi=110, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    colours = {name: "#{:02x}{:02x}{:02x}".format(*colour) for name, colour in colours_of(result.table).items()}
    outline = [patheffects.withStroke(linewidth=2.5, foreground="black")]
    low, high = grey_range(result.scan)
    for axes, plane in zip(figure.subplots(1, 3), planes(result), strict=True):
        across, up = plane.mm
        size = (0, plane.image.shape[1] * across, 0, plane.image.shape[0] * up)
        axes.imshow(plane.image, cmap="gray", vmin=low, vmax=high, origin="lower", extent=size)
        for name, mask in plane.masks.items():
            # Contours run through voxel centres; a mask at the edge of the picture is closed there.
            framed = np.pad(mask.astype(np.float32), 1)
            x = (np.arange(framed.shape[1]) - 0.5) * across
            y = (np.arange(framed.shape[0]) - 0.5) * up
            axes.contour(x, y, framed, levels=[0.5], colors=[colours[name]], linewidths=1.2)
        for letter, (right, above) in zip(MARKS[plane.name], EDGES, strict=True):
            axes.text(
                right,
                above,
                letter,
                transform=axes.transAxes,
                ha="center",
                va="center",
                color="white",
                path_effects=outline,
            )
        axes.set_title(f"{plane.name}, slice {plane.number}", fontsize=10)
        axes.set_axis_off()
    rows = sorted((row for row in result.table if row.volume_ml), key=lambda row: -row.volume_ml)
    lines = [
        Line2D([], [], color=colours[row.name], label=f"{_short(row.name)} {row.volume_ml:,.1f} ml") for row in rows
    ]
    if len(lines) > MOST_NAMED:
        lines[MOST_NAMED:] = [Line2D([], [], alpha=0, label=f"{len(lines) - MOST_NAMED} more")]
    if lines:
        figure.legend(handles=lines, loc="outside lower center", ncols=min(len(lines), 6), fontsize=8, frameon=False)
    else:
        figure.supxlabel("no prompt has a voxel", fontsize=9)
    figure.savefig(path, format="png", metadata={"Software": "ovct"})


def planes(result: SegmentationResult) -> list[Plane]:
    """Return the axial, coronal and sagittal plane, seen from the feet, the front and the left as radiologists do."""
    scan, centre = result.scan, _centre(result.labels)
    orientation = nibabel.io_orientation(scan.affine)
    planes_of_scan = []
    for name, (through, across, up) in PLANES.items():
        axes = [int(np.flatnonzero(orientation[:, 0] == world)[0]) for world in (through, across, up)]
        number, flips = centre[axes[0]], [orientation[axis, 1] < 0 for axis in axes[1:]]
        # The patient's right is on the left of the picture, and in the sagittal one the front.
        flips[0] = not flips[0]

        def upright(cut: np.ndarray, axes: list[int] = axes, flips: list[bool] = flips) -> np.ndarray:
            """Turn a slice, whose two axes are in the scan's order, to rows up and columns across."""
            picture = cut.T if axes[1] < axes[2] else cut
            return picture[:: -1 if flips[1] else 1, :: -1 if flips[0] else 1]

        masks = {row.name: upright(cut) for row, cut in _slices_of_masks(result, axes[0], number)}
        spacing = scan.spacing_mm
        image = upright(scan.voxels.take(number, axis=axes[0]))
        mm = spacing[axes[1]], spacing[axes[2]]
        planes_of_scan.append(Plane(name, number + 1, image, masks, mm))
    return planes_of_scan


def _slices_of_masks(result: SegmentationResult, axis: int, number: int) -> list[tuple[LabelRow, np.ndarray]]:
    """Return each prompt's own mask in one slice of the scan, if it has a voxel there."""
    labels = result.labels.take(number, axis=axis)
    masks = []
    for row in result.table:
        mask = labels == row.label
        shared = np.unravel_index(result.overlaps.voxels_of(row.label), result.labels.shape)
        in_slice = shared[axis] == number
        first, second = (indices[in_slice] for other, indices in enumerate(shared) if other != axis)
        mask[first, second] = True
        if mask.any():
            masks.append((row, mask))
    return masks


def _centre(labels: np.ndarray) -> list[int]:
    """Return the middle of all masks along each axis, that of the volume if there are none."""
    middle = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        voxels = np.count_nonzero(labels, axis=others)
        total = voxels.sum()
        middle.append(round(float(np.arange(len(voxels)) @ voxels) / total) if total else len(voxels) // 2)
    return middle


def grey_range(scan: Scan) -> tuple[float, float]:
    """Return the intensities shown as black and white: soft tissue, or the range of a scan that is not in HU."""
    return SOFT_TISSUE if hu_problem(scan.voxels) is None else own_range(scan.voxels[::4, ::4, ::4])


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"
