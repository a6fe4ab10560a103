"""Read a .txt file as a table of one row, a report whose id is the file's name."""

from __future__ import annotations

from pathlib import Path

from curation.readers.decoding import PIECE_CHARACTERS, open_bytes, read_pieces
from curation.readers.rows import DamagedError, Table, TableRow
from curation.runtime.errors import InputError

from .document_files import LARGEST_DOCUMENT, file_stem

ID_COLUMN = "id"
TEXT_COLUMN = "text"


def read_text_file(path: Path) -> Table:
    """Return a .txt file (also .txt.gz) as a table of one row.

    Raises:
        InputError: the compressed file is cut off or corrupt.
    """
    try:
        row = TableRow(1, {ID_COLUMN: file_stem(path.name), TEXT_COLUMN: _text_of(path)})
    except DamagedError as error:
        raise InputError(f"{path}: {error}; fetch the file again") from error
    return Table(tuple(row.cells), iter([row]))


def _text_of(path: Path) -> str:
    pieces, characters = [], 0
    with open_bytes(path) as stream:
        for piece in read_pieces(stream, PIECE_CHARACTERS):
            pieces.append(piece)
            characters += len(piece)
            if characters > LARGEST_DOCUMENT:
                raise InputError(f"{path}: more than {LARGEST_DOCUMENT >> 20} million characters; a report has less")
    return "".join(pieces)
