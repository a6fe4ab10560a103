"""Convert RTF to text: what its page shows, without deleted, hidden or struck text, headers and footers.

After the Rich Text Format specification 1.9.1. Written here because the libraries for it keep deleted and hidden text,
lose text boxes and tick boxes, and do not notice that a document is cut off.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace

from curation.readers.rows import DamagedError

from .page_text import CELL_END, ROW_END, join_surrogates, tidy
from .symbol_fonts import symbol

RTF_START = "{\\rtf"
DEEPEST = 1_000
TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?"  # a control word with its number
    r"|\\'([0-9a-fA-F]{2})"  # a byte in hexadecimal digits
    r"|\\(.)"  # a control symbol
    r"|([{}])"
    r"|[\r\n\0]+"  # line ends in the file mean nothing
    r"|([^\\{}\r\n\0]+)",
    re.DOTALL,
)
CHARACTERS = {
    "par": "\n", "line": "\n", "sect": "\n\n", "page": "\n", "column": "\n", "softline": "\n", "tab": "\t",
    "cell": CELL_END, "nestcell": CELL_END, "row": ROW_END, "nestrow": ROW_END,
    "emdash": "—", "endash": "–", "emspace": " ", "enspace": " ", "qmspace": " ", "bullet": "•",
    "lquote": "\u2018", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "~": " ", "_": "-", "\n": "\n", "\r": "\n", "{": "{", "}": "}", "\\": "\\",
}  # fmt: skip
# Groups that the page does not show; those that begin with \* are passed over too, unless they are in STARRED_TEXT.
NOT_ON_THE_PAGE = frozenset((
    "annotation", "atnauthor", "atnid", "author", "buptim", "colortbl", "comment", "company", "creatim", "datafield",
    "doccomm", "fldinst", "footer", "footerf", "footerl", "footerr", "header", "headerf", "headerl", "headerr", "info",
    "keywords", "listtable", "listoverridetable", "nonesttables", "nonshppict", "objdata", "operator", "pict",
    "printim", "revtim", "shprslt", "sp", "stylesheet", "subject", "tc", "template", "title", "xe",
))  # fmt: skip
STARRED_TEXT = frozenset(("shpinst", "nesttableprops"))
# What struck out a word, or hid it, by how the word is written.
UNSAID = frozenset(("deleted", "v", "strike", "striked", "webhidden"))
CODE_PAGES = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
# \fcharset of a font; 0 and 1 are the document's own.
CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "cp1361", 134: "cp936", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
SYMBOL_CHARSET = 2
# \ffres of a tick box that was never touched: its default counts.
UNTOUCHED = 25


@dataclass(frozen=True, slots=True)
class GroupState:
    """What a group of RTF changes, and its closing brace restores."""

    shown: bool = True
    font: int = -1
    unicode_skip: int = 1
    unsaid: frozenset[str] = frozenset()
    font_table: bool = False


@dataclass(slots=True)
class Font:
    """A font of the document: its charset says what its bytes mean, its name what its symbols are."""

    charset: int = 1
    name: str = ""


@dataclass(slots=True)
class RtfReading:
    """Reads the tokens of one document and gathers its text."""

    raw_bytes: bool
    state: GroupState = field(default_factory=GroupState)
    outer: list[GroupState] = field(default_factory=list)
    fonts: dict[int, Font] = field(default_factory=dict)
    code_page: str = "cp1252"
    text: list[str] = field(default_factory=list)
    pending: bytearray = field(default_factory=bytearray)
    to_skip: int = 0
    starred: bool = False
    tick: bool | None = None  # of the form field that is being read
    tick_touched: bool = False
    tick_depth: int = 0

    def open_group(self, place: int) -> None:
        """Begin a group."""
        self.flush()
        if len(self.outer) >= DEEPEST:
            raise DamagedError(f"RTF nested deeper than {DEEPEST:,} groups at character {place + 1:,}")
        self.outer.append(self.state)
        self.starred = False
        self.to_skip = 0

    def close_group(self) -> None:
        """End a group: what it changed is as before it."""
        self.flush()
        if self.tick is not None and len(self.outer) == self.tick_depth:
            self.text.append("[x] " if self.tick else "[ ] ")
            self.tick = None
        self.state = self.outer.pop()
        self.to_skip = 0

    def add_control(self, word: str, number: int | None) -> None:
        """Take a control word: a character, a setting of the text behind it, or a group that is passed over."""
        self.flush()
        starred, self.starred = self.starred, False
        if self.to_skip:
            self.to_skip -= 1
        elif word == "u" and number is not None:
            self.add_unicode(number % 0x10000)
        elif word in CHARACTERS:
            self.add_character(CHARACTERS[word])
        elif word in NOT_ON_THE_PAGE or (starred and word not in STARRED_TEXT):
            self.state = replace(self.state, shown=False)
            self.set_tick(word, number)
        else:
            self.set_state(word, number)

    def add_unicode(self, code: int) -> None:
        """Add a character by its number; the next ones stand in for it in programs that do not know Unicode."""
        font = self.fonts.get(self.state.font)
        in_symbol_font = font is not None and font.charset == SYMBOL_CHARSET and 0xF000 <= code < 0xF100
        self.add_character(symbol(font.name, code) if font and in_symbol_font else chr(code))
        self.to_skip = self.state.unicode_skip

    def set_state(self, word: str, number: int | None) -> None:
        """Take a control word that is neither a character nor a group that is passed over."""
        state = self.state
        if word == "f" and number is not None:
            self.state = replace(state, font=number)
            if state.font_table:
                self.fonts[number] = Font()
        elif word == "deff" and number is not None:
            self.state = replace(state, font=number)
        elif word == "fcharset" and state.font_table:
            self.fonts.setdefault(state.font, Font()).charset = number or 0
        elif word == "fonttbl":
            self.state = replace(state, font_table=True)
        elif word == "uc":
            self.state = replace(state, unicode_skip=max(number or 0, 0))
        elif word in UNSAID:
            unsaid = state.unsaid - {word} if number == 0 else state.unsaid | {word}
            self.state = replace(state, unsaid=unsaid)
        elif word == "plain":
            self.state = replace(state, unsaid=frozenset())
        elif word == "ansicpg" and number is not None:
            self.code_page = _code_page(number)
        elif word in CODE_PAGES:
            self.code_page = CODE_PAGES[word]
        else:
            self.set_tick(word, number)

    def set_tick(self, word: str, number: int | None) -> None:
        """Take a control word of a form field that is a tick box."""
        if word == "fftype":
            self.tick, self.tick_touched, self.tick_depth = (False if number == 1 else None), False, len(self.outer)
        elif self.tick is None:
            return
        elif word == "ffres" and number != UNTOUCHED:
            self.tick, self.tick_touched = number == 1, True
        elif word == "ffdefres" and not self.tick_touched:
            self.tick = number == 1

    def add_character(self, character: str) -> None:
        """Add text where the page shows it."""
        self.flush()
        if self.state.font_table:
            self.fonts.setdefault(self.state.font, Font()).name += character
        elif self.state.shown and not self.state.unsaid:
            self.text.append(character)

    def add_bytes(self, raw: bytes) -> None:
        """Add bytes, which mean something once all bytes of a character are there."""
        skipped = min(self.to_skip, len(raw))
        self.to_skip -= skipped
        self.pending += raw[skipped:]

    def add_run(self, run: str) -> None:
        """Add a run of plain characters."""
        self.starred = False
        if self.raw_bytes or run.isascii():
            self.add_bytes(run.encode("latin-1"))
            return
        self.flush()
        skipped = min(self.to_skip, len(run))
        self.to_skip -= skipped
        self.add_character(run[skipped:])

    def flush(self) -> None:
        """Decode the bytes that have been gathered, as the font at this place has them."""
        if not self.pending:
            return
        raw, self.pending = bytes(self.pending), bytearray()
        font = self.fonts.get(self.state.font, Font())
        if font.charset == SYMBOL_CHARSET and not self.state.font_table:
            self.add_character("".join(symbol(font.name, byte) for byte in raw))
        else:
            self.add_character(raw.decode(CHARSETS.get(font.charset, self.code_page), "replace"))


def _code_page(number: int) -> str:
    name = {10000: "mac_roman", 65001: "utf-8"}.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise DamagedError(f"RTF with the unknown code page {number}; save it again as text") from error


def is_rtf(head: bytes | str) -> bool:
    """Return whether a document or cell that begins so is RTF."""
    if isinstance(head, bytes):
        return head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(RTF_START.encode())
    return head.lstrip("\ufeff \t\r\n").startswith(RTF_START)


def rtf_text(source: bytes | str) -> str:
    """Return the text that an RTF document shows, tables as lines of ``cell | cell``.

    Bytes are decoded by the code pages that the document names; in a str, characters beyond ASCII stand for themselves.

    Raises:
        DamagedError: it is no RTF, is cut off, or is nested deeper than any page; the message has the place.
    """
    if not is_rtf(source):
        raise DamagedError(f"no RTF: it does not begin with {RTF_START}")
    raw_bytes = isinstance(source, bytes)
    rtf = source.decode("latin-1") if isinstance(source, bytes) else source
    reading = RtfReading(raw_bytes)
    _read(reading, rtf, rtf.index("{"))
    return tidy(join_surrogates("".join(reading.text)))


def _read(reading: RtfReading, rtf: str, place: int) -> None:
    """Read the document's outermost group; what is behind it is not part of the document."""
    while token := TOKEN.match(rtf, place):
        word, number, byte, sign, brace, run = token.groups()
        place = token.end()
        if run:
            reading.add_run(run)
        elif word == "bin":
            place += int(number or 0)
        elif word:
            reading.add_control(word, int(number) if number else None)
        elif byte:
            reading.add_bytes(bytes.fromhex(byte))
        elif sign == "*":
            reading.starred = True
        elif sign:
            reading.add_control(sign, None)
        elif brace == "{":
            reading.open_group(token.start())
        elif brace:
            reading.close_group()
            if not reading.outer:
                return
    raise DamagedError(f"RTF cut off at character {len(rtf):,}: {len(reading.outer)} of its groups are not closed")
