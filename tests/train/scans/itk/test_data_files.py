"""A header's files of voxels lie below its own folder: every other name is refused, and nothing of it is read."""

from pathlib import Path

import numpy as np
import pytest

from train.data.checks import read_volume_header
from train.scans.errors import ScanError
from train.scans.scan import read_scan

META = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = 2 2 2\nElementSpacing = 9 9 9\n"
    "ElementType = MET_SHORT\n"
)
NRRD = (
    "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 2 2 2\nspace origin: (0,0,0)\n"
    "space directions: (9,0,0) (0,9,0) (0,0,9)\nendian: little\nencoding: raw\n"
)
# What follows the header; OUT stands for the folder above, in which other.raw, other1.raw and other2.raw lie.
LEADS_OUT = {
    "mhd": [
        *(
            "ElementDataFile = " + name
            for name in ("../other.raw", "OUT/other.raw", "a/../../other.raw", "./../other.raw")
        ),
        *(
            "ElementDataFile = " + name
            for name in ("LIST\n../other1.raw\n../other2.raw", "LIST 2\na1.raw\n../other2.raw")
        ),
        "ElementDataFile = LIST 3\nOUT/other.raw",
        "ElementDataFile = ../other%d.raw 1 2 1",
        "ElementDataFile = OUT/other%01d.raw 1 2 1",
        "ElementDataFile : ../other.raw",
        "ElementDataFile=../other.raw",
        "\t ElementDataFile = ../other.raw",
        "ElementDataFile\n= ../other.raw",
        "ElementDataFile = ..\\other.raw",
        "ElementDataFile = C:\\other.raw",
        "ElementDataFile = file:../../other.raw",
    ],
    "nhdr": [
        *("data file: " + name for name in ("../other.raw", "OUT/other.raw", "a/../../other.raw")),
        "datafile: ../other.raw",
        "DATA FILE: ../other.raw",
        "Data File: ../other.raw\n\n",
        "data file: LIST\n../other1.raw\n../other2.raw",
        "data file: LIST 2\na1.raw\nOUT/other2.raw",
        "data file: ../other%d.raw 1 2 1",
        "comment: x\r\ndata file: ../other.raw\r\n",
    ],
}
WRONG = {
    "mhd": {
        "ElementDataFile = a%s.raw 1 2 1": "is no pattern",
        "ElementDataFile = a%d%d.raw 1 2 1": "is no pattern",
        "ElementDataFile = a%d.raw 1 2 0": "is no pattern",
        "ElementDataFile = a%d.raw 1 999999 1": "names 999,999 files",
        "ElementDataFile = gone.raw": "'gone.raw' .* is not there",
        "Comment = ElementDataFile = a.raw\nElementDataFile = ../other.raw": "twice",
        "Comment = " + "x" * 70_000 + "\nElementDataFile = ../other.raw": "does not end",
        "ElementDataFile = LIST 3\nshort.raw": "holds .* at most",
    },
    "nhdr": {
        "data file: a%s.raw 1 2 1": "is no pattern",
        "data file: gone.raw": "'gone.raw' .* is not there",
        "# x\rdata file: a.raw\ndata file: ../other.raw": "twice",
        "# " + "x" * 70_000 + "\ndata file: ../other.raw": "does not end",
    },
}
READ = {
    "mhd": [
        "ElementDataFile = a.raw",
        "ElementDataFile = ./a.raw",
        "ElementDataFile = below/a.raw",
        "ElementDataFile = LIST\na1.raw\na2.raw",
        "ElementDataFile = a%d.raw 1 2 1",
        "ElementDataFile = a..b.raw",
    ],
    "nhdr": [
        "data file: a.raw",
        "data file: below/a.raw\n",
        "data file: LIST\na1.raw\na2.raw",
        "data file: a%d.raw 1 2 1",
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    voxels = np.arange(8, dtype="<i2").tobytes()
    folder = tmp_path / "scan"
    (folder / "below").mkdir(parents=True)
    for name in ("other.raw", "scan/a.raw", "scan/a..b.raw", "scan/below/a.raw"):
        (tmp_path / name).write_bytes(voxels)
    for name in ("other", "scan/a"):
        for number in (1, 2):
            (tmp_path / f"{name}{number}.raw").write_bytes(voxels[8 * (number - 1) : 8 * number])
    (folder / "short.raw").write_bytes(b"\0")
    return folder


def header(folder: Path, ending: str, rest: str) -> Path:
    path = folder / f"ct.{ending}"
    path.write_bytes(((META if ending == "mhd" else NRRD) + rest.replace("OUT", str(folder.parent)) + "\n").encode())
    return path


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(ending, rest) for ending, lines in table.items() for rest in lines]


@pytest.mark.parametrize(("ending", "rest"), cases(LEADS_OUT))
def test_names_that_leave_the_folder_are_refused(ending: str, rest: str, folder: Path) -> None:
    path = header(folder, ending, rest)
    for read in (read_scan, read_volume_header):
        with pytest.raises(ScanError, match=r"ct\.\w+: its header names '.*' as .*, which is not below its own folder"):
            read(path)


@pytest.mark.parametrize(("ending", "rest"), cases(READ))
def test_names_below_the_folder_are_read(ending: str, rest: str, folder: Path) -> None:
    path = header(folder, ending, rest)
    assert sorted(read_scan(path).voxels.ravel()) == list(range(8))
    found = read_volume_header(path)
    assert found.shape == (2, 2, 2)


@pytest.mark.parametrize(("ending", "rest"), cases({ending: list(table) for ending, table in WRONG.items()}))
def test_other_headers_say_what_is_wrong(ending: str, rest: str, folder: Path) -> None:
    with pytest.raises(ScanError, match=WRONG[ending][rest]):
        read_scan(header(folder, ending, rest))


@pytest.mark.parametrize("name", ["ct.mha", "ct.mhd"])
def test_a_format_under_another_name_is_not_tried(name: str, folder: Path) -> None:
    (folder / name).write_text(NRRD + "data file: ../other.raw\n")
    with pytest.raises(ScanError):
        read_scan(folder / name)
