"""Hounsfield units told from what they are often mistaken for, on phantoms and real volumes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.train.scans.test_scan import load_nifti
from train.scans.hounsfield import hu_problem

Voxels = np.ndarray[Any, Any]


def body(shape: tuple[int, int, int] = (40, 36, 20)) -> Voxels:
    """A cylinder of tissue with a lung, fat and bone, in noisy air."""
    x, y, _ = np.ogrid[: shape[0], : shape[1], : shape[2]]
    distance = np.hypot((x / shape[0] - 0.5) * 2.2, (y / shape[1] - 0.5) * 2.2) + np.zeros(shape)
    voxels = np.select([distance < 0.2, distance < 0.35, distance < 0.8, distance < 0.9], [-850, 600, 50, -100], -1000)
    return (voxels + np.random.default_rng(0).normal(0, 15, shape)).astype(np.float32)


def padded(value: float) -> Callable[[Voxels], Voxels]:
    def change(voxels: Voxels) -> Voxels:
        x, y = np.ogrid[: voxels.shape[0], : voxels.shape[1]]
        outside = np.hypot(x / voxels.shape[0] - 0.5, y / voxels.shape[1] - 0.5) > 0.5
        return np.where(outside[..., None], np.float32(value), voxels)

    return change


def middle(voxels: Voxels) -> Voxels:
    return voxels[tuple(slice(length // 3, -length // 3) for length in voxels.shape[:2])]


GOOD: dict[str, Callable[[Voxels], Voxels]] = {
    "as scanned": lambda voxels: voxels,
    "padding -2000": padded(-2000),
    "padding -3024": padded(-3024),
    "padding -32768": padded(-32768),
    "clipped to ±1000": lambda voxels: voxels.clip(-1000, 1000),
    "the middle": middle,
}
BAD: dict[str, tuple[Callable[[Voxels], Voxels], str]] = {
    "0..255": (lambda voxels: (voxels.clip(-160, 240) + 160) / 400 * 255, "grey levels"),
    "0..1": (lambda voxels: (voxels.clip(-1000, 1000) + 1000) / 2000, "scaled for a network"),
    "z-scores": (lambda voxels: (voxels - voxels.mean()) / voxels.std(), "scaled for a network"),
    "no intercept": (lambda voxels: voxels.clip(-1024) + 1024, "intercept .* is missing"),
    "no intercept, padded": (lambda voxels: padded(-2000)(voxels.clip(-1024) + 1024), "intercept .* is missing"),
    "intercept twice": (lambda voxels: voxels - 1024, "subtracted twice"),
    "intercept twice, padded": (lambda voxels: padded(-2000)(voxels) - 1024, "subtracted twice"),
    "soft-tissue window": (lambda voxels: voxels.clip(-160, 240), "nothing is below -160"),
    "no negative values": (lambda voxels: voxels.clip(0), "nothing is below 0"),
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_hu_are_taken_as_such(change: Callable[[Voxels], Voxels]) -> None:
    assert hu_problem(change(body())) is None


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD)
def test_what_is_not_hu_is_named(change: Callable[[Voxels], Voxels], message: str) -> None:
    problem = hu_problem(change(body()))
    assert problem is not None and re.search(message, problem)


def test_real_volumes_likewise(shared_data: Path) -> None:
    for path in ("soft_tissue_sarcoma/STS_008/CT_image.nii.gz", "totalsegmentator/example_ct_sm.nii.gz"):
        voxels = load_nifti(shared_data / "volumes" / path).get_fdata(dtype=np.float32)
        assert [name for name, change in GOOD.items() if hu_problem(change(voxels))] == []
        assert [name for name, (change, _) in BAD.items() if not hu_problem(change(voxels))] == []


def test_a_large_volume_is_looked_at_everywhere() -> None:
    # A stride along memory that divides the row length would see a single column.
    voxels = np.tile(body((50, 36, 20)), (4, 4, 4))
    assert hu_problem(voxels) is None
    assert hu_problem(voxels.clip(0)) is not None
