"""Open a file or folder as a table of rows. ``FILE_FORMATS`` lists the file formats: a new one is added there."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from curation.runtime.errors import InputError

from .decoding import PIECE_CHARACTERS, ByteStream, describe_encoding, first_bytes, open_bytes, read_lines, read_pieces
from .delimited import read_delimited
from .json_rows import read_json
from .parquet_rows import open_parquet_table
from .rows import NoteProblem, Table
from .text_files import read_text_file, read_text_folder
from .xlsx_rows import open_xlsx_table

EXPECTED = "CSV, TSV, JSONL, JSON (all four also as .gz), Parquet, XLSX, or a folder of .txt files"

OpenTable = Callable[[Path, ByteStream, NoteProblem], AbstractContextManager[Table]]


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file format and how it is read.

    A file has the format whose ``magic`` are its first four bytes and whose ``suffixes`` have the ending of its name
    (in lower case, without ``.gz``); if there is none, the first of which one of the two is true. So a format may share
    its magic with another one, as all that are ZIP files do. A format with ``magic`` is binary; the others are text,
    also gzipped, which ``open`` finds unpacked in its stream.
    """

    name: str
    suffixes: frozenset[str]
    open: OpenTable
    magic: bytes | None = None

    def matches(self, magic: bytes, suffix: str) -> bool:
        """Return whether a file has these first four bytes of the format, or an ending of it."""
        return magic == self.magic or suffix in self.suffixes


FILE_FORMATS = (
    FileFormat(
        "Parquet",
        frozenset({".parquet"}),
        lambda path, _, note: open_parquet_table(path, note),
        magic=b"PAR1",
    ),
    FileFormat(
        "XLSX",
        frozenset({".xlsx", ".xlsm"}),
        lambda path, _, note: open_xlsx_table(path, note),
        magic=b"PK\x03\x04",
    ),
    FileFormat(
        "JSON",
        frozenset({".json", ".jsonl", ".ndjson"}),
        lambda path, stream, note: nullcontext(read_json(read_pieces(stream, PIECE_CHARACTERS), path, note)),
    ),
    FileFormat(
        "CSV",
        frozenset({".csv", ".tsv", ".tab", ".psv"}),
        lambda path, stream, note: nullcontext(read_delimited(read_lines(stream, path), path, note)),
    ),
    FileFormat(
        "text",
        frozenset({".txt"}),
        lambda path, stream, note: nullcontext(read_text_file(path)),
    ),
)
FOLDER_FORMAT = "folder of .txt files"


@contextmanager
def open_table(path: Path, note: NoteProblem) -> Iterator[Table]:
    """Open a file or a folder of .txt files as a table whose rows stream; no file is held as a whole.

    Problems with rows go to ``note`` as they are met.

    Raises:
        InputError: it is missing, empty, of no known format or damaged from its first byte.
    """
    if path.is_dir():
        yield _folder_table(path, note)
        return
    with open_bytes(path) as stream:
        head = first_bytes(stream, path)
        file_format = _format_of(path, head[:4], gzipped=isinstance(stream, gzip.GzipFile))
        encoding = describe_encoding(head) if file_format.magic is None else None
        with file_format.open(path, stream, note) as table:
            yield replace(table, format=file_format.name, encoding=encoding)


def _format_of(path: Path, magic: bytes, *, gzipped: bool) -> FileFormat:
    suffix = _suffix(path)
    if gzipped and any(magic == file_format.magic for file_format in FILE_FORMATS):
        raise InputError(f"{path}: a gzipped {suffix[1:]} file; unpack it with gunzip and name the result")
    for file_format in FILE_FORMATS:
        if magic == file_format.magic and suffix in file_format.suffixes:
            return file_format
    for file_format in FILE_FORMATS:
        if file_format.matches(magic, suffix):
            return file_format
    raise InputError(f"{path}: a file named {suffix or 'without an ending'} is not known; expected {EXPECTED}")


def _suffix(path: Path) -> str:
    """Return the ending of the name, in lower case, without ``.gz``."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _folder_table(folder: Path, note: NoteProblem) -> Table:
    table = read_text_folder(folder, note)
    if table is None:
        suffixes = sorted({_suffix(path) for path in islice(folder.iterdir(), 1000) if path.is_file()} - {""})
        seen = f"it has files of type {', '.join(suffixes)}; name one of them" if suffixes else "it has no files"
        raise InputError(f"{folder}: a folder without .txt files: {seen}. Expected {EXPECTED}")
    return replace(table, format=FOLDER_FORMAT)
