"""NRRD and MetaImage headers: what they do not say is not made up, and what is no number is refused by its field."""

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.train.inference.segment_cases import hounsfield
from train.scans.errors import ScanError
from train.scans.scan import read_scan

VOXELS = hounsfield((12, 11, 10))
RAW = VOXELS.transpose(2, 1, 0).astype("<i2").tobytes()
NRRD = "NRRD0005\ntype: short\ndimension: 3\nsizes: 12 11 10\nendian: little\n"
AXES = "space directions: (3,0,0) (0,3,0) (0,0,4)\n"
META = "NDims = 3\nBinaryDataByteOrderMSB = False\nDimSize = 12 11 10\nElementType = MET_SHORT\n"
TURN = "TransformMatrix = 1 0 0 0 1 0 0 0 1\n"
SPACED = "ElementSpacing = 3 3 4\n"


def nrrd(folder: Path, fields: str, voxels: bytes = RAW, encoding: str = "raw") -> Path:
    path = folder / "ct.nrrd"
    path.write_bytes(f"{NRRD}{fields}encoding: {encoding}\n\n".encode() + voxels)
    return path


def metaimage(folder: Path, fields: str, voxels: bytes = RAW) -> Path:
    path = folder / "ct.mha"
    path.write_bytes(f"ObjectType = Image\n{META}{fields}ElementDataFile = LOCAL\n".encode() + voxels)
    return path


def stored(folder: Path, fields: str) -> Path:
    return nrrd(folder, fields) if ":" in fields else metaimage(folder, fields)


@pytest.mark.parametrize("fields", ["space: LPS\n" + AXES, TURN + SPACED, TURN + "ElementSize = 3 3 4\n"])
def test_a_header_that_says_all_is_read_without_a_word(tmp_path: Path, fields: str) -> None:
    scan = read_scan(stored(tmp_path, fields))
    assert np.array_equal(scan.voxels, VOXELS) and list(scan.spacing_mm) == [3, 3, 4] and scan.warnings == ()


@pytest.mark.parametrize("fields", ["content: ct\n", "space: LPS\n", "Name = ct\n", TURN])
def test_a_header_without_spacing_is_refused_as_in_nifti(tmp_path: Path, fields: str) -> None:
    path = stored(tmp_path, fields)
    with pytest.raises(ScanError, match=r"ct\..*: its header .* is missing\): sizes in mm"):
        read_scan(path)
    assert list(read_scan(path, allow_suspicious=True).spacing_mm) == [1, 1, 1]


@pytest.mark.parametrize(
    "fields", ["spacings: 3 3 4\n", "space: scanner-xyz\n" + AXES, "space dimension: 3\n" + AXES, SPACED]
)
def test_a_header_without_orientation_is_told_as_in_nifti(tmp_path: Path, fields: str) -> None:
    scan = read_scan(stored(tmp_path, fields))
    assert list(scan.spacing_mm) == [3, 3, 4]
    assert len(scan.warnings) == 1 and "left and right may be exchanged" in scan.warnings[0]


@pytest.mark.parametrize(
    ("fields", "units"),
    [
        ("space: LPS\nspace directions: (.3,0,0) (0,.3,0) (0,0,.4)\n", 'space units: "cm" "cm" "cm"\n'),
        ("space: LPS\nspace directions: (.003,0,0) (0,.003,0) (0,0,.004)\n", 'space units: "m" "m" "m"\n'),
        ("space: LPS\nspace directions: (3e3,0,0) (0,3e3,0) (0,0,4e3)\n", 'space units: "um" "um" "um"\n'),
        (TURN + "ElementSpacing = .3 .3 .4\n", "DistanceUnits = cm\n"),
    ],
)
def test_other_units_are_converted_and_told(tmp_path: Path, fields: str, units: str) -> None:
    scan = read_scan(stored(tmp_path, fields + units))
    np.testing.assert_allclose(scan.spacing_mm, (3, 3, 4))
    assert "converted to mm" in scan.warnings[0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("space: LPS\nspace directions: (nan,0,0) (0,3,0) (0,0,4)\n", r"space directions .* '\(nan,0,0\)"),
        ("space: LPS\nspace directions: none (0,3,0) (0,0,4)\n", "space directions .* a vector other than 0"),
        ("space: LPS\nspace directions: (3,0,0) (0,0,0) (0,0,4)\n", "space directions .* a vector other than 0"),
        ("space: LPS\nspace directions: (3,0,0) (0,3,0)\n", "space directions .* a vector other than 0"),
        ("spacings: 3 nan 4\n", "spacings in its header is '3 nan 4'"),
        ("spacings: 3 -3 4\n", "spacings in its header is '3 -3 4'"),
        ('space: LPS\nspace units: "ell" "ell" "ell"\n' + AXES, "space units in its header is"),
        ('space: LPS\nspace units: "mm" "cm" "mm"\n' + AXES, "one unit for all axes"),
        (TURN + "ElementSpacing = 3,0 3,0 4,0\n", "ElementSpacing in its header is '3,0 3,0 4,0', expected 3 numbers"),
        (TURN + "ElementSpacing = 0 3 4\n", "ElementSpacing in its header is '0 3 4'"),
        (TURN + "ElementSpacing = -3 3 4\n", "expected numbers above 0"),
        (SPACED + "TransformMatrix = 2 0 0 0 2 0 0 0 2\n", "TransformMatrix in its header is .*unit vectors"),
        (SPACED + TURN + "Offset = nan 0 0\n", "Offset in its header is 'nan 0 0'"),
        (SPACED + TURN + "BinaryData = False\n", "BinaryData in its header is 'False', expected True"),
        (SPACED + TURN + "ElementToIntensityFunctionSlope = 2\n", "ElementToIntensityFunctionSlope .* '2', expected 1"),
        (SPACED + TURN + "ElementToIntensityFunctionOffset = -1024\n", "FunctionOffset .* '-1024', expected 0"),
        (SPACED + TURN + "DistanceUnits = ell\n", "DistanceUnits in its header is 'ell'"),
    ],
)
def test_a_field_that_is_no_number_is_refused_with_its_value(tmp_path: Path, fields: str, message: str) -> None:
    with pytest.raises(ScanError, match=r"ct\..*" + message):
        read_scan(stored(tmp_path, fields))


def test_several_volumes_in_a_nrrd_are_called_so(tmp_path: Path) -> None:
    head = NRRD.replace("dimension: 3", "dimension: 4").replace("12 11 10", "12 11 5 2")
    for kinds in ("kinds: domain domain domain time\n", "kinds: domain domain domain list\n"):
        path = tmp_path / "ct.nrrd"
        path.write_bytes(f"{head}{kinds}encoding: raw\n\n".encode() + RAW)
        with pytest.raises(ScanError, match=r"several volumes in one file \(12 x 11 x 5 x 2; axis 4 is of kind"):
            read_scan(path)


SPACE = "space: LPS\n" + AXES
GZIP = gzip.compress(RAW, mtime=0)


@pytest.mark.parametrize(
    ("encoding", "voxels"), [("gzip", GZIP), ("bzip2", bz2.compress(RAW)), ("raw", RAW), ("hex", RAW.hex().encode())]
)
def test_every_encoding_of_nrrd_is_read(tmp_path: Path, encoding: str, voxels: bytes) -> None:
    assert np.array_equal(read_scan(nrrd(tmp_path, SPACE, voxels, encoding)).voxels, VOXELS)


@pytest.mark.parametrize(
    ("encoding", "voxels"),
    [
        ("gzip", GZIP[:-6] + bytes([GZIP[-6] ^ 1]) + GZIP[-5:]),
        ("gzip", GZIP[:-2] + bytes([GZIP[-2] ^ 1]) + GZIP[-1:]),
        ("gzip", GZIP + b"what is no gzip"),
        ("gzip", gzip.compress(RAW[:-2])),
        ("bzip2", bz2.compress(RAW)[:-4]),
        ("raw", RAW + bytes(400)),
        ("zrle", RAW),
    ],
)
def test_damaged_voxels_of_a_nrrd_are_refused(tmp_path: Path, encoding: str, voxels: bytes) -> None:
    with pytest.raises(ScanError, match=r"ct\.nrrd: (cut off or damaged|its voxels are stored in the encoding 'zrle')"):
        read_scan(nrrd(tmp_path, SPACE, voxels, encoding))


def test_more_voxels_than_a_metaimage_says_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"ct\.mha: cut off or damaged"):
        read_scan(metaimage(tmp_path, SPACED + TURN, RAW + bytes(400)))


@pytest.mark.parametrize("behind", [b"Comment = a ct\n", b"Modality: MET_MOD_CT\r\n", b"\n\n", b"# a note\n"])
def test_lines_behind_the_last_of_a_metaimage_header_are_no_voxels(tmp_path: Path, behind: bytes) -> None:
    with pytest.raises(ScanError, match=rf"{len(behind)} bytes too many stand behind ElementDataFile = LOCAL"):
        read_scan(metaimage(tmp_path, SPACED + TURN, behind + RAW))
    assert np.array_equal(read_scan(metaimage(tmp_path, SPACED + TURN, RAW + bytes(6))).voxels, VOXELS)
