"""Pictures while training: reference above prediction on three planes of a held-out patch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def picture_name(case: str) -> str:
    """Return the name of a case's picture: a file's name, whatever the case is called in its data set's list."""
    plain = re.sub(r"[^\w.-]+", "_", case)[-100:].lstrip(".") or "case"
    return f"{plain}.png" if plain == case else f"{plain}-{hashlib.sha256(case.encode()).hexdigest()[:8]}.png"


def draw_overlays(path: Path, volume: Tensor, reference: Tensor, predicted: Tensor, names: Sequence[str]) -> None:
    """Write a PNG of `volume` (D, H, W) with the label maps `reference` and `predicted`, of the same shape, in colours.

    The planes go through the middle of the reference: axial, coronal and sagittal, anterior and superior up.
    """
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    grey, maps = volume.float().cpu().numpy(), [labels.cpu().numpy() for labels in (reference, predicted)]
    positions = np.argwhere(maps[0] > 0)
    middle = positions.mean(axis=0).astype(int) if len(positions) else np.array(grey.shape) // 2
    low, high = np.percentile(grey, (2, 99.5))
    colours = colormaps["gist_rainbow"](np.linspace(0, 1, len(names) + 1))
    figure = Figure(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(figure)
    for row, (title, labels) in enumerate(zip(("reference", "predicted"), maps, strict=True)):
        for axis in range(3):
            axes = figure.add_subplot(2, 3, 3 * row + axis + 1)
            axes.imshow(_plane(grey, axis, middle[axis]), cmap="gray", vmin=low, vmax=high, origin="lower")
            plane = _plane(labels, axis, middle[axis])
            overlay = colours[np.clip(plane, 0, len(names))]
            overlay[..., 3] = np.where(plane > 0, 0.5, 0)
            axes.imshow(overlay, origin="lower", interpolation="nearest")
            axes.set_title(f"{title}: {('axial', 'coronal', 'sagittal')[axis]}", fontsize=8)
            axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=90)


def _plane(volume: NDArray[Any], axis: int, index: int) -> NDArray[Any]:
    """Return a plane of (D, H, W), which run superior, anterior and right, as it is shown.

    The patient's right is on the left, as radiologists expect.
    """
    plane: NDArray[Any] = np.take(volume, index, axis=axis)
    return plane if axis == 2 else plane[:, ::-1]
