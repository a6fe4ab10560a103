"""Read JSON as rows, streamed: one object on each line, a list of objects, or a map from id to report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from curation.runtime.errors import InputError

from .layouts import is_known
from .rows import DamagedError, NoteProblem, Table, TableRow, check_width, flatten

# Rows looked at to learn the columns, and members of an object held back until it is clear what it is.
LOOK_AHEAD = 100
# A value that grows to this many characters is taken for one that never ends.
LONGEST_VALUE = 1 << 26
WHITE = " \t\r\n\ufeff"
JSON_START = re.compile(r'(\[\s*)?\{\s*("(?:[^"\\\n]|\\.)*"\s*:|\})')


def looks_like_json(text: str) -> bool:
    """Return whether a text without white space in front begins as an object or a list of objects does.

    A report may begin with a bracket too: ``[**Name**]``.
    """
    return JSON_START.match(text) is not None


def read_json(pieces: Iterator[str], path: Path, note: NoteProblem) -> Table:
    """Return the objects of a JSON file as a table. Its beginning shows which kind it is, whatever the file is called.

    Raises:
        InputError: it is of none of the kinds.
    """
    try:
        ahead = list(islice((piece for piece in pieces if piece.strip(WHITE)), 2))
    except DamagedError as error:
        raise InputError(f"{path}: {error}; fetch the file again") from error
    if not ahead:
        raise InputError(f"{path} holds no text; expected JSON objects with a report in each")
    all_pieces = chain(ahead, pieces)
    if has_object_per_line(ahead, path):
        rows = _line_rows(all_pieces, note)
    else:
        rows = _document_rows(JsonCursor(all_pieces), path, note)
    first = list(islice(rows, LOOK_AHEAD))
    columns = tuple(dict.fromkeys(name for row in first for name in row.cells))
    check_width(path, len(columns))
    return Table(columns, chain(first, rows))


def has_object_per_line(ahead: list[str], path: Path) -> bool:
    """Return whether each line is an object of its own."""
    first = ahead[0].strip(WHITE)
    if first.startswith("[") or first == "{":
        return False
    if any(name in path.name.lower() for name in (".jsonl", ".ndjson")):
        return True
    return len(ahead) > 1 and ahead[1].lstrip(WHITE).startswith("{") and _parses(first)


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _line_rows(pieces: Iterator[str], note: NoteProblem) -> Iterator[TableRow]:
    number = 0
    try:
        for line in whole_lines(pieces):
            number += 1
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                note(number, f"not JSON ({error}): {line[:60]}")
                continue
            if isinstance(record, dict):
                yield TableRow(number, flatten(record))
            else:
                note(number, f"expected a JSON object, got {type(record).__name__}: {line[:60]}")
    except DamagedError as error:
        note(number + 1, f"{error}; this row and those behind it are lost, fetch the file again")


def whole_lines(pieces: Iterator[str]) -> Iterator[str]:
    """Yield the lines that are not blank; of one without an end only so much as shows that it is no JSON."""
    parts: list[str] = []
    size = 0
    for piece in pieces:
        if size <= LONGEST_VALUE:
            parts.append(piece)
            size += len(piece)
        if piece.endswith(("\n", "\r")):
            if line := "".join(parts).strip(WHITE):
                yield line
            parts, size = [], 0
    if line := "".join(parts).strip(WHITE):
        yield line


class JsonCursor:
    """Reads JSON text of any length value by value and holds little more than the value that it stands at."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._place = 0
        self._decoder = json.JSONDecoder()

    def peek(self) -> str:
        """Return the next character that is not white, or "" at the end."""
        while True:
            while self._place < len(self._text):
                character = self._text[self._place]
                if character not in WHITE:
                    return character
                self._place += 1
            if not self._read_on():
                return ""

    def skip(self, expected: str) -> bool:
        """Step over ``expected`` if it comes next; return whether it does."""
        comes_next = self.peek() == expected
        self._place += comes_next
        return comes_next

    def read_value(self) -> object:
        """Read one value.

        Raises:
            ValueError: what comes next is no JSON, or never ends.
        """
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._place)
            except ValueError:
                if not self._read_on(double=True):
                    raise
                continue
            if end < len(self._text) or isinstance(value, str | list | dict) or not self._read_on():
                self._place = end
                return value

    def _read_on(self, double: bool = False) -> bool:
        """Read on; with ``double`` until as much again is there, so that a long value is not parsed at every piece.

        Returns whether there was more text.
        """
        self._text, self._place = self._text[self._place :], 0
        if len(self._text) > LONGEST_VALUE:
            return False
        pieces, missing = [], len(self._text) if double else 1
        for piece in self._pieces:
            pieces.append(piece)
            missing -= len(piece)
            if missing <= 0:
                break
        self._text += "".join(pieces)
        return bool(pieces)


def _document_rows(document: JsonCursor, path: Path, note: NoteProblem) -> Iterator[TableRow]:
    number = 0
    try:
        for name, record in _records(document):
            number += 1
            if isinstance(record, dict):
                yield TableRow(number, {**name, **flatten(record)})
            elif isinstance(record, str) and name:
                yield TableRow(number, {**name, "report": record})
            else:
                note(number, f"expected a JSON object, got {type(record).__name__}: {str(record)[:60]}")
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        if not number:
            raise InputError(f"{path}: not JSON ({error}); expected objects with a report in each") from error
        note(number + 1, f"not JSON from here on ({error}); this row and those behind it are lost")
    except DamagedError as error:
        if not number:
            raise InputError(f"{path}: {error}; fetch the file again") from error
        note(number + 1, f"{error}; this row and those behind it are lost, fetch the file again")


def _records(document: JsonCursor) -> Iterator[tuple[dict[str, str], object]]:
    """Yield the records of a document, each with the cells that its place adds: key of a map, or name of its list."""
    while document.peek():
        if document.skip("["):
            yield from (({}, record) for record in elements_of(document))
        elif document.skip("{"):
            yield from _members(document)
        else:
            yield {}, document.read_value()


def elements_of(document: JsonCursor) -> Iterator[object]:
    """Yield the values of a list, up to its closing bracket."""
    while not document.skip("]"):
        yield document.read_value()
        if not document.skip(",") and document.peek() != "]":
            raise ValueError("a list is not closed")


def _members(document: JsonCursor) -> Iterator[tuple[dict[str, str], object]]:
    """Yield the records of an object: its lists of objects (``"training": [{…}, …]``), or else its members by key.

    Text and objects in front of such lists describe the data set, so they are held back until the object shows what
    it is: one without lists is a map from id to report, or, if all it holds is text and numbers, may be one report.
    """
    members: dict[str, object] | None = {}
    for key in keys_of(document):
        if document.skip("["):
            for element in elements_of(document):
                if isinstance(element, dict):
                    members = None
                    yield {"split": key}, element
            continue
        value = document.read_value()
        if members is None:
            continue
        members[key] = value
        if len(members) == LOOK_AHEAD:
            yield from _map_records(members)
            yield from (({"key": key}, document.read_value()) for key in keys_of(document, first=False))
            return
    if members:
        yield from _map_records(members)


def keys_of(document: JsonCursor, first: bool = True) -> Iterator[str]:
    """Yield the keys of an object, the cursor standing before the value of each, up to its closing brace."""
    while not document.skip("}"):
        if not first and not document.skip(","):
            raise ValueError("an object is not closed")
        key = document.read_value()
        if not isinstance(key, str) or not document.skip(":"):
            raise ValueError("a key is missing")
        yield key
        first = False


def _map_records(members: dict[str, object]) -> Iterator[tuple[dict[str, str], object]]:
    if any(is_known(key) for key in members):  # one report whose keys are columns
        yield {}, members
    else:
        yield from (({"key": key}, value) for key, value in members.items())
