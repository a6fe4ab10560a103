"""Reads the voxels of a packed MetaImage file, which ITK is not given: on some that are damaged it never ends."""

from __future__ import annotations

import re
import sys
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ..errors import ScanError

# ITK's header ends with the line that names the data; it is a few hundred bytes long.
HEADER_BYTES = 1 << 16
LINE = re.compile(r"\s*(.*?)\s*=\s*(.*?)\s*")
LAST_LINE = "ElementDataFile"
# What a header says of where its voxels are and how they are stored. All else may be anything, also a name of DICOM.
FIELD = re.compile(
    r"\b(?:CompressedData|CompressedDataSize|BinaryData|BinaryDataByteOrderMSB|ElementByteOrderMSB|HeaderSize|"
    rf"{LAST_LINE})\b"
)
ORDERS = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
UNPACKED_AT_ONCE = 1 << 24
# zlib's number for "zlib or gzip, see its first bytes", as ITK reads both.
ANY_ZLIB = 47
_AGAIN = "Copy or export it once more"


class PackedVoxels(NamedTuple):
    """Where the packed voxels of a MetaImage file stand: ``file`` from byte ``start`` on, ``size`` bytes."""

    file: Path
    start: int
    size: int
    big_endian: bool


def packed_voxels(path: Path) -> PackedVoxels | None:
    """Return where a MetaImage file has its packed voxels; None where they are not packed.

    A header that speaks of packing has to be understood in full: ITK may take for packed what this does not.

    Raises:
        ScanError: what the header says of its packed voxels cannot be followed.
    """
    with path.open("rb") as file:
        lines, start = _header(file)
    if not any("compressed" in line.lower() for line in lines):
        return None
    fields: dict[str, str] = {}
    for line in lines:
        field, match = FIELD.search(line), LINE.fullmatch(line)
        if field is None:
            continue
        if match is None or match[1] != field[0] or match[1] in fields:
            raise ScanError(f"{path}: damaged, {line[:80]!r} in its header is not understood. {_AGAIN}")
        fields[match[1]] = match[2]
    if LAST_LINE not in fields or "CompressedData" not in fields:
        raise ScanError(f"{path}: damaged, its header has no line {LAST_LINE} or CompressedData. {_AGAIN}")
    if not flag_of(path, fields, "CompressedData"):
        return None
    return _place(path, fields, start)


def _header(file: IO[bytes]) -> tuple[list[str], int]:
    """Return the lines of a header, without those that are empty, and at which byte the voxels begin behind it."""
    lines: list[str] = []
    while file.tell() < HEADER_BYTES and (raw := file.readline(HEADER_BYTES)):
        line = raw.decode("latin-1").strip()
        if line:
            lines.append(line)
        if line.startswith(LAST_LINE):
            break
    return lines, file.tell()


def flag_of(path: Path, fields: dict[str, str], name: str) -> bool:
    """Return what the header says of a thing that is true or false; false where it says nothing."""
    value = fields.get(name, "False")
    if value.lower() not in ("true", "false"):
        raise ScanError(f"{path}: {name} is {value[:40]!r} in its header, neither True nor False. {_AGAIN}")
    return value.lower() == "true"


def _place(path: Path, fields: dict[str, str], start: int) -> PackedVoxels:
    name = fields[LAST_LINE]
    if name.upper() == "LOCAL":
        data = path
    else:
        data, start = path.parent / name.encode("latin-1").decode("utf-8", "surrogateescape"), 0
        if "\0" in name or len(name) > 255 or not data.is_file():
            raise ScanError(
                f"{path}: its packed voxels are in {name[:80]!r}, which is no file beside it. Copy it too, or save the "
                "volume as one file"
            )
    if not flag_of(path, {"BinaryData": "True", **fields}, "BinaryData") or fields.get("HeaderSize", "0") != "0":
        raise ScanError(f"{path}: packed voxels that are not binary, or behind a header of their own. Save it unpacked")
    there = data.stat().st_size - start
    stated = fields.get("CompressedDataSize", "0")
    if stated not in ("0", str(there)):
        raise ScanError(
            f"{path}: cut off or damaged, CompressedDataSize is {stated[:40]}, but {data} has {there} bytes of voxels. "
            f"{_AGAIN}"
        )
    return PackedVoxels(data, start, there, is_big_endian(path, fields))


def is_big_endian(path: Path, fields: dict[str, str]) -> bool:
    """Whether the voxels are stored with the highest byte first. Raises `ScanError` where the header says both."""
    orders = [flag_of(path, fields, name) for name in ORDERS if name in fields]
    if len(set(orders)) > 1:
        raise ScanError(f"{path}: its header says two things of the order of its bytes. {_AGAIN}")
    return any(orders)


def unpacked(path: Path, packed: PackedVoxels, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return the voxels of a packed MetaImage file, the first axis the fastest, in this machine's byte order.

    Raises:
        ScanError: they do not unpack to as many bytes as the header says, or to others than were packed.
    """
    array = np.empty(shape, dtype, order="F")
    room, held = array.reshape(-1, order="F").view(np.uint8), 0
    unpacker = zlib.decompressobj(ANY_ZLIB)
    with packed.file.open("rb") as file:
        file.seek(packed.start)
        try:
            while not unpacker.eof and (piece := unpacker.unconsumed_tail or file.read(1 << 20)):
                taken = unpacker.decompress(piece, UNPACKED_AT_ONCE)
                if held + len(taken) > len(room):
                    break
                room[held : held + len(taken)] = np.frombuffer(taken, np.uint8)
                held += len(taken)
        except zlib.error as error:
            raise ScanError(f"{path}: damaged, its voxels cannot be unpacked ({error}). {_AGAIN}") from error
        behind = len(unpacker.unused_data) + packed.start + packed.size - file.tell()
    if held != len(room) or not unpacker.eof or behind:
        raise ScanError(
            f"{path}: cut off or damaged, its voxels do not unpack to the {len(room):,} bytes that its header says. "
            f"{_AGAIN}"
        )
    return array if packed.big_endian == (sys.byteorder == "big") else array.byteswap(inplace=True)
