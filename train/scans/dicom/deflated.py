"""DICOM files that are deflated as a whole: their headers, unpacked as far as headers go.

They are no slices: GDCM and the checks of lengths read files as they lie. But reports and segmentations are deflated
now and then, and lie beside a CT; what they are shows only unpacked.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_file_meta_info
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ..errors import ScanError

# The group that names the transfer syntax stands in front, within so many bytes.
META_BYTES = 4096
# Preamble, "DICM", and the element that says how long the rest of the group is.
LENGTH_FROM, LENGTH_TO = 140, 144
# No header is longer; a file that unpacks to more is not unpacked further.
MOST_UNPACKED = 64 << 20
PIXEL_GROUP = 0x7FE0


def is_deflated(begin: bytes, path: Path) -> bool:
    """Whether a DICOM file with these first bytes says that it is deflated."""
    if DeflatedExplicitVRLittleEndian.encode() not in begin[:META_BYTES]:
        return False
    syntax = read_file_meta_info(path).get("TransferSyntaxUID")
    return bool(syntax == DeflatedExplicitVRLittleEndian)


def read_deflated_header(path: Path, tags: Sequence[str]) -> tuple[Dataset, bool]:
    """Return the tags of a deflated file, without its pixels, and whether there are any.

    Raises:
        ScanError: it cannot be unpacked.
    """
    raw = path.read_bytes()
    begin = LENGTH_TO + int.from_bytes(raw[LENGTH_FROM:LENGTH_TO], "little")
    try:
        unpacked = BytesIO(zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw[begin:], MOST_UNPACKED))
    except zlib.error as error:
        raise ScanError(f"{path}: a deflated DICOM file, and damaged ({error}). Copy or export it once more") from error
    header = read_dataset(
        unpacked,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=_is_of_pixels,
        specific_tags=[Tag(tag) for tag in tags],
    )
    header.file_meta = read_file_meta_info(path)
    return header, unpacked.read(2) == PIXEL_GROUP.to_bytes(2, "little")


def _is_of_pixels(tag: BaseTag, kind: str | None, length: int) -> bool:
    return tag.group >= PIXEL_GROUP
