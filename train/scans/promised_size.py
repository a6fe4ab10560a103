"""Checks what a volume's header promises, before memory is set aside for it: against its file, and against any scan.

A header of 352 bytes can promise 2000 x 2000 x 2000 voxels. Each reader asks here first.
"""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from nibabel.nifti1 import data_type_codes

from curation.runtime.limits import GZIP_RATIO, HEADER_BYTES, SCAN_VOXELS, SLICE_PIXELS

from .errors import ScanError
from .itk.data_files import NRRD, TEXT_HEADER_BYTES, data_files
from .voxel_stream import is_gzipped

# The lengths of the headers of NIfTI-1 and NIfTI-2.
NIFTI_1, NIFTI_2 = 348, 540
# Four bytes behind the header say whether extensions follow; the voxels of the same file begin behind them.
EXTENDER = 4
# In a header of MetaImage or NRRD: that the voxels are packed.
PACKED = re.compile(rb"^(?:CompressedData\b(?![^\w\r\n]*F)|encoding:\s*(?!raw))", re.MULTILINE | re.IGNORECASE)


class NiftiPromise(NamedTuple):
    """What a NIfTI header says of its file: the lengths of its axes, bytes of a voxel, bytes in front of the voxels.

    `least` is the byte at which voxels of the same file begin at the earliest: behind the header and its extensions.
    """

    shape: tuple[int, ...]
    voxel_bytes: int
    offset: float
    least: int


def check_voxels(path: Path, shape: Sequence[int], says: str) -> None:
    """Raise `ScanError` for lengths that no volume has; ``says`` names the part of the file that has them."""
    lengths = " x ".join(str(length) for length in shape)
    if any(length < 0 for length in shape):
        raise ScanError(f"{path}: {says} says {lengths} voxels, a negative number. Copy or export it once more")
    if prod(shape) > SCAN_VOXELS.most:
        raise ScanError(
            f"{path}: {says} says {lengths} voxels, more than {SCAN_VOXELS.most:,}; {SCAN_VOXELS.reason}. Copy or "
            f"export it once more, or cut it into parts{SCAN_VOXELS.way_out()}"
        )


def check_stored(path: Path, shape: Sequence[int], voxel_bytes: int, stored: int, says: str) -> None:
    """Raise `ScanError` where a file of ``stored`` bytes, packed at most, cannot hold what its header promises."""
    needed = prod(shape) * voxel_bytes
    if needed > stored:
        lengths = " x ".join(str(length) for length in shape)
        raise ScanError(
            f"{path}: cut off or damaged ({says} says {lengths} voxels, {needed:,} bytes; the file holds "
            f"{stored:,} at most). Copy or export it once more"
        )


def check_image(path: Path, columns: int, rows: int, frames: int) -> None:
    """Raise `ScanError` for a DICOM image of a size that no CT slice has."""
    if rows < 1 or columns < 1:
        raise ScanError(f"{path}: Rows is {rows} and Columns is {columns}. Export the series once more")
    if rows * columns > SLICE_PIXELS.most:
        raise ScanError(
            f"{path}: Rows is {rows} and Columns is {columns}; {SLICE_PIXELS.reason}. Export the series once more"
        )
    check_voxels(path, (columns, rows, frames), "its header")


def check_nifti(path: Path, *, gzipped: bool, voxels: Path | None = None) -> None:
    """Raise `ScanError` where a NIfTI header promises more than its file holds, or than any scan has.

    `voxels` is the file of the voxels, where that is another. What is no NIfTI, or is cut off within its header, is not
    looked at: its reader says what is wrong.
    """
    promise = _nifti_promise(path, gzipped=gzipped)
    if promise is None:
        return
    header = "the field dim of its header"
    check_voxels(path, promise.shape, header)
    separate = voxels is not None and voxels != path
    stored = (voxels or path).stat().st_size
    if not separate and promise.offset < promise.least:
        raise ScanError(
            f"{path}: the field vox_offset of its header says that the voxels begin at byte {promise.offset:,.0f}, "
            f"which lies within the header and its extensions: they end at byte {promise.least:,}. Export it once "
            "more, or put vox_offset right"
        )
    if not 0 <= promise.offset <= HEADER_BYTES.most:
        raise ScanError(
            f"{path}: the field vox_offset of its header says that the voxels begin at byte {promise.offset:,.0f}; "
            f"{HEADER_BYTES.reason}. Copy or export it once more"
        )
    packed = gzipped or (voxels is not None and is_gzipped(voxels))
    held = stored * GZIP_RATIO.most if packed else stored
    check_stored(path, promise.shape, promise.voxel_bytes, max(0, held - int(promise.offset)), header)


def _nifti_promise(path: Path, *, gzipped: bool) -> NiftiPromise | None:
    """Return what a NIfTI header promises; None where the file does not begin with one."""
    try:
        with path.open("rb") as raw:
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if gzipped else raw
            head = file.read(NIFTI_2 + EXTENDER + 8)
    except (OSError, EOFError, zlib.error):
        return None
    for order in "<>":
        length = struct.unpack_from(f"{order}i", head)[0] if len(head) >= NIFTI_1 else 0
        if length == NIFTI_1:
            dim, (code,) = struct.unpack_from(f"{order}8h", head, 40), struct.unpack_from(f"{order}h", head, 70)
            (offset,) = struct.unpack_from(f"{order}f", head, 108)
        elif length == NIFTI_2 and len(head) >= NIFTI_2:
            dim, (code,) = struct.unpack_from(f"{order}8q", head, 16), struct.unpack_from(f"{order}h", head, 12)
            (offset,) = struct.unpack_from(f"{order}q", head, 168)
        else:
            continue
        if not 1 <= dim[0] <= 7:
            raise ScanError(
                f"{path}: the field dim of its header says {dim[0]} axes, not 1 to 7. Copy or export it once more"
            )
        return NiftiPromise(dim[1 : 1 + dim[0]], _voxel_bytes(code), offset, _end_of_header(head, length, order))
    return None


def _end_of_header(head: bytes, length: int, order: str) -> int:
    """Return at which byte a header of `length` bytes ends with its first extension; those are multiples of 16."""
    end = length + EXTENDER
    if head[length : length + 1] not in (b"", b"\0") and len(head) >= end + 4:
        (size,) = struct.unpack_from(f"{order}i", head, end)
        if 16 <= size <= HEADER_BYTES.most and size % 16 == 0:
            return end + int(size)
    return end


def _voxel_bytes(code: int) -> int:
    """Return the bytes of a voxel by NIfTI's code of its type; 0 for a code that nibabel refuses."""
    codes: Any = data_type_codes.dtype
    return int(codes[code].itemsize) if code in codes else 0


def stored_bytes(path: Path) -> int:
    """Return how many bytes of voxels a MetaImage or NRRD file, and those that it names for them, hold at most.

    Raises `ScanError` where one of these is not below its folder, or not there.
    """
    files = data_files(path)
    with path.open("rb") as file:
        head = file.read(TEXT_HEADER_BYTES)
    head = head.partition(b"\n\n")[0] if head.startswith(NRRD) else head
    stored = sum(file.stat().st_size for file in ([path] if files is None else files))
    return stored * (GZIP_RATIO.most if PACKED.search(head) else 1)
