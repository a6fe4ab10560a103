"""Fingerprint an input by its content, so that a changed file is noticed, and count its rows for a time left."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from curation.readers.tables import report_files
from curation.runtime.errors import InputError

from .manifest import InputFingerprint

PIECE_BYTES = 1 << 20
LINE_FORMATS = {".csv", ".tsv", ".jsonl", ".ndjson"}
# A file of HL7 v2 messages, whatever it is called, and each message in it.
HL7_START = re.compile(rb"(?:\xef\xbb\xbf)?[\s\x0b]*(?:MSH|FHS|BHS)[^\w\s][^\w\s]")
HL7_MESSAGE = re.compile(rb"[\r\n\x0b\xbf]MSH[^\w\s]")


class _RowCounter:
    """Counts line ends outside quotes: the rows of a CSV file, closely enough for a time left."""

    def __init__(self, quoted: bool) -> None:
        self.rows = 0
        self._quoted = quoted
        self._inside = False

    def feed(self, piece: bytes) -> None:
        if not self._quoted:
            self.rows += piece.count(b"\n")
            return
        for stretch in piece.split(b'"'):
            if not self._inside:
                self.rows += stretch.count(b"\n")
            self._inside = not self._inside
        self._inside = not self._inside  # the last stretch goes on into the next piece


class _MessageCounter:
    """Counts the messages of an HL7 v2 file."""

    def __init__(self) -> None:
        self.rows = 0
        self._end = b"\n"

    def feed(self, piece: bytes) -> None:
        piece = self._end + piece
        self.rows += len(HL7_MESSAGE.findall(piece))
        self._end = piece[-4:]  # one less than a match has


def _counter(path: Path, beginning: bytes) -> _RowCounter | _MessageCounter | None:
    """Return what counts the rows of a file; None where they cannot be seen in its bytes."""
    if HL7_START.match(beginning):
        return _MessageCounter()
    suffix = path.suffix.lower()
    return _RowCounter(quoted=suffix in {".csv", ".tsv"}) if suffix in LINE_FORMATS else None


def _pieces(path: Path, check: Callable[[], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            check()
            yield piece


def _fingerprint_file(path: Path, check: Callable[[], None]) -> tuple[InputFingerprint, int | None]:
    digest = hashlib.sha256()
    counter = None
    size = 0
    for piece in _pieces(path, check):
        digest.update(piece)
        if size == 0:
            counter = _counter(path, piece)
        if counter is not None:
            counter.feed(piece)
        size += len(piece)
    source = InputFingerprint(name=path.name, files=1, bytes=size, sha256=digest.hexdigest())
    return source, (counter and counter.rows) or _parquet_rows(path)


def _parquet_rows(path: Path) -> int | None:
    if path.suffix.lower() != ".parquet":
        return None
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _fingerprint_folder(path: Path, check: Callable[[], None]) -> tuple[InputFingerprint, int]:
    digest = hashlib.sha256()
    files = _report_files(path)
    size = total = 0
    for file in files:
        source, rows = _fingerprint_file(file, check)
        total += rows or 1
        digest.update(f"{file.relative_to(path).as_posix()}\0{source.sha256}\n".encode("utf-8", "surrogateescape"))
        size += source.bytes
    name = path.name or path.resolve().name
    return InputFingerprint(name=name, files=len(files), bytes=size, sha256=digest.hexdigest()), total


def _report_files(folder: Path) -> list[Path]:
    return sorted(report_files(folder))


class WatchedInput:
    """An input that a run reads, a file or folder: whether it is still what it was when the run began.

    Size and times of change show it cheaply. Where only those differ that also copying and a change of permissions
    touch (which file it is, ``st_ctime``), the content is looked at, if it is known: ``content`` is its fingerprint.
    Raises ``InputError`` for what is neither file nor folder: a pipe could not be read a second time.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        if not path.is_file() and not path.is_dir():
            raise InputError(
                f"{path}: not a file or folder (what comes from a pipe cannot be resumed; write it to a file)"
            )
        self.path = path
        self.content: InputFingerprint | None = None
        self._stamps = self._stamps_now()

    def has_changed(self) -> bool:
        """Return whether it is another now, or gone."""
        try:
            stamps = self._stamps_now()
            if stamps == self._stamps:
                return False
            if stamps[0] != self._stamps[0] or self.content is None or fingerprint(self.path)[0] != self.content:
                return True
        except (OSError, InputError):
            return True
        self._stamps = stamps
        return False

    def _stamps_now(self) -> tuple[str, str]:
        """Return digests of sizes and times of change, and of which files they are."""
        changes, files = hashlib.sha256(), hashlib.sha256()
        for file in _report_files(self.path) if self.path.is_dir() else [self.path]:
            status = file.stat()
            name = f"{file}".encode("utf-8", "surrogateescape")
            changes.update(b"%s\0%d:%d\n" % (name, status.st_size, status.st_mtime_ns))
            files.update(b"%d:%d\n" % (status.st_ino, status.st_ctime_ns))
        return changes.hexdigest(), files.hexdigest()


def fingerprint(path: Path, check: Callable[[], None] = lambda: None) -> tuple[InputFingerprint, int | None]:
    """Return the fingerprint of a file or folder of reports, and about how many rows it holds.

    The number of rows is None where it cannot be seen without decoding. ``check`` is called for each piece read; it may
    raise to stop.
    """
    return _fingerprint_folder(path, check) if path.is_dir() else _fingerprint_file(path, check)
