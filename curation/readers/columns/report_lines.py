"""Join the lines of reports that have one row for each line, or one for each section."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from curation.readers.layouts import ColumnLayout
from curation.readers.rows import NoteProblem, TableRow, is_empty

from .line_columns import ReportLines

# Lines of a report may stand so many rows apart; the reports that are begun are held in memory meanwhile.
REACH = 10_000
MOST_CHARACTERS = 64_000_000


def join_sample(rows: Sequence[TableRow], lines: ReportLines) -> list[TableRow]:
    """Return the first reports of a table of lines, with all columns joined that differ from line to line."""
    groups: dict[str, list[TableRow]] = defaultdict(list)
    for row in rows:
        groups[row.cells.get(lines.id_column, "")].append(row)
    joined = []
    for group in groups.values():
        group = _ordered(group, lines)
        names = dict.fromkeys(name for row in group for name in row.cells)
        cells = {name: list(dict.fromkeys(row.cells.get(name, "") for row in group)) for name in names}
        joined.append(TableRow(group[0].number, {name: "\n".join(values) for name, values in cells.items()}))
    return joined


@dataclass(slots=True)
class _OpenReport:
    """A report whose lines are being collected."""

    rows: list[TableRow] = field(default_factory=list)
    last: int = 0
    characters: int = 0


class LineJoiner:
    """Joins the lines of reports. ``lines`` and ``reports`` count what was joined.

    Reports come in the order of their first line. One whose lines stand further apart than ``REACH`` rows comes in
    pieces, which is noted: memory does not grow with the file.
    """

    def __init__(self, layout: ColumnLayout, note: NoteProblem, reach: int = REACH) -> None:
        assert layout.id_column is not None
        self.columns = ReportLines(layout.id_column, layout.line, layout.part)
        self.lines = self.reports = 0
        self._texts = layout.text_columns
        self._note = note
        self._reach = reach
        self._start: float | None = None

    def summary(self) -> str:
        """Return what was joined, in words."""
        return f"joined {self.lines:,} lines to {self.reports:,} reports, by {self.columns.id_column}"

    def join(self, rows: Iterator[TableRow]) -> Iterator[TableRow]:
        """Yield a row for each report."""
        open_reports: dict[str, _OpenReport] = {}
        held = 0
        for count, row in enumerate(rows, 1):
            name = row.cells.get(self.columns.id_column, "").strip()
            if is_empty(name):
                self._note(row.number, f"a line without an id in {self.columns.id_column}; it was left out")
                continue
            report = open_reports.setdefault(name, _OpenReport())
            report.rows.append(row)
            report.last = count
            size = sum(map(len, row.cells.values()))
            report.characters += size
            held += size
            while open_reports:
                first = next(iter(open_reports.values()))
                if first.last >= count - self._reach and held <= MOST_CHARACTERS:
                    break
                held -= first.characters
                yield self._joined(open_reports.pop(next(iter(open_reports))))
        for report in open_reports.values():
            yield self._joined(report)

    def _joined(self, report: _OpenReport) -> TableRow:
        rows = _ordered(report.rows, self.columns)
        rows = [row for place, row in enumerate(rows) if place == 0 or row.cells != rows[place - 1].cells]
        name = rows[0].cells[self.columns.id_column].strip()
        if self.columns.number_column is not None:
            self._check(name, report.rows[0].number, rows)
        self.lines += len(report.rows)
        self.reports += 1
        apart = (self.columns.number_column, self.columns.part_column)
        cells = {key: cell for key, cell in report.rows[0].cells.items() if key not in apart}
        for text in self._texts:
            cells[text] = _text_of(rows, text, self.columns.part_column)
        return TableRow(report.rows[0].number, cells)

    def _check(self, name: str, row: int, rows: Sequence[TableRow]) -> None:
        """Note where lines are missing at the start, twice there, or without a number."""
        column, part = self.columns.number_column, self.columns.part_column
        places = [(row.cells.get(part or "", ""), _number(row, self.columns)) for row in rows]
        start = min(number for _, number in places)
        if any(number == NO_NUMBER for _, number in places):
            self._note(row, f"the report {name} has lines without a number in {column}; they come last", kept=True)
        elif len(set(places)) < len(places):
            self._note(row, f"the report {name} has two lines of the same {column}; both are read", kept=True)
        if self._start is None or start < self._start:
            self._start = start
        if self._start < start < NO_NUMBER:
            self._note(
                row,
                f"the report {name} begins with {column} {start:.0f}: lines before it are missing, or stand more than "
                f"{self._reach:,} rows away",
                kept=True,
            )


NO_NUMBER = float("inf")


def _number(row: TableRow, lines: ReportLines) -> float:
    if lines.number_column is None:
        return 0
    try:
        number = float(row.cells.get(lines.number_column, ""))
    except ValueError:
        return NO_NUMBER
    return number if number == number else NO_NUMBER


def _ordered(rows: Sequence[TableRow], lines: ReportLines) -> list[TableRow]:
    """Return the rows of a report in the order of its parts as they first come, and of the numbers in each."""
    parts = {part: place for place, part in reversed(list(enumerate(_part(row, lines) for row in rows)))}
    return sorted(rows, key=lambda row: (parts[_part(row, lines)], _number(row, lines)))


def _part(row: TableRow, lines: ReportLines) -> str:
    return row.cells.get(lines.part_column, "").strip() if lines.part_column else ""


def _text_of(rows: Sequence[TableRow], text: str, part: str | None) -> str:
    """Return the lines of a report as one text, those of each part under its name."""
    if part is None:
        return "\n".join(row.cells.get(text, "") for row in rows)
    passages = []
    for name, group in groupby(rows, key=lambda row: row.cells.get(part, "").strip()):
        lines = "\n".join(row.cells.get(text, "") for row in group)
        headed = is_empty(name) or lines.lstrip().casefold().startswith(name.casefold())
        passages.append(lines if headed else f"{name.rstrip(':')}: {lines}")
    return "\n\n".join(passages)
