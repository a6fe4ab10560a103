"""Open a file or folder as a table of rows. ``FILE_FORMATS`` lists the file formats: a new one is added there."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from curation.runtime.errors import InputError

from .decoding import (
    PIECE_CHARACTERS,
    ByteStream,
    FileHead,
    describe_encoding,
    open_bytes,
    read_head,
    read_lines,
    read_pieces,
)
from .delimited import read_delimited
from .exports.fhir_resources import looks_like_fhir
from .exports.fhir_table import open_fhir_table
from .exports.hl7_messages import looks_like_hl7
from .exports.hl7_table import open_hl7_table
from .json_rows import looks_like_json, read_json
from .parquet_rows import open_parquet_table
from .rows import NoteProblem, Table
from .text_files import read_text_file, read_text_folder
from .xlsx_rows import open_xlsx_table

OpenTable = Callable[[Path, ByteStream, NoteProblem], AbstractContextManager[Table]]


def _shows_nothing(head: FileHead) -> bool:
    """Return False: the bytes of such a file do not show its format."""
    return False


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file format and how it is read.

    A file has the first format whose ``recognises`` is true of its beginning, whatever its name. Where its bytes cannot
    tell, it has the first format whose ``suffixes`` have the ending of its name (in lower case, without ``.gz``).
    ``binary`` formats are never unpacked; the others are text, which ``open`` finds unpacked in its stream. Errors call
    the format by its ``title`` where that is more than its name.
    """

    name: str
    suffixes: frozenset[str]
    open: OpenTable
    recognises: Callable[[FileHead], bool] = _shows_nothing
    binary: bool = False
    title: str = ""


# A format that is a special kind of another one stands before it.
FILE_FORMATS = (
    FileFormat(
        "Parquet",
        frozenset({".parquet"}),
        lambda path, _, note: open_parquet_table(path, note),
        lambda head: head.data.startswith(b"PAR1"),
        binary=True,
    ),
    FileFormat(
        "XLSX",
        frozenset({".xlsx", ".xlsm"}),
        lambda path, _, note: open_xlsx_table(path, note),
        lambda head: head.data.startswith(b"PK\x03\x04"),
        binary=True,
    ),
    FileFormat("HL7 v2", frozenset({".hl7"}), lambda path, stream, note: open_hl7_table(stream, note), looks_like_hl7),
    FileFormat(
        "FHIR",
        frozenset(),
        lambda path, stream, note: open_fhir_table(path, stream, note),
        looks_like_fhir,
        title="FHIR (JSON, NDJSON)",
    ),
    FileFormat(
        "JSON",
        frozenset({".json", ".jsonl", ".ndjson"}),
        lambda path, stream, note: nullcontext(read_json(read_pieces(stream, PIECE_CHARACTERS), path, note)),
        lambda head: looks_like_json(head.text),
        title="JSON, JSONL",
    ),
    FileFormat(
        "CSV",
        frozenset({".csv", ".tsv", ".tab", ".psv"}),
        lambda path, stream, note: nullcontext(read_delimited(read_lines(stream, path), path, note)),
        title="CSV, TSV",
    ),
    FileFormat(
        "text",
        frozenset({".txt"}),
        lambda path, stream, note: nullcontext(read_text_file(path)),
        title=".txt",
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
        head = read_head(stream, path, suffix=_suffix(path))
        file_format = _format_of(path, head, gzipped=isinstance(stream, gzip.GzipFile))
        encoding = None if file_format.binary else describe_encoding(head.data)
        with file_format.open(path, stream, note) as table:
            yield replace(table, format=table.format or file_format.name, encoding=encoding)


def _format_of(path: Path, head: FileHead, *, gzipped: bool) -> FileFormat:
    by_bytes = (file_format for file_format in FILE_FORMATS if file_format.recognises(head))
    by_name = (file_format for file_format in FILE_FORMATS if head.suffix in file_format.suffixes)
    file_format = next(by_bytes, None) or next(by_name, None)
    if file_format is None:
        raise InputError(f"{path}: a file named {head.suffix or 'without an ending'} is not known; {_expected()}")
    if gzipped and file_format.binary:
        raise InputError(f"{path}: a gzipped {file_format.name} file; unpack it with gunzip and name the result")
    return file_format


def _expected() -> str:
    """Return all that can be read, for errors."""
    texts = ", ".join(file_format.title or file_format.name for file_format in FILE_FORMATS if not file_format.binary)
    binary = ", ".join(file_format.title or file_format.name for file_format in FILE_FORMATS if file_format.binary)
    return f"expected {texts} (all of these also as .gz), {binary}, or a {FOLDER_FORMAT}"


def _suffix(path: Path) -> str:
    """Return the ending of the name, in lower case, without ``.gz``."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _folder_table(folder: Path, note: NoteProblem) -> Table:
    table = read_text_folder(folder, note)
    if table is None:
        suffixes = sorted({_suffix(path) for path in islice(folder.iterdir(), 1000) if path.is_file()} - {""})
        seen = f"it has files of type {', '.join(suffixes)}; name one of them" if suffixes else "it has no files"
        raise InputError(f"{folder}: a folder without .txt files: {seen}; {_expected()}")
    return replace(table, format=FOLDER_FORMAT)
