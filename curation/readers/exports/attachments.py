"""Text of documents that a message or resource carries in base64: plain text, HTML and RTF; others are refused."""

from __future__ import annotations

import base64
import binascii
import codecs
import re

from ..decoding import repair, sniff_encoding
from ..documents.html import html_text, is_html_page
from ..documents.rtf import is_rtf, rtf_text
from ..rows import DamagedError

SPACE = re.compile(r"\s+")
CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
SNIFFED = 1 << 12
# What a document is by its first bytes, and what to do about it.
BINARY = (
    (b"%PDF", "a PDF; convert it with pdftotext -layout"),
    (b"PK\x03\x04", "a ZIP or Word file"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x1f\x8b", "a gzipped file"),
)


def decode_base64(data: str) -> bytes:
    """Return the bytes that base64 stands for, whatever its line ends.

    Raises:
        DamagedError: it is no base64, or is cut off.
    """
    try:
        return base64.b64decode(SPACE.sub("", data), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DamagedError(f"base64 that is broken or cut off ({error})") from error


def document_text(raw: bytes, content_type: str = "") -> str:
    """Return the text that a document shows. Its bytes tell what it is; its stated type tells charset, and HTML.

    Raises:
        DamagedError: it is no text, or damaged; the message says what it is.
    """
    for magic, kind in BINARY:
        if raw.lstrip().startswith(magic):
            raise DamagedError(f"{kind}, which is not read")
    if is_rtf(raw):
        return rtf_text(raw)
    if "html" in content_type.lower() or is_html_page(raw[:SNIFFED].decode("latin-1")):
        charset = _charset_of(content_type)
        return html_text(raw if charset is None else _decode(raw, charset))
    if CONTROL.search(raw[:SNIFFED]) and not sniff_encoding(raw[:SNIFFED]).startswith("utf-16"):
        raise DamagedError(f"no text ({content_type or 'bytes of an unknown kind'}), which is not read")
    return _decode(raw, _charset_of(content_type))


def shown_text(text: str) -> str:
    """Return what a text shows that may be RTF or a page of HTML in itself; other text as it is.

    Raises:
        DamagedError: it is RTF or HTML, and damaged.
    """
    if is_rtf(text):
        return rtf_text(text)
    return html_text(text) if is_html_page(text) else text


def _charset_of(content_type: str) -> str | None:
    """Return the codec that a content type names, None where it names none or one that is not known."""
    charset = CHARSET.search(content_type)
    try:
        if charset:
            b"".decode(charset[1])
            return codecs.lookup(charset[1]).name
    except LookupError:
        pass
    return None


def _decode(raw: bytes, charset: str | None) -> str:
    """Return text that is UTF-8 or UTF-16 if it can be, else in ``charset``, else in Windows-1252."""
    encoding = sniff_encoding(raw[: 1 << 16])
    if encoding != "utf-8":
        return raw.decode(encoding, "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        if charset in (None, "utf-8", "ascii", "iso8859-1"):
            return repair(raw.decode("utf-8", "surrogateescape"))
        return raw.decode(charset, "replace")
