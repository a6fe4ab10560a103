"""The picture of a segmentation: planes as radiologists see them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from tests.train.inference.segment_cases import ball, hounsfield, result_of, scan_of
from train.inference.files.label_names import colours_of
from train.inference.files.preview import draw_preview, grey_range, planes
from train.scans.grey_range import SOFT_TISSUE

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
            assert rows.mean() == pytest.approx(y, abs=0.6) and columns.mean() == pytest.approx(x, abs=0.6), plane.name
        assert [plane.mm for plane in (axial, coronal)] == [(1, 1), (1, 2)]
        assert axial.image.shape == (15, 16) and sagittal.image.shape == (14, 15)


def test_the_window_is_that_of_the_scan_whatever_else_was_told() -> None:
    in_hu = scan_of(hounsfield(SHAPE))
    told = replace(in_hu, warnings=("'vesica fellea' was taken as gallbladder, as the anatomy vocabulary has it",))
    assert grey_range(in_hu) == grey_range(told) == SOFT_TISSUE
    picture = scan_of(hounsfield(SHAPE) // 10 + 110)
    low, high = grey_range(picture)
    assert (low, high) != SOFT_TISSUE and low < high


def test_sides_are_marked_and_contours_have_the_colours_of_the_structures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    logits = torch.stack([ball(SHAPE, (4 + 4 * number, 7, 6), 2.2) for number in range(3)])
    result = result_of(logits, ["left kidney", "liver", "odd thing"], scan_of(hounsfield(SHAPE)))
    draw_preview(result, tmp_path / "mask.png")
    letters = [[text.get_text() for text in axes.texts] for axes in drawn[0].axes]
    assert letters == [["R", "L", "A", "P"], ["R", "L", "S", "I"], ["A", "P", "S", "I"]]
    colours = {tuple(level / 255 for level in colour) for colour in colours_of(result.table).values()}
    shown = {tuple(line[:3]) for axes in drawn[0].axes for lines in axes.collections for line in lines.get_edgecolor()}
    assert shown == colours and len(colours) == 3
