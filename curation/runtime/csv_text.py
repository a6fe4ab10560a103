"""Tables as CSV for spreadsheets: no cell of text is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes, in either width, for the beginning of a formula, or drops before one."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as comma-separated text under a header.

    Text that a spreadsheet would take for a formula, such as a reviewer's name "=1+1", gets a "'" before it. Numbers
    stay as they are.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([spreadsheet_cell(cell) for cell in row] for row in rows)
    return file.getvalue()


def spreadsheet_cell(cell: object) -> object:
    """Return a cell with a "'" before text that is a formula to a spreadsheet, and one kind of line end in it."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")  # a lone one would end the row, for csv quotes only ours
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
