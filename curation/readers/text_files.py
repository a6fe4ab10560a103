"""Read .txt files as rows: one file, or all of a folder, each a report whose id is the file's name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from curation.runtime.errors import InputError

from .decoding import PIECE_CHARACTERS, open_bytes, read_pieces
from .rows import DamagedError, NoteProblem, Table, TableRow

ID_COLUMN = "id"
TEXT_COLUMN = "text"


def read_text_file(path: Path) -> Table:
    """Return a .txt file (also .txt.gz) as a table of one row.

    Raises:
        InputError: the compressed file is cut off or corrupt.
    """
    try:
        row = TableRow(1, {ID_COLUMN: _stem(path.name), TEXT_COLUMN: _text_of(path)})
    except DamagedError as error:
        raise InputError(f"{path}: {error}; fetch the file again") from error
    return Table(tuple(row.cells), iter([row]))


def read_text_folder(folder: Path, note: NoteProblem) -> Table | None:
    """Return all .txt files below a folder as a table with a row for each; None where it has no such file."""
    if next(_text_files(folder), None) is None:
        return None
    return Table((ID_COLUMN, TEXT_COLUMN), _folder_rows(folder, note))


def _stem(name: str) -> str:
    return name[: name.lower().rindex(".txt")]


def _text_of(path: Path) -> str:
    with open_bytes(path) as stream:
        return "".join(read_pieces(stream, PIECE_CHARACTERS))


def _text_files(folder: Path) -> Iterator[Path]:
    """Yield all .txt files below a folder, ordered by their path, holding the names of one folder at a time."""
    entries = [(entry, entry.is_dir()) for entry in folder.iterdir()]
    for entry, is_folder in sorted(entries, key=lambda pair: pair[0].name + "/" * pair[1]):
        if not is_folder:
            if entry.name.lower().endswith((".txt", ".txt.gz")):
                yield entry
        elif not entry.is_symlink():
            yield from _text_files(entry)


def _folder_rows(folder: Path, note: NoteProblem) -> Iterator[TableRow]:
    for number, path in enumerate(_text_files(folder), 1):
        try:
            cells = {ID_COLUMN: _stem(path.relative_to(folder).as_posix()), TEXT_COLUMN: _text_of(path)}
            yield TableRow(number, cells)
        except (InputError, DamagedError, OSError) as error:
            note(number, str(error), file=str(path))
