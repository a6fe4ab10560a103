"""Open a file or folder as a table of rows. ``FILE_FORMATS`` lists the file formats: a new one is added there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from curation.runtime.errors import InputError

from .decoding import (
    PIECE_CHARACTERS,
    ByteStream,
    FileHead,
    describe_encoding,
    is_packed,
    open_bytes,
    read_head,
    read_lines,
    read_pieces,
)
from .delimited import read_delimited
from .documents.cda import is_cda
from .documents.document_files import read_clinical_document, read_dicom, read_html, read_rtf, read_word
from .documents.refusals import RefusedFileError, is_dicom_report, is_page, is_word, is_workbook, refusal
from .documents.rtf import is_rtf
from .documents.text_files import read_text_file
from .exports.fhir_resources import looks_like_fhir
from .exports.fhir_table import open_fhir_table
from .exports.hl7_messages import looks_like_hl7
from .exports.hl7_table import open_hl7_table
from .folders.folder_table import read_folder
from .folders.survey import files_read, survey_folder
from .json_rows import looks_like_json, read_json
from .parquet_rows import open_parquet_table
from .rows import NoteProblem, Table
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
        is_workbook,
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
        "Word",
        frozenset({".docx", ".docm"}),
        lambda path, stream, _: nullcontext(read_word(path, stream)),
        is_word,
        binary=True,
        title="Word (.docx)",
    ),
    FileFormat(
        "DICOM SR",
        frozenset(),
        lambda path, stream, _: nullcontext(read_dicom(path, stream)),
        is_dicom_report,
        binary=True,
        title="DICOM Structured Reports",
    ),
    FileFormat(
        "RTF",
        frozenset({".rtf"}),
        lambda path, stream, _: nullcontext(read_rtf(path, stream)),
        lambda head: is_rtf(head.text),
    ),
    FileFormat(
        "CDA",
        frozenset(),
        lambda path, stream, _: nullcontext(read_clinical_document(path, stream)),
        lambda head: is_cda(head.text),
        title="CDA (XML)",
    ),
    FileFormat(
        "HTML",
        frozenset({".html", ".htm", ".xhtml"}),
        lambda path, stream, _: nullcontext(read_html(path, stream)),
        is_page,
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


@contextmanager
def open_table(path: Path, note: NoteProblem, check: Callable[[], None] = lambda: None) -> Iterator[Table]:
    """Open a file or a folder as a table whose rows stream; no table is held as a whole.

    Problems with rows go to ``note`` as they are met. ``check`` is called before each read, and may raise to give up.

    Raises:
        InputError: it is missing, empty, of no known format or damaged from its first byte.
    """
    if path.is_dir():
        yield read_folder(path, partial(_name_of_format, check=check), partial(open_table, check=check), note)
        return
    with _recognised(path, check) as (stream, file_format, head):
        encoding = None if file_format.binary else describe_encoding(head.data)
        with file_format.open(path, stream, note) as table:
            yield replace(table, format=table.format or file_format.name, encoding=encoding)


def report_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that are read as reports, ordered by path."""
    return (path for path, _ in files_read(folder, survey_folder(folder, _name_of_format)))


@contextmanager
def _recognised(path: Path, check: Callable[[], None]) -> Iterator[tuple[ByteStream, FileFormat, FileHead]]:
    with open_bytes(path, check) as stream:
        head = read_head(stream, path, suffix=_suffix(path))
        yield stream, _format_of(path, head, gzipped=is_packed(stream)), head


def _name_of_format(path: Path, check: Callable[[], None] = lambda: None) -> str:
    with _recognised(path, check) as (_, file_format, _):
        return file_format.name


def _format_of(path: Path, head: FileHead, *, gzipped: bool) -> FileFormat:
    by_bytes = (file_format for file_format in FILE_FORMATS if file_format.recognises(head))
    by_name = (file_format for file_format in FILE_FORMATS if head.suffix in file_format.suffixes)
    file_format = next(by_bytes, None)
    if file_format is None and (reason := refusal(head)):
        raise RefusedFileError(path, reason)
    file_format = file_format or next(by_name, None)
    if file_format is None:
        ending = f"a file named {head.suffix}" if head.suffix else "a file without an ending"
        raise RefusedFileError(path, f"{ending} is not known", _expected())
    if gzipped and file_format.binary:
        raise InputError(f"{path}: a gzipped {file_format.name} file; unpack it with gunzip and name the result")
    return file_format


def _expected() -> str:
    """Return all that can be read, for errors."""
    texts = ", ".join(file_format.title or file_format.name for file_format in FILE_FORMATS if not file_format.binary)
    binary = ", ".join(file_format.title or file_format.name for file_format in FILE_FORMATS if file_format.binary)
    return f"expected {texts} (all of these also as .gz), {binary}, or a folder of such files"


def _suffix(path: Path) -> str:
    """Return the ending of the name, in lower case, without ``.gz``."""
    return Path(path.name.lower().removesuffix(".gz")).suffix
