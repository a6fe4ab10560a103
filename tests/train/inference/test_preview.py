"""The picture of a segmentation: planes as radiologists see them."""

import numpy as np
import pytest
import torch

from tests.train.inference.segment_cases import ball, hounsfield, result_of, scan_of
from train.inference.preview import planes

SHAPE = (16, 15, 14)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_planes_show_the_patient_as_radiologists_do() -> None:
    """Axes L P S: the left kidney has the lower x, and lies in the picture on the right."""
    scan_in_lps = scan_of(hounsfield(SHAPE), np.diag([-1.0, -1, 2, 1]))
    left = scan_of(scan_in_lps.voxels, np.diag([1.0, 1, 2, 1]))
    logits = ball(SHAPE, (4, 3, 10), 2.6)[None]
    for scan, flip in ((left, ()), (scan_in_lps, (1, 2))):
        shown = result_of(torch.flip(logits, flip), ["left kidney"], scan)
        axial, coronal, sagittal = planes(shown)
        for plane, (x, y) in ((axial, (11, 3)), (coronal, (11, 10)), (sagittal, (11, 10))):
            rows, columns = np.nonzero(plane.masks["left kidney"])
            assert rows.mean() == pytest.approx(y, abs=0.6) and columns.mean() == pytest.approx(x, abs=0.6), plane.title
        assert [plane.mm for plane in (axial, coronal)] == [(1, 1), (1, 2)]
        assert axial.image.shape == (15, 16) and sagittal.image.shape == (14, 15)
