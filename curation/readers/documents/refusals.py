"""Tell files that hold no text that can be read, by their first bytes, and say what to do with them."""

from __future__ import annotations

import codecs
import re

from curation.readers.decoding import FileHead, sniff_encoding
from curation.runtime.errors import InputError

from .dicom_sr import is_dicom, refusal_of_dicom
from .html import is_html_page

ZIP_MAGIC = b"PK\x03\x04"
OLD_OFFICE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CONVERT = "soffice --headless --convert-to {to} FILE"
PDF = "PDF: write its text to a file with pdftotext -layout FILE.pdf FILE.txt, and read that"
IMAGE = "an image ({}): there is no text in it; run text recognition (OCR), check what it gives, and read that"
ARCHIVE = "an archive ({}): unpack it, and name the folder"
PROGRAM = "a program or library, no report"
# What stands in front of all else in a file, and what the file is then.
MAGICS = (
    (b"\x89PNG\r\n", IMAGE.format("PNG")),
    (b"\xff\xd8\xff", IMAGE.format("JPEG")),
    (b"II*\0", IMAGE.format("TIFF")),
    (b"MM\0*", IMAGE.format("TIFF")),
    (b"GIF8", IMAGE.format("GIF")),
    (b"\0\0\0\x0cjP  ", IMAGE.format("JPEG 2000")),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE.format("7z")),
    (b"Rar!\x1a\x07", ARCHIVE.format("RAR")),
    (b"BZh", ARCHIVE.format("bzip2")),
    (b"\xfd7zXZ\0", ARCHIVE.format("xz")),
    (b"\x28\xb5\x2f\xfd", ARCHIVE.format("zstd")),
    (b"\x7fELF", PROGRAM),
    (b"MZ", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"SQLite format 3\0", "an SQLite database: write its table of reports to a CSV file"),
    (b"ARROW1\0\0", "Arrow or Feather: write it as Parquet, with pandas.read_feather(...).to_parquet(...)"),
    (b"ORC", "ORC: write it as Parquet"),
    (b"Obj\x01", "Avro: write it as Parquet or JSONL"),
    (b"\x89HDF\r\n", "HDF5: write its table of reports as Parquet or CSV"),
)
TAR_MAGIC, TAR_PLACE = b"ustar", 257
OPEN_DOCUMENT = re.compile(rb"application/vnd\.oasis\.opendocument\.([a-z]+)")
# What OpenDocument is converted to.
OPEN_DOCUMENT_WAYS = {b"spreadsheet": "xlsx", b"text": "docx"}
# Names inside a ZIP that make it a Word document or an Excel workbook; its ending may say so too.
WORD_PART, EXCEL_PART = b"word/", b"xl/"
WORKBOOK_SUFFIXES = frozenset((".xls", ".xlsx", ".xlsm"))
# Control characters that texts have: tab, line ends, form feed, and those that frame HL7 messages.
CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x0b\x1b\x1c"))
LEAST_CONTROL = 4
MOST_CONTROL = 0.03
XML_START = re.compile(r"<\?xml\b|<\?mso-")
ROOT_ELEMENT = re.compile(r"<([A-Za-z_][\w.:-]*)")


class RefusedFileError(InputError):
    """Raised for a file that is not read; ``reason`` says what it is and what to do, without its name."""

    def __init__(self, path: object, reason: str, expected: str = "") -> None:
        super().__init__(f"{path}: {reason}{f'; {expected}' if expected else ''}")
        self.reason = reason


def is_word(head: FileHead) -> bool:
    """Return whether a file is a Word document (.docx)."""
    return head.data.startswith(ZIP_MAGIC) and (WORD_PART in head.data or head.suffix in (".docx", ".docm"))


def is_workbook(head: FileHead) -> bool:
    """Return whether a file is an Excel workbook (.xlsx)."""
    return head.data.startswith(ZIP_MAGIC) and (EXCEL_PART in head.data or head.suffix in (".xlsx", ".xlsm"))


def is_dicom_report(head: FileHead) -> bool:
    """Return whether a file is a DICOM object with a report in it."""
    return is_dicom(head.data) and refusal_of_dicom(head.data) is None


def is_page(head: FileHead) -> bool:
    """Return whether a file is an HTML page, and no table that a program saved so under the name of a workbook."""
    return is_html_page(head.text) and head.suffix not in WORKBOOK_SUFFIXES


def refusal(head: FileHead) -> str | None:
    """Return what a file is that no format recognises, and what to do with it; None where its name may tell.

    Nothing of the file itself stands in the answer.
    """
    data = head.data
    if b"%PDF-" in data[:1024]:
        return PDF
    if is_dicom(data):
        return refusal_of_dicom(data)
    if head.text[:1] == "<" and head.suffix in WORKBOOK_SUFFIXES:
        return "a page or XML under the name of a workbook: open it in Excel and save it as .xlsx or .csv"
    if data.startswith(ZIP_MAGIC):
        return _zip_refusal(head.data)
    if data.startswith(OLD_OFFICE_MAGIC):
        return _old_office_refusal(head.suffix)
    if data[TAR_PLACE : TAR_PLACE + len(TAR_MAGIC)] == TAR_MAGIC:
        return ARCHIVE.format("tar")
    by_magic = next((what for magic, what in MAGICS if data.startswith(magic)), None)
    # Two letters are as well the start of a text.
    if by_magic and (by_magic != PROGRAM or _is_binary(data)):
        return by_magic
    return _refusal_of_text(head)


def _refusal_of_text(head: FileHead) -> str | None:
    if _is_binary(head.data):
        return "binary data of no kind that is known; expected text"
    if XML_START.match(head.text):
        root = ROOT_ELEMENT.search(head.text)
        return f"XML{f' ({root[1]})' if root else ''} that is no clinical document (CDA)"
    return None


def _zip_refusal(data: bytes) -> str:
    if match := OPEN_DOCUMENT.search(data[:200]):
        to = OPEN_DOCUMENT_WAYS.get(match[1], "docx")
        return f"OpenDocument ({match[1].decode()}): save it as .{to}, or run {CONVERT.format(to=to)}"
    return ARCHIVE.format("ZIP")


def _old_office_refusal(suffix: str) -> str:
    if suffix in (".xlsx", ".docx", ".xlsm", ".docm"):
        return f"an office file with a password: save it without one, as {suffix}"
    if suffix == ".msg":
        return "an Outlook message: save the report in it as text"
    to = "docx" if suffix in (".doc", ".dot") else "xlsx"
    kind = "an old Word document (.doc)" if to == "docx" else "an old Excel workbook (.xls)"
    return f"{kind}: save it as .{to}, or run {CONVERT.format(to=to)}"


def _is_binary(data: bytes) -> bool:
    """Return whether bytes are no text: several control characters, and NUL or bytes that are not UTF-8 among them."""
    if sniff_encoding(data) not in ("utf-8", "utf-8-sig"):
        return False
    control = len(data) - len(data.translate(None, CONTROL))
    return control >= LEAST_CONTROL and control > MOST_CONTROL * len(data) and (b"\0" in data or not _is_utf8(data))


def _is_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True
