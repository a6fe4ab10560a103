"""Window presets: those of CT for HU, else from the scan's own range."""

import numpy as np
import pytest

from tests.train.viewer.view_cases import hounsfield_blocks
from train.viewer.windows import HU_WINDOWS, windows_of


def test_hounsfield_units_have_the_presets_of_ct_soft_tissue_first() -> None:
    windows = windows_of(hounsfield_blocks().astype(np.float32))
    assert windows is HU_WINDOWS
    assert [window.name for window in windows] == ["Soft tissue", "Lung", "Bone", "Brain", "Liver"]
    assert all(window.low < window.high for window in windows)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 255), (-3, 3), (5000, 60000)])
def test_what_is_not_hu_is_shown_between_its_own_values(low: float, high: float) -> None:
    voxels = np.random.default_rng(0).uniform(low, high, (30, 30, 30)).astype(np.float32)
    windows = windows_of(voxels)
    assert windows is not HU_WINDOWS and len(windows) >= 2
    first = windows[0]
    assert low <= first.low < low + 0.1 * (high - low) and high - 0.1 * (high - low) < first.high <= high
    assert all(window.low < window.high for window in windows_of(np.zeros((4, 4, 4), np.float32)))
