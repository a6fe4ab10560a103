"""Decode HTML and XML: by the byte order mark, by what the bytes are, and by the charset that the document declares."""

from __future__ import annotations

import codecs
import re

from curation.readers.decoding import BYTE_ORDER_MARKS, repair, sniff_encoding
from curation.readers.rows import DamagedError

# Where a document declares its charset, if it does.
DECLARED_WITHIN = 4096
DECLARATION = re.compile(
    rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([\w.:-]+)|<meta\s[^>]{0,400}?charset\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)


def decode_document(raw: bytes) -> str:
    """Return the text of an HTML or XML document.

    Bytes that are valid UTF-8 are UTF-8, whatever the document declares: text in another charset never is by chance.

    Raises:
        DamagedError: it is not UTF-8, and the charset that it declares is unknown.
    """
    encoding = sniff_encoding(raw[: 1 << 16])
    if raw.startswith(tuple(mark for mark, _ in BYTE_ORDER_MARKS)) or encoding.startswith("utf-16"):
        return raw.decode(encoding, "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _decode_declared(raw)


def _decode_declared(raw: bytes) -> str:
    declaration = DECLARATION.search(raw[:DECLARED_WITHIN])
    name = (declaration[1] or declaration[2]).decode() if declaration else "utf-8"
    try:
        encoding = codecs.lookup(name).name
    except LookupError as error:
        raise DamagedError(f"declares the unknown charset {name!r}; save it again as UTF-8") from error
    # Latin-1 means Windows-1252 in all browsers, and bytes that are no UTF-8 in spite of their name are that too.
    if encoding in ("utf-8", "utf-16", "ascii", "iso8859-1", "cp1252"):
        return repair(raw.decode("utf-8" if encoding == "utf-8" else "ascii", "surrogateescape"))
    return raw.decode(encoding, "replace")
