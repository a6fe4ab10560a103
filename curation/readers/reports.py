"""Read reports: from a file of any known format to a stream of reports, each with its text cut into sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path

from curation.report import Examination, Modality, Report, RowProblem
from curation.runtime.errors import InputError

from .columns.choice import ChosenColumns, choose_columns
from .columns.report_lines import LineJoiner
from .columns.report_texts import ReportTexts
from .columns.samples import SAMPLE_CHARACTERS, SAMPLE_ROWS, plain_text
from .examinations.columns import ExaminationColumns, examination_columns
from .exports.attachments import shown_text
from .layouts import ColumnLayout, TextColumn, find_layout, unknown_text
from .repeats import ReportIds
from .rows import DamagedError, NoteProblem, Table, TableRow, clean, each_checked, is_empty
from .site_headings import SiteHeadings
from .tables import open_table

# Columns of a set's reports that hold what was examined, where the input has no columns of these names.
MODALITY_COLUMN = "examination_modality"
BODY_PART_COLUMN = "examination_body_part"
# A text that repeats a shorter one than this (in characters) repeats it by chance.
SHORTEST_REPEAT = 20


@dataclass(frozen=True, slots=True)
class ColumnsRead:
    """How an input is read: which of its columns are taken for what, and how its bytes are.

    ``id_column`` is None where reports are named by their row. ``text_columns`` come in order of preference: a row may
    have text in a few of them. ``encoding`` is what the beginning of the file shows, such as "utf-8" or "windows-1252",
    and None for a binary format and for a folder of files. ``format`` is the name of the file format: "CSV" (of any
    delimiter), "JSON" (of any kind), "Parquet", "XLSX", "HL7 v2", or what a folder holds. Where several rows are one
    report, ``line_column`` numbers its lines or names its sections.
    """

    id_column: str | None
    text_columns: tuple[str, ...]
    encoding: str | None
    format: str
    line_column: str | None = None


def _ignore_problem(problem: RowProblem) -> None:
    """Do nothing: the default of ``on_problem``."""


def _ignore_columns(columns: ColumnsRead) -> None:
    """Do nothing: the default of ``on_columns``."""


def _ignore_examination(examination: Examination) -> None:
    """Do nothing: the default of ``on_examination``."""


def read_reports(
    path: str | Path,
    *,
    name: str | None = None,
    id_column: str | None = None,
    text_columns: Sequence[str] = (),
    limit: int | None = None,
    modality: Modality | None = None,
    headings: SiteHeadings | None = None,
    on_problem: Callable[[RowProblem], None] = _ignore_problem,
    on_columns: Callable[[ColumnsRead], None] = _ignore_columns,
    on_examination: Callable[[Examination], None] = _ignore_examination,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Report]:
    """Stream the reports of a file or a folder, in its order.

    Columns are found by known names and by what stands in the first rows, unless they are named; which ones are read is
    passed to ``on_columns`` before the first report. Whatever is wrong with a row is passed to ``on_problem``, and the
    next one is read; ``name`` is what problems and errors call the file. Memory does not grow with it. Ids are unique:
    a repeated row is passed over, another text under the same id gets ``ID#2``.

    What was examined is passed to ``on_examination`` for each report. With ``modality``, reports of others are left
    out, and one of unknown modality stays. ``headings`` are those that a site has added to ours. ``check`` is called
    for each row, of which there may be millions without a report, and may raise to give up.

    Raises:
        InputError: at the first report asked for, if the input cannot be read as reports at all.
    """
    path = Path(path)

    opened: list[Table] = []

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        check()
        line = opened[0].line_of(row) if opened and row is not None else None
        on_problem(RowProblem(file or name or str(path), row, problem, kept, line))

    with open_table(path, note, check) as table, ReportIds() as ids:
        opened.append(table)
        table_rows = each_checked(table.rows, check)
        sample = list(_first_rows(table_rows))
        try:
            if table.origins:  # its reader has named the columns
                chosen = ChosenColumns(find_layout(table.columns, id_column, text_columns))
                if not chosen.layout.texts:
                    raise unknown_text(table.columns, chosen.layout.id_column)
            else:
                chosen = choose_columns(table.columns, list(map(_shown_row, sample)), id_column, text_columns)
        except InputError as error:
            raise InputError(f"{name or path}: {error}") from error
        layout = chosen.layout
        names = tuple(table.origins.get(name, name) for name in layout.text_columns)
        id_name = table.origins.get(layout.id_column, layout.id_column) if layout.id_column else None
        on_columns(ColumnsRead(id_name, names, table.encoding, table.format, layout.line or layout.part))
        for decided in chosen.notes:
            note(None, decided, kept=True)
        if not sample:
            note(None, "has columns but no rows of reports")
            return
        if layout.id_column is None:
            note(None, "no column is known to hold ids; reports are named by their row (or use --id-column)", kept=True)
        joiner = LineJoiner(layout, note) if layout.is_joined else None
        rows = _whole_rows(chain(sample, table_rows), layout, note)
        rows = joiner.join(rows) if joiner else _merge_regions(rows, layout)
        examined = examination_columns(table.columns, (layout.id_column or "", *layout.text_columns))
        texts = ReportTexts(headings)
        noted = ((row, partial(note, file=row.file)) for row in rows)
        reports = (
            report
            for row, note_row in noted
            if (report := _report_of(row, layout, examined, ids, texts, note_row))
            and _is_of(report, modality, on_examination, note_row)
        )
        yield from islice(reports, limit)
        if joiner:
            note(None, joiner.summary(), kept=True)


def _first_rows(rows: Iterator[TableRow]) -> Iterator[TableRow]:
    """Yield the rows whose contents decide about the columns."""
    characters = 0
    for row in islice(rows, SAMPLE_ROWS):
        yield row
        characters += sum(map(len, row.cells.values()))
        if characters >= SAMPLE_CHARACTERS:
            return


def _whole_rows(rows: Iterator[TableRow], layout: ColumnLayout, note: NoteProblem) -> Iterator[TableRow]:
    """Yield rows with usable cells, and with texts joined that their delimiters cut."""
    for row in rows:
        cells = {name: clean(cell) for name, cell in row.cells.items()}
        yield TableRow(row.number, _with_surplus(row, cells, layout, note) if row.surplus else cells, file=row.file)


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


def _is_of(report: Report, modality: Modality | None, tell: Callable[[Examination], None], note: NoteProblem) -> bool:
    """Return whether a report may be of a modality; one that is of another is noted. None stands for all of them."""
    examination = report.examination
    tell(examination)
    if modality is None or examination.may_be(modality):
        return True
    name, stated = examination.name, examination.stated[:80]
    note(report.row, f"left out by --modality {modality.lower()}: {name}, as {stated!r} says")
    return False


def _report_of(
    row: TableRow,
    layout: ColumnLayout,
    examined: ExaminationColumns,
    ids: ReportIds,
    texts: ReportTexts,
    note: NoteProblem,
) -> Report | None:
    """Return the report of a row; None, and a problem, where the row has no text or repeats another one."""
    try:
        cells = _shown_cells(row.cells, layout.text_columns)
    except DamagedError as error:
        note(row.number, str(error))
        return None
    columns = _columns_with_text(cells, layout)
    if not columns:
        note(row.number, f"no text in {', '.join(layout.text_columns)}")
        return None
    if (refusal := texts.refusal(columns, cells)) is not None:
        note(row.number, refusal)
        return None
    text, sections = texts.joined(columns, cells)
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
        why = "another text under" if not layout.is_joined else "lines that stand too far from the others of"
        note(row.number, f"{why} the id {name}, which is taken; it goes by {report_id}", kept=True)
    used = {layout.id_column, *(column.name for column in columns)}
    source = {name: cell for name, cell in cells.items() if name not in used}
    examination = texts.examination(examined, cells, text, sections)
    if examination.modalities:
        source.setdefault(MODALITY_COLUMN, examination.name)
    if examination.body_part:
        source.setdefault(BODY_PART_COLUMN, examination.body_part)
    return Report(report_id, text, sections, source, row.number, examination)


def _shown_row(row: TableRow) -> TableRow:
    """Return a row as its reports will be read, to choose columns by: RTF is no text to look at."""
    try:
        return TableRow(row.number, _shown_cells(row.cells, tuple(row.cells)), file=row.file)
    except DamagedError:  # a problem where the row is read, if it is the text that is damaged
        return row


def _shown_cells(cells: dict[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Return cells with the text that RTF and whole HTML pages among them show.

    Raises:
        DamagedError: one is cut off; the message names its column.
    """
    shown = {}
    for name in columns:
        if cells.get(name, "").lstrip("\ufeff \t\r\n")[:1] in ("{", "<"):
            try:
                shown[name] = shown_text(cells[name])
            except DamagedError as error:
                raise DamagedError(f"{name}: {error}") from error
    return cells | shown if shown else cells


def _columns_with_text(cells: dict[str, str], layout: ColumnLayout) -> list[TextColumn]:
    """Return the columns to read in this row: the first alternative with text, without what repeats its beginning."""
    for alternative in layout.texts:
        columns: list[TextColumn] = []
        for column in alternative:
            text = cells.get(column.name, "")
            if not is_empty(text) and not (columns and _repeats(text, cells[columns[0].name], column.held)):
                columns.append(column)
        if columns:
            return columns
    return []


def _repeats(text: str, longer_text: str, held: bool) -> bool:
    """Return whether a text stands in another one; ``held`` says that it usually does, in whatever case and spacing."""
    if held:
        return plain_text(text) in plain_text(longer_text)
    return len(text) > SHORTEST_REPEAT and text.strip() in longer_text


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
