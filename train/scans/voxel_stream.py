"""Reads the voxels of a file to its end, so that a checksum is checked, and what is missing or too much is seen."""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from .errors import ScanError

GZIP, BZIP2 = b"\x1f\x8b", b"BZh"
# Files are filled up to whole blocks, of 512 bytes at most.
PADDING_BYTES = 512


def is_gzipped(path: Path) -> bool:
    """Whether a file is gzipped, whatever its name says."""
    with path.open("rb") as file:
        return file.read(2) == GZIP


@contextmanager
def unpacked_stream(path: Path, start: int = 0) -> Iterator[IO[bytes]]:
    """Open a file from byte `start` on, unpacked where it is packed by gzip or bzip2.

    Raises:
        ScanError: within the block, it cannot be unpacked, or its checksum or length are not those of its content.
    """
    try:
        with path.open("rb") as raw:
            raw.seek(start)
            head = raw.read(3)
            raw.seek(start)
            if head[:2] == GZIP:
                yield cast(IO[bytes], gzip.GzipFile(fileobj=raw))
            elif head == BZIP2:
                yield cast(IO[bytes], bz2.BZ2File(raw))
            else:
                yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ScanError(f"{path}: cut off or damaged ({error}). Copy or export it once more") from error
    except OSError as error:
        if error.errno is not None:  # the disk's own error, not that of what is packed
            raise
        raise ScanError(f"{path}: cut off or damaged ({error}). Copy or export it once more") from error


def read_voxels(
    path: Path, file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], says: str
) -> np.ndarray[Any, Any]:
    """Read the voxels, the first axis the fastest, from where `file` stands to its end.

    `says` names the part of the header that promises them. `path` is named in errors.

    Raises:
        ScanError: there are fewer bytes than the header says, or more, by a slice or by more than padding.
    """
    array = np.empty(shape, dtype, order="F")
    room = memoryview(cast(Any, array.reshape(-1, order="F").view(np.uint8)))
    held = 0
    while held < len(room) and (read := cast(Any, file).readinto(room[held:])):
        held += read
    most = min(PADDING_BYTES, len(room) // shape[-1] - 1) if len(room) else PADDING_BYTES
    behind = len(file.read(most + 1)) if held == len(room) else 0
    if held < len(room) or behind > most:
        lengths = " x ".join(str(length) for length in shape)
        holds = f"{held:,}" if held < len(room) else f"{held + most:,} and more"
        raise ScanError(
            f"{path}: cut off or damaged ({says} says {lengths} voxels, {len(room):,} bytes; the file holds {holds}). "
            "Copy or export it once more"
        )
    while file.read(1 << 16):  # to the checksum at the end
        pass
    return array
