"""Read a folder as one table: all reports in it, one file after another, and what of it is left out is said first.

A folder holds documents (each file one report or a few) or tables. Where it has both, the documents are read; tables
are read one after another if they have their reports in the same columns, as the shards of one table do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from curation.readers.documents.document_files import file_stem
from curation.readers.layouts import ColumnLayout, find_layout
from curation.readers.rows import DamagedError, NoteProblem, Table, TableRow
from curation.runtime.errors import InputError

from .survey import TABLES, TEXT, FindFormat, files_read, survey_folder
from .versions import Files, FolderVersions, OpenFile, ignore_problem

# Formats whose files are one report each, named by the file.
NAMED_BY_FILE = frozenset((TEXT, "RTF", "HTML", "Word"))
# A word, in scripts with spaces between words and in those without.
WORD = re.compile(r"[^\W\d_]{2}")
TEXT_NAMES = {"id": "report_id", "text": "report"}


def read_folder(folder: Path, find_format: FindFormat, open_file: OpenFile, note: NoteProblem) -> Table:
    """Return the reports of a folder as one table, whose rows stream.

    Raises:
        InputError: none of its files is read, or it has tables of different columns.
    """
    survey = survey_folder(folder, find_format)
    left_out = survey.left_out_sentence()
    if not survey.formats:
        raise InputError(f"{folder}: a folder without reports: {left_out or survey.damaged or 'it has no files'}")
    if left_out:
        note(None, left_out)
    files = partial(files_read, folder, survey)
    columns = _document_columns(files(), open_file) if survey.has_documents else _table_columns(files(), open_file)
    if survey.formats.keys() - TABLES == {TEXT}:
        columns = tuple(TEXT_NAMES)
    origins = dict.fromkeys(columns[:2]) if survey.has_documents else {}
    return Table(
        columns,
        _rows(folder, files, columns, open_file, note),
        format=survey.description(),
        origins={name: name for name in origins},
    )


def _document_columns(files: Iterator[tuple[Path, str]], open_file: OpenFile) -> tuple[str, ...]:
    """Return the columns of documents, as the first file of each format has them."""
    columns: dict[str, None] = dict.fromkeys(TEXT_NAMES.values())
    seen: set[str] = set()
    for path, file_format in files:
        if file_format not in seen | {TEXT}:
            try:
                with open_file(path, ignore_problem) as table:
                    columns |= dict.fromkeys(table.columns)
                    seen.add(file_format)
            except (InputError, DamagedError, OSError):
                continue
    return tuple(columns)


def _table_columns(files: Iterator[tuple[Path, str]], open_file: OpenFile) -> tuple[str, ...]:
    """Return the columns of the first table.

    Raises:
        InputError: another one has its reports in other columns, so that it is no shard of the same table.
    """
    first: tuple[Path, tuple[str, ...]] | None = None
    for path, _ in files:
        try:
            with open_file(path, ignore_problem) as table:
                columns = table.columns
        except (InputError, DamagedError, OSError):
            continue
        first = first or (path, columns)
        if columns != first[1] and _layout(columns) != _layout(first[1]):
            raise InputError(
                f"{path.parent}: tables of different columns: {first[0].name} has {', '.join(first[1][:10])}; "
                f"{path.name} has {', '.join(columns[:10])}. Name one of them, or put those of one kind into a folder"
            )
    return first[1] if first else ()


def _layout(columns: tuple[str, ...]) -> ColumnLayout | tuple[str, ...]:
    layout = find_layout(columns)
    return layout if layout.texts else columns


def _rows(
    folder: Path, files: Files, columns: tuple[str, ...], open_file: OpenFile, note: NoteProblem
) -> Iterator[TableRow]:
    """Yield the rows of all files, counted on from file to file; a file that cannot be read is a problem."""
    names = TEXT_NAMES if "report_id" in columns else {}
    versions = FolderVersions(files, open_file)
    number = 0
    for path, file_format in files():
        name = path.relative_to(folder).as_posix()
        try:
            with open_file(path, partial(_note_in, note, str(path))) as table:
                for row in table.rows:
                    problem = versions.newer(path, file_format, row) or _without_text(file_format, row)
                    if problem:
                        note(None if file_format in NAMED_BY_FILE else row.number, problem, file=str(path))
                        continue
                    number += 1
                    row.number, row.file = number, str(path)
                    if file_format == TEXT:
                        row.cells = {names.get(column, column): cell for column, cell in row.cells.items()}
                    if file_format in NAMED_BY_FILE:
                        row.cells[columns[0]] = file_stem(name)
                    yield row
        except (InputError, DamagedError, OSError) as error:
            note(None, str(error).removeprefix(str(path)).lstrip(": "), file=str(path))


def _without_text(file_format: str, row: TableRow) -> str | None:
    """Return the problem with a document that says nothing: a page of a reader without a word on it."""
    text = row.cells.get("report", row.cells.get("text", ""))
    return None if file_format in TABLES or WORD.search(text) else "no report text"


def _note_in(
    note: NoteProblem, path: str, row: int | None, problem: str, *, kept: bool = False, file: str | None = None
) -> None:
    note(row, problem, kept=kept, file=file or path)
