"""Read the records of a CSV file one after the other, also behind a quote that is never closed.

The csv module reads them. Only where it fails, or a closed cell holds what must be rows of their own, a record is read
again by rules that end it where the next one starts, so that a forgotten quote costs no row but its own.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator

from .rows import DamagedError

# A record that grows beyond this many characters is taken for one whose quote was never closed.
LONGEST_RECORD = 1 << 24
# Lines read on from an open quote in search of its end or the next record.
MOST_LINES = 1000
# Lines that look like records, up to the cell's last line, before a closed cell whose lines start plainly is cut up.
LINES_OF_PLAIN_FORM = 3
WORD = re.compile(r"[^\W_]+")


class OpenQuoteError(Exception):
    """Raised where a record grows past ``LONGEST_RECORD`` without an end."""


class RecordLines:
    """Iterates over lines, remembers those of the record being read and can give them out again."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._waiting: deque[str] = deque()
        self._damage: DamagedError | None = None
        self.record: list[str] = []
        self._size = 0
        self._taken = 0
        self._next = 1
        self.first_line = 1  # of the record that was ended last

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._waiting:
            line = self._waiting.popleft()
        elif self._damage:
            raise self._damage
        else:
            line = self._from_source()
        self._taken += 1
        self.record.append(line)
        self._size += len(line)
        if self._size > LONGEST_RECORD and len(self.record) > 1:
            raise OpenQuoteError
        return line

    def _from_source(self) -> str:
        try:
            return next(self._source)
        except DamagedError as damage:  # a generator raises once; whoever reads on has to hear of it as well
            self._damage = damage
            raise

    def end_record(self) -> None:
        """Forget the lines of the record, which is complete."""
        self.first_line, self._next = self._next, self._taken + 1
        self._forget()

    def _forget(self) -> None:
        self.record.clear()
        self._size = 0

    def put_back(self) -> None:
        """Give the lines of the current record out again."""
        self._waiting.extendleft(reversed(self.record))
        self._taken -= len(self.record)
        self._forget()

    def put_back_last(self) -> None:
        """Give only the last line out again."""
        self._waiting.appendleft(self.record.pop())
        self._taken -= 1


class RecordShape:
    """Knows what the start of a record looks like in this file, learnt from the records read so far.

    An open quote swallows the rows that follow; they are told from the lines of a long report by the form of their
    first cell (``train_12`` has the form ``a_9``) and their number of cells.
    """

    MOST_FORMS = 32

    def __init__(self, delimiter: str, width: int) -> None:
        self.delimiter, self.width = delimiter, width
        self._forms: set[str] = set()

    def learn(self, cells: list[str]) -> None:
        """Remember the form of a record's first cell."""
        if len(self._forms) <= self.MOST_FORMS and len(cells) == self.width:
            self._forms.add(self._form(cells[0]))

    def starts_record(self, line: str) -> bool:
        """Return whether ``line`` may be the first line of a record."""
        form = self._first_form(line)
        if self.delimiter not in line or not form or not (self._is_known(form) or self._is_plausible(form)):
            return False
        try:
            return len(next(csv.reader([line], delimiter=self.delimiter, strict=True))) == self.width
        except csv.Error:  # the first of several lines: a quote opens here and closes later
            return f'{self.delimiter}"' in line

    def first_swallowed(self, lines: list[str]) -> int | None:
        """Return the index of the first line within quotes that must be a record of its own, None if none is."""
        for index in range(1, len(lines)):
            if self.starts_record(lines[index]):
                rest = lines[index:]
                form = self._first_form(lines[index])
                enough = LINES_OF_PLAIN_FORM if form in {"9", "x"} else 1  # "T12, normal" stands in reports as well
                all_records = len(rest) >= enough and all(self.starts_record(line) for line in rest)
                return index if all_records else None
        return None

    def _is_known(self, form: str) -> bool:
        return form in self._forms and len(self._forms) <= self.MOST_FORMS and form != "a"

    def _is_plausible(self, form: str) -> bool:
        return not self._forms and " " not in form and ("9" in form or "x" in form)

    def _first_form(self, line: str) -> str:
        end = '"' if line.startswith('"') else self.delimiter
        return self._form(line.removeprefix('"').partition(end)[0].strip())

    @staticmethod
    def _form(cell: str) -> str:
        if len(cell) > 64:
            return ""
        return WORD.sub(lambda word: "9" if word[0].isdigit() else "a" if word[0].isalpha() else "x", cell)


def read_records(lines: RecordLines, shape: RecordShape) -> Iterator[tuple[list[str], str | None]]:
    """Yield records as the csv module reads them; where it cannot, or swallows rows, as ``_read_broken_record`` does.

    With each record comes what is wrong with it, None for nothing.
    """
    while True:
        stop: int | None = None
        try:
            for cells in csv.reader(lines, delimiter=shape.delimiter, strict=True):
                if len(lines.record) > 1 and (stop := shape.first_swallowed(lines.record)):
                    break
                lines.end_record()
                yield cells, None
            else:
                return
        except (csv.Error, OpenQuoteError):
            pass
        lines.put_back()
        broken = _read_broken_record(lines, shape, stop)
        lines.end_record()
        yield broken


def _read_broken_record(lines: RecordLines, shape: RecordShape, stop: int | None) -> tuple[list[str], str]:
    """Read a record with a quote that is not closed, or not doubled inside a cell; return it with what is wrong.

    A quote ends a cell only in front of a delimiter or a line end. A cell that is still open where the next record
    starts (line ``stop``, or the first that looks like it) ends there; where none starts, it ends with its line.
    """
    ends = re.compile(rf'"+(?=[{re.escape(shape.delimiter)}\r\n]|$)')
    cells: list[str] = []
    open_cell: list[str] | None = None
    while line := _next_of_record(lines, shape, stop):
        open_cell = _cut_line(line, shape.delimiter, ends, cells, open_cell)
        if open_cell is None:
            return cells, "a quote inside a quoted cell is not doubled; it was read as part of the text"
    if line is None and stop is None and len(lines.record) > 1:
        lines.put_back()
        return _read_broken_record(lines, shape, 1)
    cells.append(_undoubled(open_cell or []))
    if len(lines.record) == 1:
        cells = _without_quotes(lines.record[0], shape, cells)
    return cells, "a quote opens here and is never closed; the cell was taken to end in front of the next row"


def _next_of_record(lines: RecordLines, shape: RecordShape, stop: int | None) -> str | None:
    """Return the next line of a record with an open quote: "" where another record starts, None if none is in sight."""
    read = len(lines.record)
    if stop is not None and read >= stop:
        return ""
    if read >= MOST_LINES:
        return None
    try:
        line = next(lines)
    except (StopIteration, OpenQuoteError, DamagedError):
        return None
    if read and stop is None and shape.starts_record(line):
        lines.put_back_last()
        return ""
    return line


def _cut_line(
    line: str, delimiter: str, ends: re.Pattern[str], cells: list[str], open_cell: list[str] | None
) -> list[str] | None:
    """Append the cells of one line to ``cells``; return the pieces of the one still open at its end, if any."""
    place = 0
    while True:
        if open_cell is None:
            if not line.startswith('"', place):
                cell, separator, _ = line[place:].partition(delimiter)
                cells.append(cell if separator else cell.rstrip("\r\n"))
                if not separator:
                    return None
                place += len(cell) + 1
                continue
            open_cell, place = [], place + 1
        end = next((quotes for quotes in ends.finditer(line, place) if len(quotes[0]) % 2), None)
        if end is None:
            return [*open_cell, line[place:]]
        cells.append(_undoubled([*open_cell, line[place : end.end() - 1]]))
        open_cell, place = None, end.end() + 1
        if not line.startswith(delimiter, end.end()):
            return None


def _undoubled(pieces: list[str]) -> str:
    return "".join(pieces).rstrip("\r\n").replace('""', '"')


def _without_quotes(line: str, shape: RecordShape, cells: list[str]) -> list[str]:
    """Return the cells of a line whose last quote never closes: cut at every delimiter, if that gives enough cells."""
    open_cell = len(cells) - 1
    plain = line.rstrip("\r\n").split(shape.delimiter)
    if len(plain) < shape.width or line.count('"') > 1:
        return cells
    plain[open_cell] = plain[open_cell].removeprefix('"')
    return plain
