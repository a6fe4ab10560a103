"""Read reports: from a file of any known format to a stream of reports, each with its text cut into sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path

from curation.report import Report, RowProblem, Section
from curation.runtime.errors import InputError

from .layouts import ColumnLayout, TextColumn, find_layout
from .repeats import ReportIds
from .rows import NoteProblem, TableRow, clean
from .sections import split_sections
from .tables import open_table

# Whole cells that say that there is nothing.
EMPTY = frozenset((
    "", "not given", "nil given", "nan", "none", "null", "n/a", "na", "#n/a", "<na>", "not available", "not provided",
    "not applicable", "not specified", "unknown", "-", "--", "---", ".", "..", "...", "_",
))  # fmt: skip
# A text that repeats a shorter one than this (in characters) repeats it by chance.
SHORTEST_REPEAT = 20


@dataclass(frozen=True, slots=True)
class ColumnsRead:
    """How an input is read: which of its columns are taken for what, and how its bytes are.

    ``id_column`` is None where reports are named by their row. ``text_columns`` come in order of preference: a row may
    have text in a few of them. ``encoding`` is what the beginning of the file shows, such as "utf-8" or "windows-1252",
    and None for a binary format and for a folder of files. ``format`` is the name of the file format: "CSV" (of any
    delimiter), "JSON" (of any kind), "Parquet", "XLSX", "text" or "folder of .txt files".
    """

    id_column: str | None
    text_columns: tuple[str, ...]
    encoding: str | None
    format: str


def _ignore_problem(problem: RowProblem) -> None:
    """Do nothing: the default of ``on_problem``."""


def _ignore_columns(columns: ColumnsRead) -> None:
    """Do nothing: the default of ``on_columns``."""


def read_reports(
    path: str | Path,
    *,
    id_column: str | None = None,
    text_columns: Sequence[str] = (),
    limit: int | None = None,
    on_problem: Callable[[RowProblem], None] = _ignore_problem,
    on_columns: Callable[[ColumnsRead], None] = _ignore_columns,
) -> Iterator[Report]:
    """Stream the reports of a file or a folder of .txt files, in its order.

    Columns are found by known names unless they are named; which ones are read is passed to ``on_columns`` before the
    first report. Whatever is wrong with a row is passed to ``on_problem``, and the next one is read. Memory does not
    grow with the file. Ids are unique: a repeated row is passed over, another text under the same id gets ``ID#2``.

    Raises:
        InputError: at the first report asked for, if the input cannot be read as reports at all.
    """
    path = Path(path)

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        on_problem(RowProblem(file or str(path), row, problem, kept))

    with open_table(path, note) as table, ReportIds() as ids:
        try:
            layout = find_layout(table.columns, id_column, text_columns)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        on_columns(ColumnsRead(layout.id_column, layout.text_columns, table.encoding, table.format))
        if layout.id_column is None:
            note(None, "no column is known to hold ids; reports are named by their row (or use --id-column)", kept=True)
        rows = _merge_regions(table.rows, layout)
        first = next(rows, None)
        if first is None:
            note(None, "has columns but no rows of reports")
            return
        reports = (report for row in chain([first], rows) if (report := _report_of(row, layout, ids, note)))
        yield from islice(reports, limit)


def is_empty(cell: str) -> bool:
    """Return whether a whole cell says that there is no text, as "Not given." does."""
    return (len(cell) < 20 and cell.strip().lower().rstrip(".") in EMPTY) or not cell.strip()


def _merge_regions(rows: Iterator[TableRow], layout: ColumnLayout) -> Iterator[TableRow]:
    """Yield rows as they are or, for a layout with one row for each region, one row for each run of the same id."""
    if layout.heading is None or layout.id_column is None:
        yield from rows
        return
    id_column, heading, text_column = layout.id_column, layout.heading, layout.texts[0][0].name
    for _, run in groupby(rows, key=lambda row: row.cells.get(id_column, "")):
        first, *others = run
        regions: dict[str, list[str]] = {}
        for row in (first, *others):
            region, text = row.cells.get(heading, ""), row.cells.get(text_column, "")
            if not is_empty(text):
                regions.setdefault("" if is_empty(region) else region, []).append(text)
        text = "\n\n".join((f"{region}: " if region else "") + " ".join(texts) for region, texts in regions.items())
        yield TableRow(first.number, {**first.cells, heading: ", ".join(filter(None, regions)), text_column: text})


def _report_of(row: TableRow, layout: ColumnLayout, ids: ReportIds, note: NoteProblem) -> Report | None:
    """Return the report of a row; None, and a problem, where the row has no text or repeats another one."""
    cells = {name: clean(cell) for name, cell in row.cells.items()}
    if row.surplus:
        cells = _with_surplus(row, cells, layout, note)
    columns = _columns_with_text(cells, layout)
    if not columns:
        note(row.number, f"no text in {', '.join(layout.text_columns)}")
        return None
    text, sections = _join_columns(columns, cells)
    name = cells.get(layout.id_column, "").strip() if layout.id_column else ""
    if layout.id_column and is_empty(name):
        note(row.number, f"no id in {layout.id_column}; the report is named by its row", kept=True)
        name = ""
    name = name or f"row-{row.number:06d}"
    report_id = ids.claim(name, text)
    if report_id is None:
        note(row.number, f"repeats the report {name} word for word")
        return None
    if report_id != name:
        note(row.number, f"another text under the id {name}, which is taken; it goes by {report_id}", kept=True)
    used = {layout.id_column, *(column.name for column in columns)}
    source = {name: cell for name, cell in cells.items() if name not in used}
    return Report(report_id, text, sections, source, row.number)


def _columns_with_text(cells: dict[str, str], layout: ColumnLayout) -> list[TextColumn]:
    """Return the columns to read in this row: the first alternative with text, without what repeats its beginning."""
    for alternative in layout.texts:
        columns: list[TextColumn] = []
        for column in alternative:
            text = cells.get(column.name, "")
            if not is_empty(text) and not (columns and _repeats(text, cells[columns[0].name])):
                columns.append(column)
        if columns:
            return columns
    return []


def _repeats(text: str, longer_text: str) -> bool:
    return len(text) > SHORTEST_REPEAT and text.strip() in longer_text


def _join_columns(columns: list[TextColumn], cells: dict[str, str]) -> tuple[str, tuple[Section, ...]]:
    """Return the text of a report, with a blank line between its columns, and its sections in offsets of that text."""
    text, sections = "", []
    for column in columns:
        text += "\n\n" if text else ""
        for section in split_sections(cells[column.name], column.section):
            sections.append(Section(section.name, len(text) + section.start, len(text) + section.end))
        text += cells[column.name]
    return text, tuple(sections)


def _with_surplus(row: TableRow, cells: dict[str, str], layout: ColumnLayout, note: NoteProblem) -> dict[str, str]:
    """Return the cells of a row that has more than the header, after joining a text that its delimiters cut."""
    surplus = [clean(cell) for cell in row.surplus]
    if not any(cell.strip() for cell in surplus):
        return cells
    columns, texts = list(cells), [column.name for column in layout.texts[0]]
    place = columns.index(texts[-1])
    total = f"{len(columns) + len(surplus)} cells where the header has {len(columns)}"
    if len(texts) > 1 and place != len(columns) - 1:
        note(row.number, f"{total}; those beyond it are kept apart", kept=True)
        return {**cells, "surplus": row.delimiter.join(surplus)}
    note(row.number, f"{total}; {texts[-1]} was taken to hold the delimiter", kept=True)
    values = [*cells.values(), *surplus]
    text = row.delimiter.join(values[place : place + 1 + len(surplus)])
    return dict(zip(columns, [*values[:place], text, *values[place + 1 + len(surplus) :]], strict=True))
