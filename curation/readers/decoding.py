"""Decode the bytes of a file to lines of text: plain or gzipped, in whichever encoding the file turns out to have."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from curation.runtime.errors import InputError
from curation.runtime.unpacking import UNPACKING_ERRORS, UnpackedFile

from .rows import DamagedError

ByteStream = io.BufferedReader
GZIP_MAGIC = b"\x1f\x8b"
SNIFFED_BYTES = 1 << 16
# Characters that ``read_pieces`` gives out at most at once where lines mean nothing.
PIECE_CHARACTERS = 1 << 20
# A line beyond this is no line of a table of reports: 5 MB in one cell are read, a disk image is not.
LONGEST_LINE = 1 << 26
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
STRAY_BYTES = re.compile("[\udc80-\udcff]+")


def _unchecked() -> None:
    """Do nothing: the default of ``check``."""


class _CheckedFile(io.FileIO):
    """A file that calls a function, which may raise to give up, before each read."""

    def __init__(self, path: Path, check: Callable[[], None]) -> None:
        super().__init__(path)
        self._check = check

    def readinto(self, buffer: Any, /) -> int | None:
        self._check()
        return super().readinto(buffer)


@contextmanager
def open_bytes(path: Path, check: Callable[[], None] = _unchecked) -> Iterator[ByteStream]:
    """Open a file as a stream of bytes, through gzip where its first bytes say so (a name may lie).

    ``check`` is called before each read, and may raise to give up.

    Raises:
        InputError: the file is missing, empty or may not be read; while it is read, that it is packed too tightly.
    """
    try:
        raw: io.BufferedReader = io.BufferedReader(_CheckedFile(path, check), SNIFFED_BYTES)
        with raw:
            magic = raw.read(2)
            raw.seek(0)
            if not magic:
                raise InputError(f"{path} is empty; expected at least one report")
            if magic == GZIP_MAGIC:
                with io.BufferedReader(UnpackedFile(raw, path), SNIFFED_BYTES) as unpacked:
                    yield cast(ByteStream, unpacked)
            else:
                yield raw
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file or folder; check the path") from error
    except PermissionError as error:
        raise InputError(f"{path}: may not be read; check its permissions") from error


@dataclass(frozen=True, slots=True)
class FileHead:
    """The beginning of a file, which shows its format.

    ``data`` are its first bytes, unpacked: up to 64 kB, and four at least where it has them. ``text`` is what they are
    if the file is text, without byte order mark and white space in front. ``suffix`` is the ending of the file's name.
    """

    data: bytes
    text: str
    suffix: str


def is_packed(stream: ByteStream) -> bool:
    """Return whether a stream comes from a gzipped file."""
    return isinstance(stream.raw, UnpackedFile)


def read_head(stream: ByteStream, path: Path, suffix: str) -> FileHead:
    """Return the beginning of a file, which stays to be read.

    Raises:
        InputError: the compressed file cannot be unpacked.
    """
    try:
        data = stream.peek(SNIFFED_BYTES)[:SNIFFED_BYTES]
    except UNPACKING_ERRORS as error:
        raise InputError(f"{path}: cannot be unpacked ({error}); fetch the file again") from error
    text = data.decode(sniff_encoding(data), "replace")
    return FileHead(data, text.lstrip("\ufeff \t\r\n"), suffix)


def describe_encoding(head: bytes) -> str:
    """Return the name of a text file's encoding for people, as the first bytes of the file show it.

    >>> describe_encoding("Größe".encode()), describe_encoding("Größe".encode("latin-1"))
    ('utf-8', 'windows-1252')
    """
    encoding = sniff_encoding(head)
    if encoding != "utf-8":
        return encoding
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(head)
    if not STRAY_BYTES.search(text):
        return "utf-8"
    return "windows-1252" if STRAY_BYTES.sub("", text).isascii() else "utf-8 and windows-1252"


def sniff_encoding(head: bytes) -> str:
    """Return the name of the codec that reads a file, from the first bytes of the file.

    Without a byte order mark, text of mostly Latin letters in UTF-16 shows a NUL in every second byte. All else is
    read as UTF-8, and single bytes that are not UTF-8 are repaired line by line (see ``repair``).
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    pairs = len(head) // 2
    high, low = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if low > 0.4 * pairs and high < 0.1 * pairs:
        return "utf-16-le"
    if high > 0.4 * pairs and low < 0.1 * pairs:
        return "utf-16-be"
    return "utf-8"


def repair(line: str) -> str:
    """Return a line with the bytes that are not UTF-8 read as Windows-1252, which holds all of Latin-1's letters.

    Every letter beyond ASCII in a Latin-1 file is such a byte, so the whole file comes out right; in a UTF-8 file into
    which a few strangers were pasted, only those change. Nothing is decided on a prefix and nothing is read twice.
    """
    if line.isascii():
        return line
    return STRAY_BYTES.sub(_from_windows_1252, line)


def _from_windows_1252(match: re.Match[str]) -> str:
    stray = match[0].encode("ascii", "surrogateescape")
    try:
        return stray.decode("cp1252")
    except UnicodeDecodeError:  # five bytes mean nothing there; in Latin-1 every byte means something
        return stray.decode("latin-1")


def read_lines(stream: ByteStream, path: Path) -> Iterator[str]:
    """Yield the lines of a file with their own line ends, decoded.

    Raises:
        DamagedError: the compressed stream ends early or is corrupt; all lines before that have been given out.
        InputError: a single line is longer than any report.
    """
    for line in read_pieces(stream, LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise InputError(f"{path}: a line of over {LONGEST_LINE:,} characters; this is no table of reports")
        yield line


def read_pieces(stream: ByteStream, size: int, *, repaired: bool = True) -> Iterator[str]:
    """Yield lines, those longer than ``size`` characters in several pieces.

    With ``repaired`` false, bytes that are not UTF-8 stay what ``surrogateescape`` makes of them.

    Raises:
        DamagedError: as ``read_lines`` does.
    """
    text = None
    try:
        encoding = sniff_encoding(stream.peek(SNIFFED_BYTES)[:SNIFFED_BYTES])
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
        for piece in iter(partial(text.readline, size), ""):
            yield repair(piece) if repaired else piece
    except UNPACKING_ERRORS as error:
        raise DamagedError(f"the compressed file is cut off or corrupt here ({error})") from error
    finally:
        if text and not stream.closed:
            text.detach()  # the stream belongs to whoever opened it
