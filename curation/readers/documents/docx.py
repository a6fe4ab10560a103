"""Convert Word documents (.docx) to text: paragraphs and tables, without deleted, hidden or struck text.

The parts of the file are read here, with zipfile and lxml, since python-docx loads all of them at once, pictures too,
and passes over inserted text, content controls and text boxes. Headers, footers, comments and notes are left out.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from curation.readers.rows import DamagedError
from curation.runtime.limits import MARKS_OF_DOCUMENT

from .page_text import CELL_END, ROW_END, tidy
from .symbol_fonts import symbol
from .xml_parsing import local_name, read_elements

# The text of a Word document beyond this (in bytes, unpacked) is no report.
LARGEST_TEXT = 1 << 26
PIECE_BYTES = 1 << 16
MAIN_PART = re.compile(r"word/document\d*\.xml")
CHARACTERS = {
    "tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "tc": CELL_END, "tr": ROW_END, "p": "\n",
}  # fmt: skip
AT_THE_END = frozenset(("tc", "tr", "p"))
NOT_ON_THE_PAGE = frozenset(("del", "moveFrom", "Fallback", "instrText", "delText", "rubyPr", "sdtPr"))
UNSAID = frozenset(("vanish", "strike", "dstrike", "webHidden"))
OFF = frozenset(("0", "false", "off", "none"))


class WordReader:
    """Takes the elements of a document's main part and gathers the text."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._left_out = 0  # open elements that are not shown, counted from the outermost one
        self._in_text = False
        self._in_run = False
        self._unsaid = False  # whether the run is struck out or hidden
        self._tick: bool | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        name = local_name(tag)
        if self._left_out or name in NOT_ON_THE_PAGE:
            self._left_out += 1
            return
        value = next((attributes[key] for key in attributes if local_name(key) == "val"), "")
        if name == "r":
            self._in_run, self._unsaid = True, False
        elif name in UNSAID and self._in_run:
            self._unsaid = value not in OFF
        elif name == "t":
            self._in_text = True
        elif name == "sym":
            self._add(_symbol(attributes))
        elif name == "checkBox":
            self._tick = False
        elif name in ("default", "checked") and self._tick is not None:  # "checked" comes behind the default
            self._tick = value not in OFF
        elif name == "txbxContent":
            self._text.append("\n")
        elif name in CHARACTERS and name not in AT_THE_END and (name != "tab" or self._in_run):
            self._add(CHARACTERS[name])

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        if self._left_out:
            self._left_out -= 1
            return
        name = local_name(tag)
        if name == "r":
            self._in_run = self._unsaid = False
        elif name == "t":
            self._in_text = False
        elif name == "checkBox":
            self._text.append("[x] " if self._tick else "[ ] ")
            self._tick = None
        elif name in AT_THE_END:
            self._text.append(CHARACTERS[name])

    def data(self, text: str) -> None:
        """Take text."""
        if self._in_text and not self._left_out:
            self._add(text)

    def close(self) -> str:
        """Return the text of the document."""
        return tidy("".join(self._text))

    def _add(self, text: str) -> None:
        if not self._unsaid:
            self._text.append(text)


def _symbol(attributes: Mapping[str, str]) -> str:
    by_name = {local_name(key): value for key, value in attributes.items()}
    try:
        return symbol(by_name.get("font", ""), int(by_name.get("char", ""), 16))
    except ValueError:
        return ""


def docx_text(file: IO[bytes] | Path) -> str:
    """Return the text that a Word document shows, tables as lines of ``cell | cell``.

    Raises:
        DamagedError: it is cut off or no Word document, or holds more text than any report.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            part = next((part for part in archive.infolist() if MAIN_PART.fullmatch(part.filename)), None)
            if part is None:
                raise DamagedError("no Word document: it has no word/document.xml")
            if part.file_size > LARGEST_TEXT:
                raise DamagedError(f"a Word document with {part.file_size:,} bytes of text; a report has less")
            with archive.open(part) as stream:
                return read_elements(_pieces(stream), WordReader())
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise DamagedError(f"a Word document that is cut off or corrupt ({error}); fetch it again") from error


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a part, no more of them than its entry in the archive says."""
    marks = 0
    while piece := stream.read(PIECE_BYTES):
        marks += piece.count(b"<")
        if marks > MARKS_OF_DOCUMENT.most:
            raise DamagedError(f"a Word document with more than {MARKS_OF_DOCUMENT.most:,} marks; a report has less")
        yield piece
