"""A picture of a segmentation: three planes through the middle of the masks, with a contour for each prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np

from train.scans.scan import Scan

from .segmenting import Segmented

# Soft tissue, in HU; what is not HU is shown between its own 1st and 99th percentile.
SOFT_TISSUE = (-160.0, 240.0)
MOST_NAMED = 30
# Axis that is looked along (of R A S), and the two that lie in the picture, across and up.
PLANES = {"axial": (2, 0, 1), "coronal": (1, 0, 2), "sagittal": (0, 1, 2)}


class Plane(NamedTuple):
    """One cut: the image (rows up, columns across), a mask for each prompt that it meets, and mm across and up."""

    title: str
    image: np.ndarray
    masks: dict[str, np.ndarray]
    mm: tuple[float, float]


def draw_preview(found: Segmented, path: Path) -> None:
    """Draw it to a PNG; the contours are those of each prompt's own mask."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(15, 5.6), dpi=110, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    colours = _colours(found)
    low, high = _range(found.scan)
    for axes, plane in zip(figure.subplots(1, 3), planes(found), strict=True):
        across, up = plane.mm
        size = (0, plane.image.shape[1] * across, 0, plane.image.shape[0] * up)
        axes.imshow(plane.image, cmap="gray", vmin=low, vmax=high, origin="lower", extent=size)
        for name, mask in plane.masks.items():
            # Contours run through voxel centres; a mask at the edge of the picture is closed there.
            framed = np.pad(mask.astype(np.float32), 1)
            x = (np.arange(framed.shape[1]) - 0.5) * across
            y = (np.arange(framed.shape[0]) - 0.5) * up
            axes.contour(x, y, framed, levels=[0.5], colors=[colours[name]], linewidths=1.2)
        axes.set_title(plane.title, fontsize=10)
        axes.set_axis_off()
    named = sorted((row for row in found.table if row.volume_ml), key=lambda row: -row.volume_ml)
    lines = [
        Line2D([], [], color=colours[row.name], label=f"{_short(row.name)} {row.volume_ml:,.1f} ml") for row in named
    ]
    if len(lines) > MOST_NAMED:
        lines[MOST_NAMED:] = [Line2D([], [], alpha=0, label=f"{len(lines) - MOST_NAMED} more")]
    if lines:
        figure.legend(handles=lines, loc="outside lower center", ncols=min(len(lines), 6), fontsize=8, frameon=False)
    else:
        figure.supxlabel("no prompt has a voxel", fontsize=9)
    figure.savefig(path, format="png")


def planes(found: Segmented) -> list[Plane]:
    """Axial, coronal and sagittal, seen from the feet, the front and the left side as radiologists do."""
    scan, centre = found.scan, _centre(found.labels)
    turn = nibabel.io_orientation(scan.affine)
    cuts = []
    for title, (through, across, up) in PLANES.items():
        axes = [int(np.flatnonzero(turn[:, 0] == world)[0]) for world in (through, across, up)]
        at, flips = centre[axes[0]], [turn[axis, 1] < 0 for axis in axes[1:]]
        # The patient's right is on the left of the picture, and in the sagittal one the front.
        flips[0] = not flips[0]

        def upright(cut: np.ndarray, axes: list[int] = axes, flips: list[bool] = flips) -> np.ndarray:
            """A cut, (its two axes in the scan's order), to rows up and columns across."""
            picture = cut.T if axes[1] < axes[2] else cut
            return picture[:: -1 if flips[1] else 1, :: -1 if flips[0] else 1]

        masks = {row.name: upright(cut) for row, cut in _cuts(found, axes[0], at)}
        spacing = scan.spacing_mm
        image = upright(scan.voxels.take(at, axis=axes[0]))
        cuts.append(Plane(f"{title}, slice {at + 1}", image, masks, (spacing[axes[1]], spacing[axes[2]])))
    return cuts


def _cuts(found: Segmented, axis: int, at: int) -> list[tuple[Any, np.ndarray]]:
    """Each prompt's own mask in one slice of the scan, where it has a voxel there."""
    shown = found.labels.take(at, axis=axis)
    cuts = []
    for row in found.table:
        mask = shown == row.label
        hidden = np.unravel_index(found.claims.of(row.label), found.labels.shape)
        in_it = hidden[axis] == at
        rest = [places[in_it] for number, places in enumerate(hidden) if number != axis]
        mask[rest[0], rest[1]] = True
        if mask.any():
            cuts.append((row, mask))
    return cuts


def _centre(labels: np.ndarray) -> list[int]:
    """The middle of all masks along each axis, that of the volume where there are none."""
    middle = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        voxels = np.count_nonzero(labels, axis=others)
        total = voxels.sum()
        middle.append(round(float(np.arange(len(voxels)) @ voxels) / total) if total else len(voxels) // 2)
    return middle


def _range(scan: Scan) -> tuple[float, float]:
    if not scan.warnings:
        return SOFT_TISSUE
    low, high = np.percentile(scan.voxels[::4, ::4, ::4], [1, 99]).tolist()
    return low, high if high > low else low + 1


def _colours(found: Segmented) -> dict[str, Any]:
    import matplotlib

    palette = matplotlib.color_sequences["tab20"]
    return {row.name: palette[number % len(palette)] for number, row in enumerate(found.table)}


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"
