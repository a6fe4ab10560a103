"""Join tables that have one row for each line of a report: who are the lines of one report, and in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from curation.readers.layouts import ColumnLayout, plain_name
from curation.readers.rows import NoteProblem, TableRow, is_empty

from .identifiers import hinted_ids
from .samples import SENTENCE_END, ColumnSample, samples_of

# Names of columns that number the lines of a text.
LINE_NAMES = frozenset((
    "line", "lineno", "linenr", "linenum", "linenumber", "linenbr", "lineid", "lineseq", "linesequence", "lineorder",
    "textline", "reportline", "noteline", "resultline", "narrativeline", "rptline", "ln", "seq", "seqno", "seqnum",
    "seqnumber", "sequence", "sequenceno", "sequencenumber", "textseq", "reportseq", "noteseq", "setid", "obxsetid",
    "setidobx", "obx1", "obxid", "obxseq", "obxno", "segment", "segmentno", "segmentnumber", "chunk", "chunkno",
    "chunkid", "zeile", "zeilennr", "paragraph",
))  # fmt: skip
# Of these, rows that follow each other under one id are lines, however long they are.
SURE_NAMES = ("line", "obx", "setid", "zeile")
LONGEST_LINE = 250
# Lines of a report may stand so many rows apart; the reports that are begun are held in memory meanwhile.
REACH = 10_000
MOST_CHARACTERS = 64_000_000


class ReportLines(NamedTuple):
    """The columns that say which rows are the lines of one report, and in which order they come."""

    id_column: str
    number_column: str


def find_lines(
    columns: Sequence[str], rows: Sequence[TableRow], layout: ColumnLayout, *, named_id: bool
) -> ReportLines | None:
    """Return how lines are joined where each row is a line of a report, None where a row is a report of its own.

    It is decided by the first rows: under each id a column counts up, and the texts are as short as lines.
    """
    if not rows or layout.heading:
        return None
    samples = samples_of(columns, rows)
    hinted = hinted_ids({name: samples[name] for name in columns if name not in layout.text_columns})
    ids = [layout.id_column] if named_id and layout.id_column else [*hinted, layout.id_column]
    others = [] if named_id else [name for name in columns if samples[name].could_be_id()]
    numbers = {name: values for name in columns if (values := samples[name].integers()) is not None}
    by_name = [name for name in numbers if plain_name(name) in LINE_NAMES]
    for number_column in (*by_name, *(name for name in numbers if name not in by_name)):
        for id_column in dict.fromkeys((*ids, *(others if number_column in by_name else ()))):
            if id_column is None or id_column == number_column:
                continue
            groups = _groups(samples[id_column].cells, numbers[number_column])
            if id_column not in ids and len(groups) == len(rows):
                continue
            if _counts_up(groups, number_column) and _are_lines(groups, samples, id_column, number_column):
                return ReportLines(id_column, number_column)
    return None


def _groups(ids: Sequence[str], numbers: Sequence[int]) -> dict[str, list[tuple[int, int]]]:
    """Return for each id its numbers, each with the place of its row."""
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, (report_id, number) in enumerate(zip(ids, numbers, strict=True)):
        if report_id:
            groups[report_id].append((number, place))
    return groups


def _counts_up(groups: Mapping[str, Sequence[tuple[int, int]]], name: str) -> bool:
    """Return whether a column numbers the rows of each id: no number is there twice, and most begin at the start."""
    numbers = [[number for number, _ in group] for group in groups.values()]
    repeated = [group for group in numbers if len(group) > 1]
    if not repeated:
        plain = plain_name(name)
        return any(word in plain for word in SURE_NAMES) and {number for group in numbers for number in group} in (
            {0},
            {1},
        )
    distinct = sum(len(set(group)) == len(group) for group in repeated)
    if plain_name(name) in LINE_NAMES:
        return distinct >= 0.9 * len(repeated)
    whole = sum(sorted(group) == list(range(min(group), min(group) + len(group))) for group in repeated)
    starts = {min(group) for group in numbers}
    long = max(map(len, repeated)) >= 3
    return long and distinct == len(repeated) and whole >= 0.9 * len(repeated) and starts <= {0, 1}


def _are_lines(
    groups: Mapping[str, Sequence[tuple[int, int]]], samples: Mapping[str, ColumnSample], id_column: str, number: str
) -> bool:
    """Return whether the texts of the rows are lines rather than whole reports: short, and many go on in the next."""
    plain = plain_name(number)
    if any(word in plain for word in SURE_NAMES):
        return True
    texts = [sample for name, sample in samples.items() if name not in (id_column, number) and sample.filled]
    if not texts:
        return False
    longest = max(texts, key=lambda sample: sample.length)
    lengths = sorted(len(cell) for cell in longest.filled)
    if lengths[len(lengths) // 2] > LONGEST_LINE:
        return False
    inner = [longest.cells[place] for group in groups.values() for _, place in sorted(group)[:-1]]
    unfinished = sum(bool(cell) and not SENTENCE_END.search(cell.strip()) for cell in inner)
    return unfinished >= (0.1 if plain in LINE_NAMES else 0.3) * max(len(inner), 1) and (
        plain in LINE_NAMES or any(len(cell.split()) > 3 for cell in inner)
    )


def join_sample(rows: Sequence[TableRow], lines: ReportLines) -> list[TableRow]:
    """Return the first reports of a table of lines, with all columns joined that differ from line to line."""
    groups: dict[str, list[TableRow]] = defaultdict(list)
    for row in rows:
        groups[row.cells.get(lines.id_column, "")].append(row)
    joined = []
    for group in groups.values():
        group.sort(key=lambda row: _number(row, lines))
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
        assert layout.id_column is not None and layout.line is not None
        self.columns = ReportLines(layout.id_column, layout.line)
        self.lines = self.reports = 0
        self._texts = layout.text_columns
        self._note = note
        self._reach = reach
        self._start: int | None = None

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
        rows = sorted(report.rows, key=lambda row: _number(row, self.columns))
        rows = [row for place, row in enumerate(rows) if place == 0 or row.cells != rows[place - 1].cells]
        numbers = [_number(row, self.columns) for row in rows]
        name = rows[0].cells[self.columns.id_column].strip()
        self._check(name, report.rows[0].number, numbers)
        self.lines += len(report.rows)
        self.reports += 1
        cells = {key: cell for key, cell in report.rows[0].cells.items() if key != self.columns.number_column}
        for text in self._texts:
            cells[text] = "\n".join(row.cells.get(text, "") for row in rows)
        return TableRow(report.rows[0].number, cells)

    def _check(self, name: str, row: int, numbers: Sequence[float]) -> None:
        """Note where lines are missing at the start, twice there, or without a number."""
        column = self.columns.number_column
        if any(number == NO_NUMBER for number in numbers):
            self._note(row, f"the report {name} has lines without a number in {column}; they come last", kept=True)
        elif len(set(numbers)) < len(numbers):
            self._note(row, f"the report {name} has two lines of the same {column}; both are read", kept=True)
        if self._start is None:
            self._start = int(min(numbers[0], 1))
        if 1 < numbers[0] < NO_NUMBER and numbers[0] > self._start:
            self._note(
                row,
                f"the report {name} begins with {column} {numbers[0]:.0f}: lines before it are missing, or stand more "
                f"than {self._reach:,} rows away",
                kept=True,
            )


NO_NUMBER = float("inf")


def _number(row: TableRow, lines: ReportLines) -> float:
    try:
        number = float(row.cells.get(lines.number_column, ""))
    except ValueError:
        return NO_NUMBER
    return number if number == number else NO_NUMBER
