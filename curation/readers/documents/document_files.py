"""Read files that are one document each as tables of one row: RTF, HTML, Word, CDA and DICOM SR."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from curation.readers.decoding import UNPACKING_ERRORS, ByteStream
from curation.readers.rows import DamagedError, Table, TableRow
from curation.runtime.errors import InputError, extra_hint

from .cda import read_cda
from .dicom_sr import read_structured_report
from .docx import docx_text
from .html import html_text
from .rtf import rtf_text

COLUMNS = ("report_id", "report")
# A document beyond this (in bytes) is no report. A Word document has pictures beside its text, which are not read.
LARGEST_DOCUMENT = 1 << 26
Cells = dict[str, str]


def read_rtf(path: Path, stream: ByteStream) -> Table:
    """Read an RTF file, whose name is the report's id."""
    return _one_row(path, stream, lambda raw: {"report": rtf_text(raw)})


def read_html(path: Path, stream: ByteStream) -> Table:
    """Read an HTML file, whose name is the report's id."""
    return _one_row(path, stream, lambda raw: {"report": html_text(raw)})


def read_word(path: Path, stream: ByteStream) -> Table:
    """Read a Word document, whose name is the report's id."""
    return _one_row(path, stream, lambda raw: {"report": docx_text(io.BytesIO(raw))})


def read_clinical_document(path: Path, stream: ByteStream) -> Table:
    """Read a CDA document, which has an id of its own."""
    return _one_row(path, stream, _cda_cells)


def read_dicom(path: Path, stream: ByteStream) -> Table:
    """Read a DICOM Structured Report, whose id is its accession number.

    Raises:
        InputError: it is another DICOM object, or pydicom is not installed.
    """
    try:
        return _one_row(path, stream, _sr_cells)
    except ImportError as error:
        raise InputError(f"{path}: DICOM needs pydicom; {extra_hint('dicom')}") from error


def _cda_cells(raw: bytes) -> Cells:
    document = read_cda(raw)
    return {
        "report_id": document.document_id or document.set_id,
        "report": document.text,
        "examination": document.examination,
        "accession": document.accession,
        "set_id": document.set_id,
        "version": str(document.version or ""),
    }


def _sr_cells(raw: bytes) -> Cells:
    report = read_structured_report(raw)
    return {
        "report_id": report.report_id,
        "report": report.text,
        "examination": report.examination,
        "modality": report.modality,
    }


def _one_row(path: Path, stream: ByteStream, read: Callable[[bytes], Cells]) -> Table:
    """Return the table of a document. ``read`` gives its cells; the file's name is the id where they have none.

    Raises:
        InputError: the document is damaged; the message has the place.
    """
    try:
        raw = stream.read(LARGEST_DOCUMENT + 1)
        if len(raw) > LARGEST_DOCUMENT:
            raise DamagedError(f"a document of more than {LARGEST_DOCUMENT >> 20} MB; a report has less")
        cells = read(raw)
    except UNPACKING_ERRORS as error:
        raise InputError(f"{path}: cannot be unpacked ({error}); fetch the file again") from error
    except DamagedError as error:
        raise InputError(f"{path}: {error}") from error
    cells = {"report_id": file_stem(path.name), **{name: cell for name, cell in cells.items() if cell}}
    cells.setdefault("report", "")
    return Table(tuple(cells), iter([TableRow(1, cells)]))


def file_stem(name: str) -> str:
    """Return a file's name without its ending and ``.gz``.

    >>> file_stem("sub/case 7.rtf.gz"), file_stem("README")
    ('sub/case 7', 'README')
    """
    plain = name[:-3] if name.lower().endswith(".gz") else name
    folder, slash, file = plain.rpartition("/")
    return f"{folder}{slash}{file.rpartition('.')[0] or file}"
