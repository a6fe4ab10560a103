"""Read CSV and TSV as rows, whatever the delimiter, and also with cells missing or in surplus."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import accumulate, islice
from pathlib import Path

from curation.runtime.errors import InputError

from .quotes import OpenQuoteError, RecordLines, RecordShape, read_records
from .rows import DamagedError, NoteProblem, RecentLines, Table, TableRow, check_width

DELIMITERS = ",\t;|"
# Lines looked at to find the delimiter.
SAMPLE_LINES = 20
# Characters of them, and of the header, that are cut into cells to find out.
SAMPLE_CHARACTERS = 1 << 22
# Of one line, in quotes or not; a report of a million characters has some ten thousand commas.
MOST_CELLS = 1 << 18
MOST_BLANK_LINES = 1_000_000
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*$')


def read_delimited(source: Iterator[str], path: Path, note: NoteProblem) -> Table:
    """Find delimiter and header, then stream the rows.

    Raises:
        InputError: there is no header.
    """
    csv.field_size_limit(2**31 - 1)
    lines = RecordLines(_checked_lines(source, path))
    delimiter = _find_delimiter(lines, preferred="\t" if ".tsv" in path.name.lower() else ",")
    try:
        header = next((cells for cells in csv.reader(lines, delimiter=delimiter, strict=True) if any(cells)), None)
    except (csv.Error, OpenQuoteError) as error:
        raise InputError(f"{path}: the header line cannot be read ({error}); put its quotes right") from error
    except DamagedError as error:
        raise InputError(f"{path}: {error}; fetch the file again") from error
    if header is None:
        raise InputError(f"{path} holds no text; expected a header line and at least one report")
    check_width(path, len(header))
    lines.end_record()
    columns = unique_names([name.strip().lstrip("\ufeff") for name in header])
    recent = RecentLines()
    rows = _rows(lines, columns, RecordShape(delimiter, len(columns)), recent, note)
    return Table(columns, rows, line_of=recent.line_of)


def _checked_lines(source: Iterator[str], path: Path) -> Iterator[str]:
    """Yield lines. Raises ``InputError`` for one of so many cells that it fills the memory, and for too many blanks."""
    is_header, blank = True, 0
    for line in source:
        blank = 0 if line.strip() else blank + 1
        if blank > MOST_BLANK_LINES:
            raise InputError(f"{path}: over {MOST_BLANK_LINES:,} blank lines in a row; take them out of the file")
        if len(line) > MOST_CELLS:
            cells = 1 + max(map(line.count, DELIMITERS))
            if is_header:
                check_width(path, cells if '"' not in line else 1)
            if cells > MOST_CELLS or (is_header and len(line) > SAMPLE_CHARACTERS):
                what = f"{cells:,} cells" if cells > MOST_CELLS else f"{len(line):,} characters"
                raise InputError(f"{path}: a line of {what}; this is no table of reports. Check its line ends")
        is_header = is_header and blank > 0
        yield line


def _find_delimiter(lines: RecordLines, preferred: str) -> str:
    """Return the delimiter that cuts the first records into equally many cells, two at least."""
    try:
        sample = list(islice(lines, SAMPLE_LINES))
    except (DamagedError, OpenQuoteError):
        sample = lines.record[:]
    if sample and (separator := SEPARATOR_LINE.match(sample[0])):  # a line that Excel writes and reads
        lines.record.pop(0)
        lines.put_back()
        return separator[1]
    lines.put_back()
    sizes = accumulate(map(len, sample))
    sample = [line for line, size in zip(sample, sizes, strict=True) if size <= SAMPLE_CHARACTERS]

    def score(delimiter: str) -> tuple[float, int, bool]:
        records = [cells for cells in csv.reader(sample, delimiter=delimiter) if cells]
        width = len(records[0]) if records else 0
        if width < 2:
            return 0.0, 0, delimiter == preferred
        complete = records[:-1] if len(records) > 2 else records  # the last may go on behind the sample
        return sum(len(cells) == width for cells in complete) / len(complete), width, delimiter == preferred

    return max(DELIMITERS, key=score)


def unique_names(names: list[str]) -> tuple[str, ...]:
    """Return column names without gaps or repeats: a nameless column gets its number, a repeated name is numbered."""
    seen: dict[str, int] = {}
    unique = []
    for number, name in enumerate(names, 1):
        name = name or f"column {number}"
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(unique)


def _rows(
    lines: RecordLines, columns: tuple[str, ...], shape: RecordShape, recent: RecentLines, note: NoteProblem
) -> Iterator[TableRow]:
    number = 0
    try:
        for cells, problem in read_records(lines, shape):
            if not cells:
                continue  # a blank line
            number += 1
            recent.add(number, lines.first_line)
            if problem:
                note(number, problem, kept=True)
            else:
                shape.learn(cells)
            yield _row(number, cells, columns, shape.delimiter, note)
    except DamagedError as error:
        note(number + 1, f"{error}; this row and those behind it are lost, fetch the file again")


def _row(number: int, cells: list[str], columns: tuple[str, ...], delimiter: str, note: NoteProblem) -> TableRow:
    missing = len(columns) - len(cells)
    if missing > 0:
        note(number, f"{len(cells)} of {len(columns)} cells; the missing ones are empty", kept=True)
        cells = cells + [""] * missing
    return TableRow(number, dict(zip(columns, cells, strict=False)), cells[len(columns) :], delimiter)
