"""Sizes that no CT has are refused before a voxel is read; thin and sheared volumes are told."""

from pathlib import Path

import numpy as np
import pytest

from train.scans.errors import ScanError
from train.scans.geometry import check_place, lost_spacing

CT = Path("ct.nii")


@pytest.mark.parametrize("spacing", [(300, 300, 300), (0.7, 0.7, 40), (1e-3, 1e-3, 1e-3), (3, 3, 1e-3), (4, 4, 1)])
def test_a_size_that_no_ct_has_is_refused_with_it(spacing: tuple[float, float, float]) -> None:
    with pytest.raises(ScanError, match=r"ct\.nii: by its header the volume is .* mm large .*, in metres\. Put"):
        check_place(CT, (512, 512, 100), np.diag([*spacing, 1.0]), ", in metres")


def test_sizes_of_ct_are_taken_and_thin_ones_told() -> None:
    for spacing in ((0.7, 0.7, 3), (1.5, 1.5, 20), (0.1, 0.1, 0.5)):
        assert check_place(CT, (512, 512, 100), np.diag([*spacing, 1.0])) == ()
    (doubt,) = check_place(CT, (512, 512, 3), np.diag([0.7, 0.7, 5, 1]))
    assert "only 358.4 x 358.4 x 15 mm large" in doubt


def test_axes_that_are_not_at_right_angles_are_told() -> None:
    sheared = np.diag([1.0, 1, 3, 1])
    sheared[1, 2] = 0.3
    (doubt,) = check_place(CT, (100, 100, 100), sheared)
    assert "not at right angles, by 5.7 degrees" in doubt
    assert list(lost_spacing(np.diag([1.0, 1, 1.01, 1]))) == []
