"""Slices that are even but for rounding are taken, jitter is told, a change of distance is said or resampled."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.train.inference.segment_cases import affine_of, dicom_series, hounsfield
from train.inference.errors import SegmentError
from train.inference.files.seg_sources import check_is_series
from train.scans.errors import ScanError
from train.scans.scan import read_scan

SHAPE = (12, 11)


def at(folder: Path, heights: Sequence[float], aside: Callable[[int], float] = lambda number: 0.0) -> Path:
    """A series of slices at these heights, in mm, shifted by `aside` mm along their rows."""
    dicom_series(folder, hounsfield((*SHAPE, len(heights))), affine_of((3, 3, 1), "LPS"))
    for file in folder.iterdir():
        header = pydicom.dcmread(file)
        number = int(header.InstanceNumber) - 1
        x, y, _ = header.ImagePositionPatient
        header.ImagePositionPatient = [round(float(x) + aside(number), 4), y, round(float(heights[number]), 4)]
        header.save_as(file)
    return folder


@pytest.mark.parametrize("spacing", [0.65, 0.75, 1.25])
@pytest.mark.parametrize("start", [0, 0.37])
def test_positions_rounded_to_a_tenth_are_even(tmp_path: Path, spacing: float, start: float) -> None:
    scan = read_scan(at(tmp_path / "ct", [round(start + spacing * number, 1) for number in range(35)]))
    assert scan.spacing_mm[2] == pytest.approx(spacing, abs=1e-3) and scan.warnings == ()


def test_jitter_below_a_tenth_of_the_spacing_is_told(tmp_path: Path) -> None:
    scan = read_scan(at(tmp_path / "ct", [4.0 * number + (0.3 if number == 4 else 0) for number in range(9)]))
    assert len(scan.warnings) == 1 and "lie a little unevenly: 028.dcm is 0.2" in scan.warnings[0]
    with pytest.raises(ScanError, match=r"not lie at even distances \(2\.6 to 5\.4 mm\): 028\.dcm is 1\.2"):
        read_scan(at(tmp_path / "b", [4.0 * number + (1.4 if number == 4 else 0) for number in range(9)]))


TWO = [*range(0, 32, 4), *range(35, 60, 7)]
THREE = [*range(6), *(5 + 2.5 * number for number in range(1, 7)), *(20 + 5.0 * number for number in range(1, 5))]
TWICE = [*range(0, 50, 5), *range(55, 120, 10)]


@pytest.mark.parametrize(
    ("heights", "said"),
    [
        (TWO, r"from 4 mm to 7 mm at slice 8 of 12 \(049\.dcm\)\. Resample it .*--uneven-slices resample"),
        (THREE, "from 1 mm to 2.5 mm at slice 6 of 16 .*; there are 2 such changes"),
        (TWICE, "changes within the series, from 5 mm to 10 mm at slice 10 of 17"),
        ([*range(0, 24, 4), *range(28, 60, 4)], r"slices are missing \(gaps: 1\), first between"),
    ],
)
def test_what_is_wrong_with_the_distances_is_said(tmp_path: Path, heights: list[float], said: str) -> None:
    folder = at(tmp_path / "ct", heights)
    with pytest.raises(ScanError, match=said) as error:
        read_scan(folder)
    assert str(error.value).startswith(f"{folder}: ")


@pytest.mark.parametrize(("heights", "distance"), [(TWO, 4), (THREE, 1), (TWICE, 5)])
def test_uneven_slices_are_resampled_on_request(tmp_path: Path, heights: list[float], distance: float) -> None:
    folder = at(tmp_path / "ct", heights)
    scan = read_scan(folder, uneven_slices="resample")
    assert scan.spacing_mm[2] == pytest.approx(distance) and "are resampled to" in scan.warnings[0]
    stored = hounsfield((*SHAPE, len(heights))).astype(np.float64)
    lies = [(np.diag([-1, -1, 1, 1]) @ scan.affine @ [0, 0, number, 1])[2] for number in range(scan.voxels.shape[2])]
    for number, height in enumerate(lies):
        plain = np.array([[np.interp(height, heights, stored[x, y]) for y in range(SHAPE[1])] for x in range(SHAPE[0])])
        np.testing.assert_allclose(scan.voxels[:, :, number], plain, atol=1e-2)
    assert heights[-1] - distance < lies[-1] <= heights[-1]
    assert scan.dicom_files == ()
    with pytest.raises(SegmentError, match="its slices were resampled, and a DICOM SEG"):
        check_is_series(scan)


def test_what_was_not_scanned_is_not_made_up(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"36 mm lie between .* too much to be filled"):
        read_scan(at(tmp_path / "gap", [*range(0, 48, 4), 80]), uneven_slices="resample")
    with pytest.raises(ScanError, match="shifted against each other"):
        read_scan(at(tmp_path / "shift", range(0, 48, 4), lambda number: 30.0 * (number > 6)), uneven_slices="resample")
