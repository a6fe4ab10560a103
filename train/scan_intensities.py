"""Whether the intensities of a volume are Hounsfield units, and what they look like if not."""

from typing import Any

import numpy as np

# Voxels looked at: shares of a percent are steady in so many, whatever the size of the volume.
LOOKED_AT = 500_000
# No tissue and no air has so few HU: scanners write such values outside their field of view.
PADDING = -1500.0


def hu_problem(voxels: np.ndarray[Any, Any]) -> str | None:
    """What `voxels` look like where they are not HU, as a sentence without a subject; None where they may be HU.

    Air is -1000 HU, fat about -100, soft tissue 0 to 100 (water is 0 by definition), bone above 200. Padding below
    -1500 is common and no problem, as long as there is tissue where tissue belongs.
    """
    lowest, highest = float(voxels.min()), float(voxels.max())
    step = max(1, round((voxels.size / LOOKED_AT) ** (1 / voxels.ndim)))
    seen = voxels[(slice(None, None, step),) * voxels.ndim]
    scanned = seen[seen > PADDING]
    if not scanned.size or _doubly_shifted(seen):
        return f"air lies at about -2000, not at -1000: the intercept was subtracted twice? {_END}"
    if highest - lowest <= 20:
        return f"intensities from {lowest:.3g} to {highest:.3g} look scaled for a network, not HU. {_END}"
    if lowest >= 0 and highest <= 255:
        return f"intensities from {lowest:.0f} to {highest:.0f} look like the grey levels of a picture, not HU. {_END}"
    if _share(scanned, -np.inf, -200) < 0.001 and _share(scanned, 824, 1224) > 0.05:
        return f"water lies at about 1000, not at 0: the intercept (such as -1024) is missing. {_END}"
    return _cut_off(scanned)


_END = "Results will be poor: export the CT in HU, with rescale slope and intercept applied once"


def _doubly_shifted(seen: np.ndarray[Any, Any]) -> bool:
    """Tissue at -1000 and air at -2000: hardly anything where tissue belongs, and more than one value below -1500."""
    below = seen[seen <= PADDING]
    spread = below.size > 0.01 * seen.size and float(np.ptp(below)) > 0 and np.unique(below).size > 20
    return spread and _share(seen, -200, 200) < 0.02


def _cut_off(scanned: np.ndarray[Any, Any]) -> str | None:
    """Neither air nor fat, or everything below some value set to it."""
    lowest = float(scanned.min())
    heap = float((scanned == lowest).mean())
    if lowest > -20 or (lowest > -800 and heap > 0.05):
        return f"nothing is below {lowest:.0f}, where air has -1000 and fat -100: the volume was windowed? {_END}"
    return None


def _share(values: np.ndarray[Any, Any], low: float, high: float) -> float:
    return float(((values >= low) & (values <= high)).mean())
