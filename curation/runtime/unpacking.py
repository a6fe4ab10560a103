"""Unpack a gzipped file while it is read, and refuse what is packed tighter than any report is.

A few kilobytes may unpack to gigabytes of blank lines. So each piece is unpacked, and held against the bytes that it
took, before anything reads it.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

from .errors import InputError
from .limits import PACKED_RATIO

UNPACKING_ERRORS = (EOFError, zlib.error)
# Bytes that are unpacked and weighed at once; less than that, however it is packed, costs seconds at most.
WEIGHED_BYTES = 1 << 21
PACKED_BYTES = 1 << 16
# Of zlib: the packed bytes have the header and the checksum of gzip.
GZIP_WINDOW = 16 + zlib.MAX_WBITS


class UnpackedFile(io.RawIOBase):
    """The unpacked bytes of a gzipped file, which may be read from its start again.

    Reading raises one of ``UNPACKING_ERRORS`` where the file is cut off or corrupt, when all before that has been given
    out, and ``InputError`` where it is packed too tightly.
    """

    def __init__(self, packed: io.BufferedReader, path: Path) -> None:
        self._packed, self._path, self._most = packed, path, PACKED_RATIO.most
        self._begin()

    def _begin(self) -> None:
        self._packed.seek(0)
        self._member = zlib.decompressobj(GZIP_WINDOW)  # a file may be several that were put together
        self._waiting = b""
        self._ended = False
        self._error: Exception | None = None
        self._piece, self._place, self._position = bytearray(), 0, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True: of all places, the start."""
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET, /) -> int:
        """Go back to the start, or tell the place."""
        if (whence, place) == (io.SEEK_SET, 0):
            self._begin()
        elif (whence, place) != (io.SEEK_CUR, 0):
            raise io.UnsupportedOperation("a gzipped file is read from its start on")
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        """Give out the next bytes."""
        if self._place == len(self._piece):
            self._unpack()
        size = min(len(buffer), len(self._piece) - self._place)
        buffer[:size] = self._piece[self._place : self._place + size]
        self._place += size
        self._position += size
        return size

    def _unpack(self) -> None:
        """Unpack the next piece, and weigh it."""
        if self._error:
            raise self._error
        unpacked, packed = bytearray(), 0
        try:
            while not self._ended and len(unpacked) < WEIGHED_BYTES:
                waiting = self._waiting or self._packed.read1(PACKED_BYTES)
                step, taken = self._step(waiting, WEIGHED_BYTES - len(unpacked))
                unpacked += step
                packed += taken
        except UNPACKING_ERRORS as error:
            if not unpacked:
                raise
            self._error = error
        if len(unpacked) >= WEIGHED_BYTES and len(unpacked) > self._most * packed:
            raise InputError(
                f"{self._path}: from byte {self._position:,} on, {len(unpacked):,} bytes are packed into {packed:,}, "
                f"more than {self._most:,} to 1: {PACKED_RATIO.reason}. Unpack it and look{PACKED_RATIO.way_out()}"
            )
        self._piece, self._place = unpacked, 0

    def _step(self, packed: bytes, most: int) -> tuple[bytes, int]:
        """Unpack some of these bytes, to at most ``most``; return what they hold, and how many were taken."""
        if not packed:
            if not self._member.eof:
                raise EOFError("it ends before its end mark")
            self._ended = True
            return b"", 0
        if self._member.eof:
            if not (packed := packed.lstrip(b"\0")):  # as tapes and some copies fill up the last block
                self._waiting = b""
                return b"", 0
            self._member = zlib.decompressobj(GZIP_WINDOW)
        unpacked = self._member.decompress(packed, most)
        self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return unpacked, len(packed) - len(self._waiting)
