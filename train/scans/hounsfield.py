"""The values of a CT: refuses what no CT has, and says what values look like that are not HU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .errors import ScanError

# Air is -1000 HU; what lies below -1024 is noise, or padding such as -2000 or -3024 outside the field of view, which
# would shift the mean and deviation of the whole volume.
LOWEST_HU = -1024.0
# No tissue and no air has so few HU: scanners write such values outside their field of view.
PADDING = -1500.0
# The extended scale of CT for metal ends at 30,710 HU, and 16 bits at 65,535.
MOST_HU = 100_000.0
# `hu_problem` looks at this many voxels: shares of a percent are steady in so many, whatever the size of the volume.
SAMPLED_VOXELS = 500_000

_EXPORT_IN_HU = "Results will be poor: export the CT in HU, with rescale slope and intercept applied once"


def check_values(path: Path, voxels: np.ndarray[Any, Any], files: tuple[Path, ...] = ()) -> None:
    """Raise `ScanError` where a voxel is no number or none that a CT has, or where all voxels are equal.

    `files` are those of the slices of the third axis, to name one by.
    """
    lowest, highest = voxels.min(), voxels.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        bad = voxels.size - int(np.isfinite(voxels).sum())
        raise ScanError(
            f"{path}: {bad:,} of {voxels.size:,} voxels are not finite numbers. Replace them, outside the body by -1024"
        )
    if lowest == highest:
        raise ScanError(f"{path}: every voxel is {lowest:g}, there is nothing in it. Export the scan once more")
    if max(-lowest, highest) > MOST_HU:
        odd = int(voxels.argmax() if highest > MOST_HU else voxels.argmin())
        place = tuple(int(number) for number in np.unravel_index(odd, voxels.shape))
        count = int((np.abs(voxels) > MOST_HU).sum())
        in_file = f" of {files[place[2]].name}" if len(files) == voxels.shape[2] else ""
        raise ScanError(
            f"{path}: {count:,} of {voxels.size:,} voxels are beyond {MOST_HU:,.0f} HU, which no CT has, such as "
            f"{voxels[place]:.3g} at voxel {place}{in_file}. Replace them, outside the body by -1024, or export the "
            "scan once more"
        )


def hu_problem(voxels: np.ndarray[Any, Any]) -> str | None:
    """Return what `voxels` look like where they are not HU, as a sentence without a subject; None where they may be.

    Air is -1000 HU, fat about -100, soft tissue 0 to 100 (water is 0 by definition), bone above 200. Padding below
    -1500 is common and no problem, as long as there is tissue at the values of tissue.
    """
    lowest, highest = float(voxels.min()), float(voxels.max())
    step = max(1, round((voxels.size / SAMPLED_VOXELS) ** (1 / voxels.ndim)))
    sample = voxels[(slice(None, None, step),) * voxels.ndim]
    scanned = sample[sample > PADDING]
    if not scanned.size or _is_doubly_shifted(sample):
        return f"air lies at about -2000, not at -1000: the intercept was subtracted twice? {_EXPORT_IN_HU}"
    if highest - lowest <= 20:
        return f"intensities from {lowest:.3g} to {highest:.3g} look scaled for a network, not HU. {_EXPORT_IN_HU}"
    if lowest >= 0 and highest <= 255:
        return (
            f"intensities from {lowest:.0f} to {highest:.0f} look like the grey levels of a picture, not HU. "
            f"{_EXPORT_IN_HU}"
        )
    if _share_between(scanned, -np.inf, -200) < 0.001 and _share_between(scanned, 824, 1224) > 0.05:
        return f"water lies at about 1000, not at 0: the intercept (such as -1024) is missing. {_EXPORT_IN_HU}"
    return _windowing_problem(scanned)


def _is_doubly_shifted(sample: np.ndarray[Any, Any]) -> bool:
    """Whether tissue lies at -1000 and air at -2000: hardly a voxel at the values of tissue, and many below -1500.

    Below -1500 there must be many different values: padding has one.
    """
    below = sample[sample <= PADDING]
    spread = below.size > 0.01 * sample.size and float(np.ptp(below)) > 0 and np.unique(below).size > 20
    return spread and _share_between(sample, -200, 200) < 0.02


def _windowing_problem(scanned: np.ndarray[Any, Any]) -> str | None:
    """Return a sentence where there is neither air nor fat, or where everything below some value was set to it."""
    lowest = float(scanned.min())
    share_of_lowest = float((scanned == lowest).mean())
    if lowest > -20 or (lowest > -800 and share_of_lowest > 0.05):
        return (
            f"nothing is below {lowest:.0f}, where air has -1000 and fat -100: the volume was windowed? {_EXPORT_IN_HU}"
        )
    return None


def _share_between(values: np.ndarray[Any, Any], low: float, high: float) -> float:
    return float(((values >= low) & (values <= high)).mean())
