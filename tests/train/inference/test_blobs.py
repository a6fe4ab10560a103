"""Finished masks: small blobs removed, whatever they overlap, and ends of the scan that cut a structure off."""

import numpy as np
import pytest
import torch

from tests.train.inference.segment_cases import affine_of, ball, hounsfield, result_of, scan_of
from train.inference.blobs import without_small_blobs
from train.inference.label_table import printable_table
from train.inference.result import SegmentationResult

SHAPE = (20, 18, 16)
VOXEL_ML = 1.5 * 2 * 3 / 1000

pytestmark = pytest.mark.usefixtures("one_thread")


def result(axes: str = "RAS") -> SegmentationResult:
    """A large and a small ball, a group of both, and a structure within the small one."""
    large, small = ball(SHAPE, (5, 8, 8), 3.2), ball(SHAPE, (15, 9, 8), 1.6)
    logits = torch.stack([torch.maximum(large, small), large, torch.maximum(large, small) + 0.5, small - 0.8])
    scan = scan_of(hounsfield(SHAPE), affine_of((1.5, 2, 3), axes))
    return result_of(logits, ["a", "b", "c", "d"], scan)


def test_small_blobs_are_removed_from_each_mask() -> None:
    before = result()
    after = without_small_blobs(before, 60 * VOXEL_ML)
    for name in "abcd":
        left, right = before.mask(name).copy(), after.mask(name)
        left[10:] = False
        assert np.array_equal(right, left), name
        old, new = before.row(name), after.row(name)
        assert new.volume_ml == pytest.approx(right.sum() * VOXEL_ML)
        assert new.removed_ml == pytest.approx(old.volume_ml - new.volume_ml)
        hounsfield_left = after.scan.voxels[right]
        assert new.mean_hu == (pytest.approx(float(hounsfield_left.mean()), rel=1e-4) if right.any() else None)
        assert new.in_label_map_ml == pytest.approx((after.labels == new.label).sum() * VOXEL_ML)
    assert np.array_equal(after.labels > 0, after.mask("c"))
    assert after.row("b").overlaps == {"a": 1.0, "c": 1.0} and after.row("d").overlaps == {}
    assert np.array_equal(before.labels, result().labels), "the result itself is not changed"


def test_what_lies_under_a_removed_blob_shows() -> None:
    before = result()
    assert without_small_blobs(before, before.row("d").volume_ml - VOXEL_ML / 2) is before
    smallest = before.row("d").volume_ml
    after = without_small_blobs(before, smallest + VOXEL_ML / 2)
    assert after.row("d").volume_ml == 0 and after.row("a").removed_ml == 0
    hole = before.mask("d")
    assert hole.any() and set(np.unique(after.labels[hole])) <= {after.row("a").label, after.row("c").label}
    assert without_small_blobs(before, 0) is before


@pytest.mark.parametrize(
    ("centre", "axes", "ends"),
    [
        ((9, 9, 8), "RAS", ()),
        ((1, 9, 8), "RAS", ("left",)),
        ((1, 9, 8), "LPS", ("right",)),
        ((9, 17, 14), "RAS", ("anterior", "superior")),
        ((9, 17, 14), "LPI", ("posterior", "inferior")),
    ],
)
def test_ends_of_the_scan_that_cut_off(centre: tuple[int, int, int], axes: str, ends: tuple[str, ...]) -> None:
    scan = scan_of(hounsfield(SHAPE), affine_of((1.5, 2, 3), axes))
    body = ball(SHAPE, centre, 3.2)
    segmented = result_of(torch.stack([body + 1, body]), ["body", "within"], scan)
    assert segmented.row("within").cut_off == segmented.row("body").cut_off == ends
    (remark, *_) = list(printable_table(segmented.table).columns[-1].cells)
    assert str(remark).startswith(f"cut off ({', '.join(ends)})" if ends else "")
