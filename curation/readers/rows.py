"""Rows of a table, whatever its file format: what every reader of a format yields, and values of cells as text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from curation.runtime.errors import InputError
from curation.runtime.limits import TABLE_COLUMNS

if TYPE_CHECKING:
    from .exports.newest import NewestVersions

# Rows that the reader of a binary format holds at once.
BATCH_ROWS = 256
# Whole cells that say that there is nothing.
EMPTY = frozenset((
    "", "not given", "nil given", "nan", "none", "null", "n/a", "na", "#n/a", "<na>", "not available", "not provided",
    "not applicable", "not specified", "unknown", "-", "--", "---", ".", "..", "...", "_",
))  # fmt: skip
UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def check_width(path: object, columns: int) -> None:
    """Raise ``InputError`` for a table with more columns than any table of reports has."""
    if columns > TABLE_COLUMNS.most:
        raise InputError(
            f"{path}: {columns:,} columns, more than {TABLE_COLUMNS.most:,}: {TABLE_COLUMNS.reason}. Check its "
            f"delimiter and its quotes{TABLE_COLUMNS.way_out()}"
        )


class DamagedError(Exception):
    """Raised where a file is cut off or corrupt: all before that place has been read, nothing behind it can be."""


class NoteProblem(Protocol):
    """Takes a problem as it is met, so that no row is dropped in silence.

    ``row`` counts data rows from 1, None speaks of the whole file. ``kept`` says that the row is used all the same,
    ``file`` names the file of a folder that the problem is in.
    """

    def __call__(self, row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None: ...


@dataclass(slots=True)
class TableRow:
    """A data row of a table, in any file format.

    ``number`` counts data rows from 1, without the header. ``cells`` maps the name of a column to the cell's text.
    ``surplus`` holds the cells beyond the last column, which were cut at ``delimiter``. ``file`` names the file of a
    folder that the row stands in, and is None where the input is one file. ``version_key`` is what the report has in
    common with its other versions, "" where none can be told.
    """

    number: int
    cells: dict[str, str]
    surplus: list[str] = field(default_factory=list)
    delimiter: str = ","
    file: str | None = None
    version_key: str = ""


def each_checked(rows: Iterable[TableRow], check: Callable[[], None]) -> Iterator[TableRow]:
    """Yield rows, and call ``check``, which may raise to give up, before each."""
    for row in rows:
        check()
        yield row


def _no_line(row: int) -> None:
    """Return None: the default of a table's ``line_of``."""


class RecentLines:
    """Knows in which line of its file each of the last rows begins; of all rows it would grow with the file."""

    KEPT = 20_000

    def __init__(self) -> None:
        self._lines: dict[int, int] = {}

    def add(self, row: int, line: int) -> None:
        """Remember the first line of the next row."""
        self._lines[row] = line
        self._lines.pop(row - self.KEPT, None)

    def line_of(self, row: int) -> int | None:
        """Return the first line of a row, counted from 1 with the header; None if that is not remembered."""
        return self._lines.get(row)


@dataclass(slots=True)
class Table:
    """A table that is being read: the names of its columns (for JSON: of its first rows) and its rows, to be read once.

    ``format`` and ``encoding`` are set by ``tables.open_table``: the name of the file format unless its reader has told
    more, and the encoding of its text as the beginning of the file shows it, None for a binary format and for a folder
    of files. ``origins`` names what the cells of a column come from, where the file has no columns: "OBR-3".
    ``newest`` knows the newest version of each report of the file by the ``version_key`` of its row.
    ``line_of`` returns the line of the file in which one of the last rows begins, None where rows have no lines.
    """

    columns: tuple[str, ...]
    rows: Iterator[TableRow]
    format: str = ""
    encoding: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    newest: NewestVersions | None = None
    line_of: Callable[[int], int | None] = _no_line


def clean(value: str) -> str:
    """Replace NUL by a space and half a surrogate pair by U+FFFD, one for one, so that offsets stay as they are.

    Neither can be stored in Parquet and shown again.
    """
    if value.isascii() and "\0" not in value:
        return value
    return UNUSABLE.sub(lambda unusable: " " if unusable[0] == "\0" else "\ufffd", value)


def is_empty(cell: str) -> bool:
    """Return whether a whole cell says that there is no text, as "Not given." does."""
    return (len(cell) < 20 and cell.strip().lower().rstrip(".") in EMPTY) or not cell.strip()


def as_text(value: object) -> str:
    """Return a cell of any type as text: "" for null and NaN, "7" for 7.0 (spreadsheets keep ids as floats)."""
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""
    return str(value)


def flatten(record: dict[str, object], prefix: str = "") -> dict[str, str]:
    """Return nested objects as cells of one row: ``{"report": {"findings": "…"}}`` has the cell ``report.findings``."""
    cells: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict) and value:
            cells |= flatten(value, f"{prefix}{key}.")
        else:
            cells[f"{prefix}{key}"] = as_text(value)
    return cells
