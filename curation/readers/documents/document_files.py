"""Read files that are one document each as tables of one row: RTF, HTML, Word, CDA and DICOM SR."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from curation.readers.decoding import ByteStream
from curation.readers.exports.newest import NewestVersions, Version
from curation.readers.rows import DamagedError, Table, TableRow
from curation.runtime.errors import InputError, extra_hint
from curation.runtime.limits import MARKS_OF_DOCUMENT
from curation.runtime.unpacking import UNPACKING_ERRORS

from .cda import read_cda
from .dicom_sr import read_structured_report
from .docx import docx_text
from .html import html_text
from .rtf import rtf_text

# A document beyond this (in bytes) is no report. A Word document has pictures beside its text, which are not read.
LARGEST_DOCUMENT = 1 << 26


class Document(NamedTuple):
    """A document as a row: its cells, and what tells which of its versions is newer, if anything does."""

    cells: dict[str, str]
    version_key: str = ""
    version: Version = Version(1)


def read_rtf(path: Path, stream: ByteStream) -> Table:
    """Read an RTF file, whose name is the report's id."""
    return _one_row(path, stream, lambda raw: Document({"report": rtf_text(_few_marks(raw, b"\\{"))}))


def read_html(path: Path, stream: ByteStream) -> Table:
    """Read an HTML file, whose name is the report's id."""
    return _one_row(path, stream, lambda raw: Document({"report": html_text(_few_marks(raw, b"<&"))}))


def read_word(path: Path, stream: ByteStream) -> Table:
    """Read a Word document, whose name is the report's id."""
    return _one_row(path, stream, lambda raw: Document({"report": docx_text(io.BytesIO(raw))}))


def read_clinical_document(path: Path, stream: ByteStream) -> Table:
    """Read a CDA document, which has an id of its own."""
    return _one_row(path, stream, _cda_document, id_from="id")


def read_dicom(path: Path, stream: ByteStream) -> Table:
    """Read a DICOM Structured Report, whose id is its accession number.

    Raises:
        InputError: it is another DICOM object, or pydicom is not installed.
    """
    try:
        return _one_row(path, stream, _sr_document, id_from="AccessionNumber")
    except ImportError as error:
        raise InputError(f"{path}: DICOM needs pydicom; {extra_hint('dicom')}") from error


def _few_marks(raw: bytes, marks: bytes) -> bytes:
    """Return a document. Raises ``DamagedError`` for one of so much markup that reading it would take minutes."""
    count = sum(raw.count(mark) for mark in marks)
    if count > MARKS_OF_DOCUMENT.most:
        raise DamagedError(f"a document with {count:,} marks ({marks.decode()}); a report has less")
    return raw


def _cda_document(raw: bytes) -> Document:
    document = read_cda(_few_marks(raw, b"<&"))
    cells = {
        "report_id": document.document_id or document.set_id,
        "report": document.text,
        "examination": document.examination,
        "accession": document.accession,
        "set_id": document.set_id,
        "version": str(document.version or ""),
    }
    key = f"CDA\x1f{document.set_id}" if document.set_id else ""
    return Document(cells, key, Version(1, time=document.time, serial=document.version))


def _sr_document(raw: bytes) -> Document:
    report = read_structured_report(raw)
    cells = {
        "report_id": report.report_id,
        "report": report.text,
        "examination": report.examination,
        "modality": report.modality,
    }
    return Document(cells, f"DICOM\x1f{report.document}", Version(1, report.rank, report.time))


def _one_row(
    path: Path, stream: ByteStream, read: Callable[[bytes], Document], id_from: str = "the file's name"
) -> Table:
    """Return the table of a document. The file's name is the id where its cells have none.

    Raises:
        InputError: the document is damaged; the message has the place.
    """
    try:
        raw = stream.read(LARGEST_DOCUMENT + 1)
        if len(raw) > LARGEST_DOCUMENT:
            raise DamagedError(f"a document of more than {LARGEST_DOCUMENT >> 20} MB; a report has less")
        document = read(raw)
    except UNPACKING_ERRORS as error:
        raise InputError(f"{path}: cannot be unpacked ({error}); fetch the file again") from error
    except DamagedError as error:
        raise InputError(f"{path}: {error}") from error
    cells = {"report_id": file_stem(path.name), **{name: cell for name, cell in document.cells.items() if cell}}
    cells.setdefault("report", "")
    newest = NewestVersions() if document.version_key else None
    if newest is not None:
        newest.offer(document.version_key, document.version)
    rows = iter([TableRow(1, cells, version_key=document.version_key)])
    return Table(tuple(cells), rows, origins={"report_id": id_from, "report": "the document"}, newest=newest)


def file_stem(name: str) -> str:
    """Return a file's name without its ending and ``.gz``.

    >>> file_stem("sub/case 7.rtf.gz"), file_stem("README")
    ('sub/case 7', 'README')
    """
    plain = name[:-3] if name.lower().endswith(".gz") else name
    folder, slash, file = plain.rpartition("/")
    return f"{folder}{slash}{file.rpartition('.')[0] or file}"
