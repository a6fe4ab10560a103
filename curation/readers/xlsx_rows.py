"""Read the first filled sheet of a spreadsheet (XLSX) as rows."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from curation.runtime.errors import InputError
from curation.runtime.limits import PACKED_RATIO, SHARED_TEXT_BYTES, SHEET_ROWS, Limit

from .delimited import unique_names
from .rows import BATCH_ROWS, NoteProblem, Table, TableRow, as_text, check_width

SHEETS = "xl/worksheets/"
# A sheet that is larger than this (in bytes of XML) is weighed; it is read row by row.
LARGE_SHEET = 1 << 22
# Cells that a sheet may have for each byte of the file, those counted that it leaves out in front of others.
CELLS_A_BYTE = 20
SOME_CELLS = 1 << 21
# What is held is refused earlier: elements without text take twenty times their bytes.
HELD_PART = 1 << 24
MOST_PACKED_TEXT = 40


@contextmanager
def open_xlsx_table(path: Path, note: NoteProblem) -> Iterator[Table]:
    """Open the first sheet with anything in it as a table whose rows stream.

    Excel keeps texts in one list for all sheets, which has to be held.

    Raises:
        InputError: the file cannot be read as XLSX, or has no filled cells.
    """
    import openpyxl

    with ExitStack() as stack:
        _check_sizes(path)
        most_cells = max(SOME_CELLS, CELLS_A_BYTE * path.stat().st_size)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and extensions that no text depends on
                workbook = openpyxl.load_workbook(stack.enter_context(path.open("rb")), read_only=True, data_only=True)
                stack.callback(workbook.close)
            widths = {sheet.title: sheet.max_column or 0 for sheet in workbook.worksheets}
            for sheet in workbook.worksheets:  # what a sheet says of its size may be wrong, and rows would be lost
                sheet.reset_dimensions()
            sheets = [
                (sheet.title, _sheet_cells(sheet.iter_rows(values_only=True), most_cells))
                for sheet in workbook.worksheets
            ]
            filled = [(title, header, cells) for title, cells in sheets if (header := next(cells, None))]
        except Exception as error:  # openpyxl lets whatever its parsers raise through
            raise InputError(f"{path}: cannot be read as XLSX ({error!r}); save it again, or as CSV") from error
        if not filled:
            raise InputError(f"{path} has no filled cells; expected a header line and at least one report")
        for title, _, _ in filled[1:]:
            note(None, f"only sheet {filled[0][0]!r} is read, sheet {title!r} is not", kept=True)
        title, header, _ = filled[0]
        check_width(path, len(header))
        check_width(path, widths[title])
        columns = unique_names(header + [""] * (widths[title] - len(header)))
        yield Table(columns, _rows(filled[0][2], columns, note))


def _check_sizes(path: Path) -> None:
    """Raise ``InputError`` for a workbook that unpacks to many times what any text does: it would fill the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return  # openpyxl says what is wrong
    if sum(part.compress_size for part in parts) > path.stat().st_size:
        raise InputError(f"{path}: its parts say that they are longer than the file; fetch it again, or save it as CSV")
    for part in parts:
        limit, most = _limit_of(part)
        if part.file_size > most:
            raise InputError(
                f"{path}: {part.filename} in it unpacks from {part.compress_size:,} to {part.file_size:,} bytes: "
                f"{limit.reason}. Save it as CSV{limit.way_out()}"
            )


def _limit_of(part: zipfile.ZipInfo) -> tuple[Limit, int]:
    """Return how large a part may be unpacked, and by what: sheets are read row by row, all else is held."""
    if part.filename.startswith(SHEETS):
        return PACKED_RATIO, max(LARGE_SHEET, PACKED_RATIO.most * part.compress_size)
    if not part.filename.endswith((".xml", ".rels")):  # pictures and macros, which are not read
        return SHARED_TEXT_BYTES, part.file_size
    if SHARED_TEXT_BYTES.most > SHARED_TEXT_BYTES.default:
        return SHARED_TEXT_BYTES, SHARED_TEXT_BYTES.most
    return SHARED_TEXT_BYTES, min(SHARED_TEXT_BYTES.most, max(HELD_PART, MOST_PACKED_TEXT * part.compress_size))


def _sheet_cells(rows: Iterator[tuple[object, ...]], most_cells: int) -> Iterator[list[str]]:
    """Yield the rows of a sheet that are not empty, as text."""
    count = cell_count = 0
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            batch = list(islice(rows, BATCH_ROWS))
        if not batch:
            return
        count += len(batch)
        if count > SHEET_ROWS.most:
            raise ValueError(f"it has a row beyond number {SHEET_ROWS.most:,}: {SHEET_ROWS.reason}")
        for values in batch:
            cell_count += len(values)
            if cell_count > most_cells:
                raise ValueError(f"it has {most_cells:,} cells and more, nearly all of them empty")
            cells = [as_text(value) for value in values]
            if any(cells):
                yield cells


def _rows(rows: Iterator[list[str]], columns: tuple[str, ...], note: NoteProblem) -> Iterator[TableRow]:
    number = 0
    try:
        for number, cells in enumerate(rows, 1):
            padded = cells + [""] * (len(columns) - len(cells))
            yield TableRow(number, dict(zip(columns, padded, strict=False)), padded[len(columns) :])
    except Exception as error:  # as above
        note(number + 1, f"the sheet cannot be read from here on ({error})")
