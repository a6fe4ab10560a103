"""Window presets: which intensities of a scan are black and white on the page."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from train.scans.grey_range import SOFT_TISSUE, own_range
from train.scans.hounsfield import hu_problem


class Window(NamedTuple):
    """A window by its name: what lies at `low` and below is black, at `high` and above white."""

    name: str
    low: float
    high: float


HU_WINDOWS = (
    Window("Soft tissue", *SOFT_TISSUE),
    Window("Lung", -1350, 150),
    Window("Bone", -500, 1300),
    Window("Brain", 0, 80),
    Window("Liver", -20, 140),
)
# Presets of a scan that is not in HU, by the percentiles of its own values.
RANGES = {"Most values": (1.0, 99.0), "All values": (0.0, 100.0), "Bright values": (50.0, 99.9)}


def windows_of(voxels: np.ndarray[Any, Any]) -> tuple[Window, ...]:
    """Return the presets for a scan, the first of which it is opened with: those of CT only where it may be in HU."""
    if hu_problem(voxels) is None:
        return HU_WINDOWS
    step = max(1, round((voxels.size / 500_000) ** (1 / 3)))
    sample = voxels[::step, ::step, ::step]
    return tuple(Window(name, *own_range(sample, *shares)) for name, shares in RANGES.items())
