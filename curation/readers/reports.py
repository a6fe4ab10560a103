"""Reports in: from a file of any known kind to a stream of reports, each with its text cut into sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby, islice
from pathlib import Path

from curation.report import READ_SECTIONS, Report, Section, Skipped
from curation.runtime.errors import InputError

from .layouts import Layout, TextColumn, find_layout
from .repeats import ReportIds
from .rows import Note, Row, clean
from .sections import split_sections
from .tables import open_table

__all__ = ["READ_SECTIONS", "InputError", "Report", "Section", "Skipped", "read_reports"]

# Whole cells that say that there is nothing.
EMPTY = frozenset((
    "", "not given", "nil given", "nan", "none", "null", "n/a", "na", "#n/a", "<na>", "not available", "not provided",
    "not applicable", "not specified", "unknown", "-", "--", "---", ".", "..", "...", "_",
))  # fmt: skip


def _ignore(skipped: Skipped) -> None:
    """Default of ``on_skip``."""


def read_reports(
    path: str | Path,
    *,
    id_column: str | None = None,
    text_columns: Sequence[str] = (),
    limit: int | None = None,
    on_skip: Callable[[Skipped], None] = _ignore,
) -> Iterator[Report]:
    """Stream the reports of a file or a folder of .txt files, in its order.

    Columns are found by known names unless they are named. Whatever is wrong with a row is passed to ``on_skip`` and
    the next one is read; memory does not grow with the file. Ids are unique: a repeated row is passed over, another
    text under the same id gets the id ``ID#2``.

    Raises:
        InputError: at the first report asked for, if the input cannot be read as reports at all.
    """
    path = Path(path)

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        on_skip(Skipped(file or str(path), row, problem, kept))

    with open_table(path, note) as table, ReportIds() as ids:
        try:
            layout = find_layout(table.columns, id_column, text_columns)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        if layout.id_column is None:
            note(None, "no column is known to hold ids; reports are named by their row (or use --id-column)", kept=True)
        rows = _merged(table.rows, layout)
        first = next(rows, None)
        if first is None:
            note(None, "has columns but no rows of reports")
            return
        reports = (report for row in chain([first], rows) if (report := _report(row, layout, ids, note)))
        yield from islice(reports, limit)


def is_empty(cell: str) -> bool:
    """Whether a whole cell says that there is no text, as "Not given." does."""
    return (len(cell) < 20 and cell.strip().lower().rstrip(".") in EMPTY) or not cell.strip()


def _merged(rows: Iterator[Row], layout: Layout) -> Iterator[Row]:
    """Rows as they are or, for a layout with one row for each region, one row for each run of the same id."""
    if layout.heading is None or layout.id_column is None:
        yield from rows
        return
    id_column, heading, text_column = layout.id_column, layout.heading, layout.texts[0][0].name
    for _, run in groupby(rows, key=lambda row: row.cells.get(id_column, "")):
        first, *others = run
        parts: dict[str, list[str]] = {}
        for row in (first, *others):
            region, text = row.cells.get(heading, ""), row.cells.get(text_column, "")
            if not is_empty(text):
                parts.setdefault("" if is_empty(region) else region, []).append(text)
        text = "\n\n".join((f"{region}: " if region else "") + " ".join(texts) for region, texts in parts.items())
        yield Row(first.number, {**first.cells, heading: ", ".join(filter(None, parts)), text_column: text})


def _report(row: Row, layout: Layout, ids: ReportIds, note: Note) -> Report | None:
    cells = {name: clean(cell) for name, cell in row.cells.items()}
    if row.surplus:
        cells = _with_surplus(row, cells, layout, note)
    parts = _parts(cells, layout)
    if not parts:
        names = dict.fromkeys(column.name for columns in layout.texts for column in columns)
        note(row.number, f"no text in {', '.join(names)}")
        return None
    text, sections = _joined(parts, cells)
    named = cells.get(layout.id_column, "").strip() if layout.id_column else ""
    if layout.id_column and is_empty(named):
        note(row.number, f"no id in {layout.id_column}; the report is named by its row", kept=True)
        named = ""
    named = named or f"row-{row.number:06d}"
    report_id = ids.claim(named, text)
    if report_id is None:
        note(row.number, f"repeats the report {named} word for word")
        return None
    if report_id != named:
        note(row.number, f"another text under the id {named}, which is taken; it goes by {report_id}", kept=True)
    used = {layout.id_column, *(column.name for column in parts)}
    source = {name: cell for name, cell in cells.items() if name not in used}
    return Report(report_id, text, sections, source, row.number)


def _parts(cells: dict[str, str], layout: Layout) -> list[TextColumn]:
    """The columns to read in this row: the first alternative with text, without what repeats a part before it."""
    for columns in layout.texts:
        parts: list[TextColumn] = []
        for column in columns:
            text = cells.get(column.name, "")
            if not is_empty(text) and not (parts and _within(text, cells[parts[0].name])):
                parts.append(column)
        if parts:
            return parts
    return []


def _within(text: str, whole: str) -> bool:
    return len(text) > 20 and text.strip() in whole


def _joined(parts: list[TextColumn], cells: dict[str, str]) -> tuple[str, tuple[Section, ...]]:
    text, sections = "", []
    for part in parts:
        text += "\n\n" if text else ""
        for section in split_sections(cells[part.name], part.section):
            sections.append(Section(section.name, len(text) + section.start, len(text) + section.end))
        text += cells[part.name]
    return text, tuple(sections)


def _with_surplus(row: Row, cells: dict[str, str], layout: Layout, note: Note) -> dict[str, str]:
    """Cells of a row with more than the header has: delimiters in a text without quotes cut it; put it together."""
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
