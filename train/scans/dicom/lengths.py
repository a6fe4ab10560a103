"""Checks the lengths in a DICOM file before GDCM reads it, which sets memory aside for any, and fills up short pixels.

An element of a file of 1 kB can say that it is 4 GB long.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from ..errors import ScanError
from ..voxel_stream import PADDING_BYTES

# A value that is longer is no nested one; only its length is looked at.
READ_BYTES = 1 << 20
UNDEFINED = 0xFFFFFFFF
# Tag and length of an element: fewer bytes at the end are the beginning of one.
ELEMENT_HEAD = 8
PIXEL_DATA = 0x7FE00010
# The transfer syntaxes of JPEG in all its kinds, and the two bytes that each of them ends with, before padding.
JPEG, END_OF_IMAGE = "1.2.840.10008.1.2.4.", b"\xff\xd9"
LOOKED_AT = 64
# The tags whose product are the bits of unpacked pixels.
SIZES = {"Rows": 1, "Columns": 1, "NumberOfFrames": 1, "SamplesPerPixel": 1, "BitsAllocated": 8}
ITEM, LAST_ITEM = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)


def check_lengths(path: Path) -> Dataset:
    """Return the header of a file whose elements, at any depth, are no longer than what holds them.

    Raises:
        ScanError: one is, or a fragment of packed pixels.
    """
    size = path.stat().st_size
    header = pydicom.dcmread(path, force=True, defer_size=READ_BYTES)
    for raw in (*_elements(header.file_meta), *_elements(header)):
        if raw.length == UNDEFINED:
            continue
        held = size - raw.value_tell if raw.value is None else len(raw.value)
        if held < raw.length:
            raise _too_long(path, f"({raw.tag.group:04X},{raw.tag.element:04X})", raw.length, held)
    pixels: Any = header.get_item(PIXEL_DATA, keep_deferred=True) if PIXEL_DATA in header else None
    if isinstance(pixels, RawDataElement) and pixels.length == UNDEFINED:
        with path.open("rb") as file:
            file.seek(pixels.value_tell)
            for _ in _fragments(path, file, size, "<" if pixels.is_little_endian else ">"):
                pass
    return header


def check_header_whole(path: Path) -> None:
    """Raise `ScanError` where a file without pixels ends within an element: it is no mere header, but cut off."""
    header, size = check_lengths(path), path.stat().st_size
    raws: list[Any] = [header.get_item(tag, keep_deferred=True) for tag in list(header.keys())]
    ends = [raw.value_tell + raw.length for raw in raws if isinstance(raw, RawDataElement) and raw.length != UNDEFINED]
    if 0 < size - max(ends, default=0) < ELEMENT_HEAD:
        raise ScanError(f"{path}: a CT image whose header is cut off. Copy or export it once more")


def check_pixels(path: Path, header: Dataset) -> None:
    """Raise `ScanError` where the pixels are shorter than the header says, or longer by more than padding.

    GDCM fills up what is missing with zeros, and JPEG decoders with the grey of the last part. Each JPEG, JPEG-LS and
    JPEG 2000 stream ends with the same two bytes, so that one that is cut off is known by them.
    """
    pixels: Any = header.get_item(PIXEL_DATA, keep_deferred=True) if PIXEL_DATA in header else None
    if not isinstance(pixels, RawDataElement) or int(header.get("SamplesPerPixel") or 1) != 1:
        return  # of colours there are none in a CT
    if pixels.length != UNDEFINED:
        _check_unpacked(path, header, pixels.length)
    elif str(getattr(header.file_meta, "TransferSyntaxUID", "")).startswith(JPEG):
        with path.open("rb") as file:
            file.seek(pixels.value_tell)
            ends = list(_fragments(path, file, path.stat().st_size, "<"))[1:]
        frames = int(header.get("NumberOfFrames") or 1)
        for number, end in enumerate(ends if len(ends) == frames else ends[-1:]):
            if not end.rstrip(b"\0").endswith(END_OF_IMAGE):
                place = f"frame {number + 1} of " if len(ends) > 1 else ""
                raise ScanError(
                    f"{path}: cut off or damaged, {place}its packed pixels (7FE0,0010) do not end as JPEG does. Copy "
                    "or export it once more"
                )


def _check_unpacked(path: Path, header: Dataset, length: int) -> None:
    lengths = [header.get(name) or default for name, default in SIZES.items()]
    bits = 1
    for value in lengths:
        bits *= int(value)
    expected = (bits + 7) // 8
    row = int(header.get("Columns") or 1) * int(header.get("BitsAllocated") or 8) // 8
    if length < expected or length - expected > max(2, min(PADDING_BYTES, row - 1)):
        raise ScanError(
            f"{path}: cut off or damaged, PixelData (7FE0,0010) has {length:,} bytes, where Rows, Columns and "
            f"BitsAllocated say {expected:,}. Copy or export it once more"
        )


def _elements(dataset: Dataset) -> Iterator[RawDataElement]:
    """Yield the elements of a dataset and of all that is nested in it, as the file has them."""
    for tag in list(dataset.keys()):
        raw: Any = dataset.get_item(tag, keep_deferred=True)
        if isinstance(raw, RawDataElement):
            yield raw
            # A private element may say that it is nested, and one without VR is what the standard says.
            kind = raw.VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "")
            if kind != "SQ" or raw.value is None:
                continue
        if (element := dataset[tag]).VR == "SQ":
            for item in element.value:
                yield from _elements(item)


def _fragments(path: Path, file: IO[bytes], size: int, order: str) -> Iterator[bytes]:
    """Yield the last bytes of each fragment of packed pixels, the table of offsets first.

    Raises `ScanError` for one that is longer than the rest of its file.
    """
    while len(head := file.read(8)) == 8:
        group, element, length = struct.unpack(f"{order}HHI", head)
        if (group, element) == LAST_ITEM:
            return
        if (group, element) != ITEM or length > size - file.tell():
            raise _too_long(path, "a piece of its packed pixels", length, size - file.tell())
        file.seek(max(0, length - LOOKED_AT), 1)
        yield file.read(min(length, LOOKED_AT))


def _too_long(path: Path, part: str, length: int, held: int) -> ScanError:
    return ScanError(
        f"{path}: cut off or damaged, {part} says that it is {length:,} bytes long, where {max(0, held):,} are left. "
        "Copy or export it once more"
    )
