"""A header that promises more than its file holds, or than any scan has, is refused before memory is set aside."""

import gzip
import resource
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel
import numpy as np
import pytest

from curation.runtime.errors import InputError
from train.data.checks import read_volume_header
from train.scans.errors import ScanError
from train.scans.scan import read_scan

MEMORY = 3 << 30  # bytes beyond what the process has: what a header promises here is more


@contextmanager
def little_memory() -> Iterator[None]:
    """Let the process set no more memory aside, so that a reader that believes a header fails."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def nifti(shape: tuple[int, ...], offset: float = 352, data: bytes = b"") -> bytes:
    header = nibabel.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.float32)
    header.set_sform(np.eye(4) * 2, code=1)
    raw = bytearray(header.binaryblock)
    raw[108:112] = struct.pack("<f", offset)
    raw[344:348] = b"n+1\0"
    return bytes(raw) + b"\0\0\0\0" + data


def extended(offset: float) -> bytes:
    """A header that is followed by an extension of 32 bytes."""
    raw = nifti((2, 2, 2), offset)
    return raw[:348] + b"\1\0\0\0" + struct.pack("<2i", 32, 6) + bytes(24 + 32)


def nifti_2(shape: tuple[int, ...], offset: int = 544) -> bytes:
    header = nibabel.Nifti2Header()
    header.set_data_shape(shape)
    header["magic"], header["vox_offset"] = b"n+2\0\r\n\x1a\n", offset
    return bytes(header.binaryblock) + b"\0\0\0\0"


def with_axes(*dim: int) -> bytes:
    return nifti((2, 2, 2)).replace(struct.pack("<4h", 3, 2, 2, 2), struct.pack("<4h", *dim))


def metaimage(size: str, more: str = "") -> bytes:
    return (
        f"ObjectType = Image\nNDims = 3\n{more}DimSize = {size}\nElementSpacing = 1 1 1\nElementType = MET_SHORT\n"
        "ElementDataFile = LOCAL\n"
    ).encode() + b"\0" * 64


def nrrd(sizes: str, encoding: str = "raw") -> bytes:
    return (
        f"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: {sizes}\n"
        f"space directions: (1,0,0) (0,1,0) (0,0,1)\nendian: little\nencoding: {encoding}\nspace origin: (0,0,0)\n\n"
    ).encode() + b"\0" * 64


LARGE, HUGE, CUBE = (1000, 1000, 1000), (30000, 30000, 30000), (2, 2, 2)
BOMBS: dict[str, tuple[bytes, str]] = {
    "more-than-the-file.nii": (nifti(LARGE), "field dim of its header says 1000 x 1000 x 1000 .* holds 0 at most"),
    "more-than-a-scan.nii": (nifti(HUGE), "30000 x 30000 x 30000 voxels, more than .* OVCT_MOST_VOXELS"),
    "packed.nii.gz": (gzip.compress(nifti(LARGE)), "holds .* at most"),
    "packed-under-another-name.nii": (gzip.compress(nifti(LARGE)), "holds .* at most"),
    "plain-under-another-name.nii.gz": (nifti(LARGE), "holds 0 at most"),
    "negative.nii": (with_axes(3, 2, -2, 2), "negative number"),
    "axes.nii": (with_axes(300, 2, 2, 2), "300 axes"),
    "far.nii.gz": (gzip.compress(nifti(CUBE, 3e9)), "vox_offset .* byte 3,000,000,000"),
    "early.nii": (nifti(CUBE, 0, bytes(64)), "vox_offset .* byte 0, .* they end at byte 352"),
    "within.nii.gz": (gzip.compress(nifti(CUBE, 348, bytes(64))), "vox_offset .* byte 348, .* end at byte 352"),
    "early-2.nii": (nifti_2(CUBE, 540) + bytes(64), "vox_offset .* byte 540, .* they end at byte 544"),
    "extension.nii": (extended(352), "vox_offset .* byte 352, .* they end at byte 384"),
    "nan.nii": (nifti(CUBE, float("nan")), "vox_offset"),
    "long.nii": (nifti_2((2**40, 2**40, 2**40)), "more than"),
    "cut.nii": (nifti(LARGE)[:200], "not a NIfTI file, or cut off or damaged"),
    "large.mha": (metaimage("30000 30000 30000"), "the size in its header says 30000 x 30000 x 30000"),
    "more.mha": (metaimage("1000 1000 1000"), "holds .* at most"),
    "packed.mha": (metaimage("1000 1000 1000", "CompressedData = True\n"), "holds .* at most"),
    "large.nrrd": (nrrd("30000 30000 30000"), "30000 x 30000 x 30000"),
    "more.nrrd": (nrrd("1000 1000 1000"), "holds .* at most"),
    "packed.nrrd": (nrrd("1000 1000 1000", "gzip"), "holds .* at most"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_header_that_promises_too_much_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name][0])
    with little_memory(), pytest.raises(ScanError, match=BOMBS[name][1]) as refusal:
        read_scan(path)
    assert name in str(refusal.value) and "xport it once more" in str(refusal.value)


@pytest.mark.parametrize("name", ["far.nii.gz", "more-than-a-scan.nii"])
def test_a_header_alone_is_read_no_more_trustingly(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name][0])
    with pytest.raises(ScanError, match=BOMBS[name][1]):
        read_volume_header(path)


def test_who_needs_larger_scans_sets_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.nii"
    voxels = np.random.default_rng(0).normal(0, 300, (4, 4, 4)).astype("<f4")
    path.write_bytes(nifti((4, 4, 4), data=voxels.tobytes()))
    monkeypatch.setenv("OVCT_MOST_VOXELS", "63")
    with pytest.raises(ScanError, match="more than 63"):
        read_scan(path)
    monkeypatch.setenv("OVCT_MOST_VOXELS", "64")
    assert read_scan(path).voxels.shape == (4, 4, 4)
    monkeypatch.setenv("OVCT_MOST_VOXELS", "many")
    with pytest.raises(InputError, match="OVCT_MOST_VOXELS=many"):
        read_scan(path)


@pytest.mark.parametrize("damage", [lambda raw: raw, gzip.compress])
def test_a_file_under_the_other_name_is_read(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    voxels = np.random.default_rng(0).normal(0, 300, (4, 4, 4)).astype("<f4")
    raw = nifti((4, 4, 4), data=voxels.tobytes())
    path = tmp_path / ("a.nii.gz" if damage(raw) == raw else "a.nii")
    path.write_bytes(damage(raw))
    assert np.allclose(read_scan(path).voxels, np.maximum(voxels.T, -1024))
