"""Checks the lengths in a DICOM file against its bytes before GDCM reads it, which sets memory aside for any length.

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

from .errors import ScanError

# A value that is longer is no nested one; only its length is looked at.
READ_BYTES = 1 << 20
UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
ITEM, LAST_ITEM = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)


def check_lengths(path: Path) -> None:
    """Raise `ScanError` where an element, at any depth, or a fragment of packed pixels is longer than what holds it."""
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
            _check_fragments(path, file, size, "<" if pixels.is_little_endian else ">")


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


def _check_fragments(path: Path, file: IO[bytes], size: int, order: str) -> None:
    """Raise `ScanError` for a fragment of packed pixels that is longer than the rest of its file."""
    while len(head := file.read(8)) == 8:
        group, element, length = struct.unpack(f"{order}HHI", head)
        if (group, element) == LAST_ITEM:
            return
        if (group, element) != ITEM or length > size - file.tell():
            raise _too_long(path, "a piece of its packed pixels", length, size - file.tell())
        file.seek(length, 1)


def _too_long(path: Path, part: str, length: int, held: int) -> ScanError:
    return ScanError(
        f"{path}: cut off or damaged, {part} says that it is {length:,} bytes long, where {max(0, held):,} are left. "
        "Copy or export it once more"
    )
