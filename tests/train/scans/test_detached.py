"""A header without its voxels, and voxels without their header, say what is missing."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tests.train.inference.segment_cases import affine_of, hounsfield
from train.scans.errors import ScanError
from train.scans.scan import read_scan

VOXELS = hounsfield((12, 11, 8))


def pair(folder: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(VOXELS, affine_of((3, 3, 4))), folder / "ct.img")


def test_a_pair_is_read_by_either_file_and_as_the_only_volume_of_a_folder(tmp_path: Path) -> None:
    pair(tmp_path)
    for path in (tmp_path / "ct.img", tmp_path / "ct.hdr", tmp_path):
        assert np.array_equal(read_scan(path).voxels, VOXELS)


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("ct.img", r"ct\.img: voxels without their header \(NIfTI\), which is ct\.hdr and is not beside it"),
        ("ct.img.gz", r"ct\.img\.gz: voxels without their header \(NIfTI\), which is ct\.hdr or ct\.hdr\.gz"),
        ("ct.hdr", r"ct\.hdr: a NIfTI header whose voxels are in a file \.img, which is not beside it"),
        ("ct.raw", r"ct\.raw: .* \(MetaImage or NRRD\), which is ct\.mhd or ct\.nhdr and is not beside it"),
        ("ct.zraw", r"ct\.zraw: .* \(MetaImage\), which is ct\.mhd"),
    ],
)
def test_one_of_two_files_alone_says_which_is_missing(tmp_path: Path, kept: str, told: str) -> None:
    pair(tmp_path)
    header, voxels = (tmp_path / "ct.hdr").read_bytes(), (tmp_path / "ct.img").read_bytes()
    for file in tmp_path.iterdir():
        file.unlink()
    content = header if kept == "ct.hdr" else voxels
    (tmp_path / kept).write_bytes(gzip.compress(content) if kept.endswith(".gz") else content)
    for path in (tmp_path / kept, tmp_path):
        with pytest.raises(ScanError, match=told):
            read_scan(path)


def test_voxels_whose_header_lies_beside_them_point_to_it(tmp_path: Path) -> None:
    (tmp_path / "ct.raw").write_bytes(VOXELS.tobytes())
    (tmp_path / "CT.mhd").write_text("ObjectType = Image")
    with pytest.raises(ScanError, match=r"ct\.raw: voxels without a header, .* those of CT\.mhd beside it.*Give that"):
        read_scan(tmp_path / "ct.raw")
