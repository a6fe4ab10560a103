"""Packed MetaImage voxels are unpacked here: as ITK does where they are whole, refused where they are not."""

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from train.scans.errors import ScanError
from train.scans.scan import read_scan

VOXELS = np.random.default_rng(0).normal(0, 300, (3, 4, 5)).astype(np.int16)
HEADER = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = True\n"
    "CompressedDataSize = {size}\nElementSpacing = 1 2 3\n0008|0060 = CT\nDimSize = 5 4 3\nElementType = MET_SHORT\n"
    "ElementDataFile = LOCAL\n"
)


def stored(header: str = HEADER, packed: bytes | None = None, size: int | None = None) -> bytes:
    packed = zlib.compress(VOXELS.tobytes()) if packed is None else packed
    return header.format(size=len(packed) if size is None else size).encode() + packed


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "u8", "i8", "f8"])
@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
def test_what_itk_packs_is_read_as_itk_reads_it(tmp_path: Path, name: str, kind: str) -> None:
    image = SimpleITK.GetImageFromArray(np.abs(VOXELS % 100).astype(kind))
    image.SetSpacing((1, 2, 3))
    SimpleITK.WriteImage(image, str(tmp_path / name), useCompression=True)
    scan = read_scan(tmp_path / name)
    assert np.array_equal(scan.voxels.transpose(), np.abs(VOXELS % 100)) and scan.spacing_mm == (1, 2, 3)


@pytest.mark.parametrize("whole", [
    stored(),
    stored(packed=gzip.compress(VOXELS.tobytes())),
    stored(HEADER.replace("CompressedDataSize = {size}\n", "")),
    stored(HEADER.replace("MSB = False", "MSB = True"), zlib.compress(VOXELS.astype(">i2").tobytes())),
    stored(HEADER.replace("CompressedData = True", "CompressedData = False").replace("{size}", "0"), VOXELS.tobytes()),
    stored(HEADER.replace("\n", "\r\n")),
])  # fmt: skip
def test_other_programs_pack_otherwise(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.mha"
    path.write_bytes(whole)
    assert np.array_equal(read_scan(path).voxels.transpose(), np.maximum(VOXELS, -1024))


PACKED = zlib.compress(VOXELS.tobytes())
DAMAGED: dict[str, tuple[bytes, str]] = {
    "cut": (stored(packed=PACKED[:-20]), "do not unpack to the 120 bytes"),
    "without its checksum": (stored(packed=PACKED[:-4]), "do not unpack to the 120 bytes"),
    "another checksum": (stored(packed=PACKED[:-1] + bytes([PACKED[-1] ^ 1])), "cannot be unpacked"),
    "one bit": (stored(packed=PACKED[:30] + bytes([PACKED[30] ^ 4]) + PACKED[31:]), "damaged"),
    "more behind": (stored(packed=PACKED + b"more"), "do not unpack to the 120 bytes"),
    "too few voxels": (stored(packed=zlib.compress(VOXELS.tobytes()[:-2])), "do not unpack to the 120 bytes"),
    "too many voxels": (stored(packed=zlib.compress(VOXELS.tobytes() + b"12")), "do not unpack to the 120 bytes"),
    "another size": (stored(size=7), "CompressedDataSize is 7, but"),
    "a size that is none": (stored(HEADER.replace("{size}", "-1")), "CompressedDataSize is -1"),
    "not packed": (stored(packed=VOXELS.tobytes()), "cannot be unpacked"),
    "perhaps packed": (stored(HEADER.replace("CompressedData = True", "CompressedData = 7rue")), "neither True nor"),
    "packed twice": (stored(HEADER.replace("NDims", "CompressedData = False\nNDims")), "is not understood"),
    "a field within another": (stored(HEADER.replace("\nCompressedData ", " CompressedData ")), "has no line"),
    "two orders": (stored(HEADER.replace("NDims", "ElementByteOrderMSB = True\nNDims")), "two things of the order"),
    "as text": (
        stored(HEADER.replace("BinaryData = True", "BinaryData = False")),
        "BinaryData in its header is .False.",
    ),
    "behind a header": (stored(HEADER.replace("NDims", "HeaderSize = 10\nNDims")), "behind a header"),
    "in a list": (stored(HEADER.replace("LOCAL", "LIST")), "as the file of its voxels"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_ones_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.mha"
    path.write_bytes(DAMAGED[name][0])
    with pytest.raises(ScanError, match=DAMAGED[name][1]) as refusal:
        read_scan(path)
    assert "a.mha" in str(refusal.value)


def test_a_damaged_file_beside_the_header_is_refused(tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(VOXELS)
    image.SetSpacing((3, 3, 3))
    SimpleITK.WriteImage(image, str(tmp_path / "a.mhd"), useCompression=True)
    (tmp_path / "a.zraw").write_bytes((tmp_path / "a.zraw").read_bytes()[:-7])
    with pytest.raises(ScanError, match=r"a\.mhd: cut off or damaged, CompressedDataSize is .*a\.zraw has"):
        read_scan(tmp_path / "a.mhd")
