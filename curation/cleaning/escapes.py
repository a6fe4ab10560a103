r"""Undo the escapes of spreadsheets, interfaces and databases: ``_x000D_``, ``\.br\``, ``~``, a written ``\n``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

# ECMA-376 part 1, 22.4.2.4 (ST_Xstring): a character that XML cannot hold, as Excel writes it.
_SPREADSHEET = re.compile(r"_x([0-9A-F]{4})_")
# HL7 v2.5, 2.7: escape sequences of formatted text between two escape characters, which may be escaped once more.
_INTERFACE = re.compile(
    r"(?:\\E)?\\(?:(?P<break>\.(?i:br|ce|sp\d*))|(?P<layout>\.(?:in|ti|sk|fi|nf)[+-]?\d*|[HN])|(?P<mark>[FSTRE])|X(?P<hex>(?:[0-9A-F]{2})+))(?:\\E)?\\"
)
_MARKS = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\"}
# JSON that was encoded twice. Characters beyond the first plane are two of these, and stay.
_JSON = re.compile(r"\\u([0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})")
_WRITTEN_BREAK = re.compile(r"(?:\\{1,2}r)?\\{1,2}n|\\{1,2}r|\\{1,2}t")
_CERTAIN_BREAK = re.compile(r"(?:\\r)?\\n(?=[A-Z0-9\s\\*#•-]|$)|\\r\\n")
_PATH = re.compile(r"\b[A-Za-z]:\\|(?<![.:;,])\\\\\w")
# As URLs and e-mails (quoted-printable, RFC 2045) write a line end.
_ENCODED_BREAK = re.compile(r"(?:%0[Dd])?%0[Aa]|(?:=0D)?=0A|=20(?=\s|\Z)")
# "~" ends a repetition of a field in HL7. Before a number or behind a space it is "about".
_REPETITION = re.compile(
    r"(?<=[^\s~])~+(?=\s*(?:[A-Za-z(\[*•\"“”-]|\d+[.)]\s|$))|^~+(?=[A-Za-z])|(?<=[.:;])~(?=\s*\d)", re.M
)


def escape_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that undo escapes.

    A backslash with a letter is a line break only where the text has one that cannot be anything else, and no path of a
    file. "~" is a line end only where at least one stands behind the end of a sentence or a heading, or ends the text.
    """
    if "_x" in text:
        yield from _spreadsheet_edits(text)
    if "%0" in text or "=0" in text:
        for match in _ENCODED_BREAK.finditer(text):
            yield Edit(match.start(), match.end(), " " if match[0] == "=20" else "\n", "escape")
    if "\\" in text:
        yield from _backslash_edits(text)
    if "~" in text:
        yield from _repetition_edits(text)


def _spreadsheet_edits(text: str) -> Iterator[Edit]:
    for match in _SPREADSHEET.finditer(text):
        character = chr(int(match[1], 16))
        if character == "\r" and text[match.end() : match.end() + 1] == "\n":
            character = ""
        if not "\ud800" <= character <= "\udfff":
            yield Edit(match.start(), match.end(), "\n" if character == "\r" else character, "escape")


def _backslash_edits(text: str) -> Iterator[Edit]:
    if "\\u" in text and not _PATH.search(text):
        for match in _JSON.finditer(text):
            yield Edit(match.start(), match.end(), chr(int(match[1], 16)), "escape")
    if _CERTAIN_BREAK.search(text) and not _PATH.search(text):
        for match in _WRITTEN_BREAK.finditer(text):
            yield Edit(match.start(), match.end(), "\t" if match[0] == "\\t" else "\n", "escape")
    for match in _INTERFACE.finditer(text):
        yield Edit(match.start(), match.end(), _interface_text(match), "escape")


def _interface_text(match: re.Match[str]) -> str:
    if match["break"]:
        return "\n"
    if match["mark"]:
        return _MARKS[match["mark"]]
    if match["hex"]:
        decoded = bytes.fromhex(match["hex"]).decode("latin-1")
        return decoded.replace("\r\n", "\n").replace("\r", "\n")
    return ""


def _repetition_edits(text: str) -> Iterator[Edit]:
    if not re.search(r"[.:;)]\s?~|~\s*\Z", text):
        return
    for match in _REPETITION.finditer(text):
        yield Edit(match.start(), match.end(), "\n", "line end")
