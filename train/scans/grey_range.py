"""Which intensities are shown as black and white: a window in HU, or what a scan that is not in HU has itself."""

from __future__ import annotations

from typing import Any

import numpy as np

# In HU.
SOFT_TISSUE = (-160.0, 240.0)


def own_range(voxels: np.ndarray[Any, Any], low_share: float = 1.0, high_share: float = 99.0) -> tuple[float, float]:
    """Return the values below which these shares of the voxels lie, in percent; the second is above the first."""
    low, high = np.percentile(voxels, [low_share, high_share]).tolist()
    return low, high if high > low else low + 1
