"""NIfTI files: read to their last byte, and their geometry in mm; what is damaged is refused by name."""

import gzip
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from tests.train.inference.segment_cases import affine_of, hounsfield
from tests.train.inference.segment_cases import nifti as saved
from train.scans.errors import ScanError
from train.scans.scan import read_scan

VOXELS, AFFINE = hounsfield((12, 11, 10)), affine_of((3, 3, 4), "LPS")
METRES = np.diag([1e-3, 1e-3, 1e-3, 1])


def patched(path: Path, *fields: tuple[int, str, Any], affine: np.ndarray = AFFINE) -> Path:
    """A NIfTI file with numbers at some bytes of its header."""
    saved(path, VOXELS, affine)
    raw = bytearray(path.read_bytes())
    for place, kind, values in fields:
        struct.pack_into("<" + kind, raw, place, *np.atleast_1d(values).tolist())
    path.write_bytes(raw)
    return path


QUATERNION, SFORM_CODE, PIXDIM, UNIT, SLOPE = 256, 252 + 2, 80, 123, 112


@pytest.mark.parametrize("seed", range(12))
def test_no_flipped_bit_of_a_packed_file_is_read(tmp_path: Path, seed: int) -> None:
    path = saved(tmp_path / "ct.nii.gz", VOXELS, AFFINE)
    raw, draw = bytearray(path.read_bytes()), random.Random(seed)
    raw[draw.randrange(20, len(raw))] ^= 1 << draw.randrange(8)
    path.write_bytes(raw)
    with pytest.raises(ScanError, match=r"ct\.nii\.gz: .*(damaged|NIfTI)"):
        read_scan(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-4],
        lambda raw: raw + b"what is no gzip",
        lambda raw: gzip.compress(gzip.decompress(raw)[:-2]),
        lambda raw: gzip.compress(gzip.decompress(raw) + bytes(700)),
        lambda raw: gzip.decompress(raw) + bytes(700),
    ],
)
def test_what_is_missing_or_too_much_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = saved(tmp_path / "ct.nii.gz", VOXELS, AFFINE)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ScanError, match=r"ct\.nii\.gz: cut off or damaged"):
        read_scan(path)


def test_several_gzip_members_and_padding_are_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "CT.NII.GZ".lower(), VOXELS, AFFINE)
    raw = gzip.decompress(path.read_bytes())
    capitals = tmp_path / "OTHER.NII.GZ"
    capitals.write_bytes(gzip.compress(raw[:900]) + gzip.compress(raw[900:]) + bytes(512))
    assert np.array_equal(read_scan(capitals).voxels, VOXELS)


def test_a_pair_of_files_is_one_volume_and_analyze_is_refused(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(VOXELS, AFFINE), tmp_path / "ct.img")
    for name in ("ct.img", "ct.hdr"):
        scan = read_scan(tmp_path / name)
        assert np.array_equal(scan.voxels, VOXELS) and np.allclose(scan.affine, AFFINE)
    (tmp_path / "ct.img").unlink()
    with pytest.raises(ScanError, match="which is not beside it"):
        read_scan(tmp_path / "ct.hdr")
    nibabel.save(nibabel.AnalyzeImage(VOXELS, AFFINE), tmp_path / "old.img")
    with pytest.raises(ScanError, match="Analyze file says nothing of left and right"):
        read_scan(tmp_path / "old.img")


@pytest.mark.parametrize(
    ("fields", "affine", "doubt"),
    [
        ([(UNIT, "b", 1)], METRES @ AFFINE, "in metres (xyzt_units is 1)"),
        ([(UNIT, "b", 1), (SFORM_CODE, "h", 0)], METRES @ AFFINE, "in metres"),
        ([(UNIT, "b", 3)], np.diag([1e3, 1e3, 1e3, 1]) @ AFFINE, "in micrometres"),
        ([(UNIT, "b", 5)], AFFINE, "xyzt_units of its header is 5"),
        ([(QUATERNION, "3f", [0.70711, 0.70711, 0.001])], AFFINE, "sform and qform say different things"),
        ([(QUATERNION, "3f", [0.9, 0.9, 0.1])], AFFINE, "its qform cannot be used (the squares of quatern_b 0.9"),
        ([(QUATERNION, "f", np.nan)], AFFINE, "its qform cannot be used (quatern_b nan"),
        ([(SFORM_CODE - 2, "h", 0), (PIXDIM, "3f", [0.7, 0.7, 5])], AFFINE, "its pixdim one of 0.7 x 0.7 x 5"),
        ([(PIXDIM, "f", -3)], AFFINE, "(pixdim) is negative, -3 x 3 x 4"),
    ],
)
def test_a_doubtful_geometry_is_right_and_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], fields: Any, affine: Any, doubt: str
) -> None:
    path = patched(tmp_path / "ct.nii", *fields, affine=affine)
    scan = read_scan(path)
    np.testing.assert_allclose(scan.affine, AFFINE, atol=1e-3)
    assert len(scan.warnings) == 1 and scan.warnings[0].startswith(f"{path}: ") and doubt in scan.warnings[0]
    assert capfd.readouterr() == ("", "")


def test_a_quaternion_that_rounding_made_too_long_is_a_rotation(tmp_path: Path) -> None:
    turned = patched(tmp_path / "ct.nii", (SFORM_CODE, "h", 0), (QUATERNION, "3f", [0.70711, 0.70711, 0.001]))
    scan = read_scan(turned)
    assert np.allclose(np.linalg.norm(scan.affine[:3, :3], axis=0), (3, 3, 4), atol=1e-3)
    assert abs(np.linalg.det(scan.affine[:3, :3])) == pytest.approx(36, abs=1e-2)
    assert scan.header is not None and np.allclose(scan.header.get_qform(), scan.affine, atol=1e-3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([(SFORM_CODE, "h", 0), (QUATERNION, "3f", [0.9, 0.9, 0.1])], "quatern_b 0.9, .*and it has no sform"),
        ([(SFORM_CODE, "h", 0), (PIXDIM, "f", 0)], r"pixdim\[1\] of its header, a voxel spacing, is 0"),
        ([(UNIT, "b", 1)], "more than any CT shows .*its unit is the metre"),
        ([(SLOPE, "f", np.inf)], "scl_slope and scl_inter are inf and 0"),
        ([(SLOPE, "f", 1e9)], r"beyond 100,000 HU, .* such as .* at voxel \(\d+, \d+, \d+\)"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, fields: Any, message: str) -> None:
    with pytest.raises(ScanError, match=message) as error:
        read_scan(patched(tmp_path / "ct.nii", *fields))
    assert str(tmp_path / "ct.nii") in str(error.value)


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1), (-1, 1, -1)])
def test_a_spacing_of_1_in_all_directions_is_told(tmp_path: Path, signs: tuple[int, ...]) -> None:
    affine = np.diag([*signs, 1.0])
    affine[:3, 3] = 7, -80, 12
    voxels = hounsfield((24, 22, 21))
    (warning,) = read_scan(saved(tmp_path / "ct.nii", voxels, affine)).warnings
    assert "its spacing is 1 x 1 x 1 mm" in warning


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_file_without_an_ending_is_read_by_what_is_in_it(tmp_path: Path, ending: str) -> None:
    path = saved(tmp_path / f"ct{ending}", VOXELS, AFFINE).rename(tmp_path / "ct")
    scan = read_scan(path)
    assert scan.kind == "nifti" and np.array_equal(scan.voxels, VOXELS)


def test_numbers_of_a_placement_that_are_none_are_named(tmp_path: Path) -> None:
    path = patched(tmp_path / "ct.nii", (280, "f", float("inf")))
    with pytest.raises(ScanError, match=r"ct\.nii: .*\. "):
        read_scan(path)
