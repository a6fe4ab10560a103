"""Cut a stream into HL7 v2 messages: one or many in a file, in MLLP frames, in batches, with CR, LF or CRLF ends."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..decoding import PIECE_CHARACTERS, STRAY_BYTES, ByteStream, FileHead, read_pieces, repair
from ..rows import DamagedError, NoteProblem
from .hl7_segments import Separators, field_of, read_separators, split_fields

# A header segment with its separators, whatever they are.
START = re.compile(r"\x0b?(?:MSH|FHS|BHS)[^\w\s][^\w\s]")
SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}[^\w\s]")
SEGMENT_BEGUN = re.compile(r"[A-Z][A-Z0-9]{0,2}")
# What may stand before a segment, as files were put together, and what is nothing at all, as Ctrl-Z at the end.
INDENT = " \t\ufeff"
NOTHING = "\0\x1a\x0c\ufeff \t\r\n"
HEADER_BEGUN = ("M", "B", "F")
FRAME = re.compile("([\x0b\x1c])")
FRAME_START, FRAME_END = "\x0b", "\x1c"
# A segment beyond this is left out with its message: a document of 48 MB in base64.
LONGEST_SEGMENT = 1 << 26
MOST_SEGMENTS = 100_000
CHARSETS = {"GB 18030-2000": "gb18030", "KS X 1001": "euc_kr", "BIG-5": "big5", "8859/1": "cp1252"}


@dataclass(frozen=True, slots=True)
class Hl7Message:
    """A message of a file, the ``number``-th from 1: its segments, each as its fields by their number.

    ``unterminated`` says that the file ends without an end of its last segment, ``cut_off`` that it ends within one.
    """

    number: int
    separators: Separators
    segments: list[list[str]]
    unterminated: bool
    cut_off: bool

    @property
    def header(self) -> list[str]:
        """The fields of MSH."""
        return self.segments[0]

    def place(self) -> str:
        """Return where the message stands, for problems."""
        return f"message {self.number}"


def looks_like_hl7(head: FileHead) -> bool:
    """Return whether a file begins with the header of an HL7 v2 message, batch or file."""
    return START.match(head.text) is not None


def read_messages(stream: ByteStream, note: NoteProblem) -> Iterator[Hl7Message]:
    """Yield the messages of a file, decoded, holding one at a time; what is damaged is noted and left out."""
    cutter = _Cutter(note)
    try:
        for line in _lines(stream):
            framed = FRAME_START in line or FRAME_END in line
            for item in filter(None, FRAME.split(line)) if framed else (line,):
                if message := cutter.take(item):
                    yield message
        if message := cutter.close():
            yield message
    except DamagedError as error:
        number = cutter.number + (not cutter.lines)
        note(number, f"message {number}: {error}; this message and those behind it are lost, fetch the file again")


def _lines(stream: ByteStream) -> Iterator[str]:
    """Yield lines with their ends; of one that never ends, only so much as shows that it is too long."""
    parts: list[str] = []
    size = 0
    for piece in read_pieces(stream, PIECE_CHARACTERS, repaired=False):
        if not parts and piece.endswith(("\n", "\r")):
            yield piece
            continue
        if size <= LONGEST_SEGMENT:
            parts.append(piece)
            size += len(piece)
        if piece.endswith(("\n", "\r")):
            yield "".join(parts)
            parts, size = [], 0
    if parts:
        yield "".join(parts)


class _Cutter:
    """Puts lines together to messages: a new one begins at MSH, and ends at the next header, trailer or frame."""

    def __init__(self, note: NoteProblem) -> None:
        self.number = 0
        self.lines: list[str] = []
        self._note = note
        self._framed = self._dropping = False
        self._open_batch = ""
        self._counted_from = 0
        self._ended = True
        self._cut_off = self._has_statuses = False

    def take(self, item: str) -> Hl7Message | None:
        """Take a line or the mark of a frame; return the message that it ends, if it does."""
        if item[0] in INDENT and SEGMENT.match(item.lstrip(INDENT)):
            item = item.lstrip(INDENT)
        if item.startswith("OBX"):
            self._add(item)
            return None
        name = item[:3]
        if item in (FRAME_START, FRAME_END):
            if item == FRAME_START and self._framed and self.lines:
                self._drop("its frame has no end; it may be cut off")
            message = self._finish()
            self._framed = item == FRAME_START
            return message
        if name == "MSH":
            message = self._finish()
            self._begin(item)
            return message
        if name in ("FHS", "BHS", "BTS", "FTS") and SEGMENT.match(item):
            message = self._finish()
            self._enter_or_leave_batch(name, item)
            return message
        self._add(item)
        return None

    def close(self) -> Hl7Message | None:
        """Return the last message of the file."""
        if self._open_batch:
            self._note(None, f"the batch has no end ({self._open_batch}); the file may be cut off", kept=True)
        if self._framed and self.lines:
            self._drop("its frame has no end; it is cut off")
        return self._finish()

    def _begin(self, line: str) -> None:
        self.number += 1
        self._ended = line.endswith(("\r", "\n"))
        self._dropping = not START.match(line)
        self.lines = [] if self._dropping else [line.rstrip("\r\n")]
        if self._dropping:
            problem = f"MSH has no separators: {line[:40].strip()!r}; expected MSH|^~\\&|… The message was left out"
            self._note(self.number, f"message {self.number}: {problem}")

    def _add(self, line: str) -> None:
        """Add a segment, or a line of text that a raw line end cut off the segment before it."""
        if self._dropping:
            return
        if not self.lines:
            if line.strip(NOTHING):
                self._dropping = True
                self._note(None, f"text behind message {self.number} that belongs to none: {line[:40].strip()!r}")
            return
        if not line.strip(NOTHING) and not self.lines[-1].startswith("OBX"):
            return
        if not line.strip("\0\x1a"):
            return
        self._ended = line.endswith(("\r", "\n"))
        if not self._ended and SEGMENT_BEGUN.fullmatch(line):
            self._cut_off = not line.startswith(HEADER_BEGUN)
            if not self._cut_off:
                self._note(
                    None, f"the file ends behind message {self.number} with {line!r}; it may be cut off", kept=True
                )
        elif len(line) > LONGEST_SEGMENT:
            self._drop(f"a segment of over {LONGEST_SEGMENT:,} characters")
            self._dropping = True
        elif len(self.lines) >= MOST_SEGMENTS:
            self._drop(f"over {MOST_SEGMENTS:,} segments")
            self._dropping = True
        elif SEGMENT.match(line) and line[3] == self.lines[0][3]:
            self.lines.append(line.rstrip("\r\n"))
        else:
            self.lines[-1] += "\n" + line.rstrip("\r\n")

    def _enter_or_leave_batch(self, name: str, line: str) -> None:
        fields = split_fields(line.strip(), Separators(line[3]))
        if name == "BTS" and (count := field_of(fields, 1)).isdecimal():
            read = self.number - self._counted_from
            if int(count) != read:
                self._note(None, f"BTS counts {count} messages, the batch in front of it has {read}", kept=True)
        self._counted_from = self.number
        self._open_batch = {"FHS": "FTS", "BHS": "BTS"}.get(name, "")

    def _drop(self, problem: str) -> None:
        self._note(self.number, f"message {self.number}: {problem}. The message was left out")
        self.lines = []

    def _finish(self) -> Hl7Message | None:
        lines, self.lines, self._dropping = self.lines, [], False
        if not lines:
            return None
        separators = read_separators(lines[0])
        if lines[0][4:5] == lines[0][3]:
            self._note(self.number, f"message {self.number}: MSH-2 is empty; ^~\\& was taken for it", kept=True)
        segments = [split_fields(line, separators) for line in self._decoded(lines, separators)]
        last = segments[-1]
        if last[0] == "OBX":
            # The status is required: where earlier messages have it, an observation without it is not whole.
            self._cut_off |= not self._ended and self._has_statuses and not field_of(last, 11)
            self._has_statuses |= bool(field_of(last, 11))
        return Hl7Message(self.number, separators, segments, not self._ended, self._cut_off)

    def _decoded(self, lines: list[str], separators: Separators) -> list[str]:
        """Return lines with bytes that are not UTF-8 read as MSH-18 says, or else as Windows-1252."""
        if all(map(str.isascii, lines)) or not any(map(STRAY_BYTES.search, lines)):
            return lines
        charset = field_of(split_fields(lines[0], separators), 18).split(separators.repetition or "~")[0]
        codec = _codec_of(charset)
        try:
            if codec and codec != "utf-8":
                return [line.encode("utf-8", "surrogateescape").decode(codec) for line in lines]
        except UnicodeDecodeError:
            codec = "utf-8"
        if charset and codec in ("utf-8", None):
            problem = f"its bytes are not in {charset}, which MSH-18 names; they were read as Windows-1252"
            self._note(self.number, f"message {self.number}: {problem}", kept=True)
        return [repair(line) for line in lines]


def _codec_of(charset: str) -> str | None:
    """Return the codec of a character set as HL7 table 0211 names it, or as others do; None if it is not known.

    >>> _codec_of("8859/2"), _codec_of("UNICODE UTF-8"), _codec_of("windows-1250"), _codec_of("x")
    ('iso8859-2', 'utf-8', 'cp1250', None)
    """
    name = charset.strip().upper().encode("ascii", "replace").decode()
    if name.endswith(("UTF-8", "UTF8")):
        return "utf-8"
    name = CHARSETS.get(name, name.replace("8859/", "iso8859-"))
    try:
        b"".decode(name)  # not of bytes to bytes, as "hex" is
        return codecs.lookup(name).name
    except LookupError:
        return None


def message_type(message: Hl7Message) -> tuple[str, str]:
    """Return code and event of MSH-9: ("ORU", "R01")."""
    joint = message.separators.component or "^"
    code, event = [*field_of(message.header, 9).upper().split(joint), ""][:2]
    return code.strip().partition("_")[0], event.strip()
