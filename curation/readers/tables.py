"""Files to rows: one reader for each format, told apart by their first bytes, then by name; none holds a whole file."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from curation.runtime.errors import InputError

from .decoding import first_bytes, open_bytes, read_lines, read_pieces
from .delimited import read_delimited, unique_names
from .json_rows import PIECE, read_json
from .rows import DamagedError, Note, Row, Table, as_text, flatten

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

FORMATS = "CSV, TSV, JSONL, JSON (all four also as .gz), Parquet, XLSX, or a folder of .txt files"
JSON_NAMES = {".json", ".jsonl", ".ndjson"}
DELIMITED_NAMES = {".csv", ".tsv", ".tab", ".psv"}
PACKED = {b"PAR1", b"PK\x03\x04"}
BATCH = 256


@contextmanager
def open_table(path: Path, note: Note) -> Iterator[Table]:
    """Open what ``path`` names as a table whose rows stream.

    Raises:
        InputError: it is missing, empty, of no known format or damaged from its first byte.
    """
    if path.is_dir():
        yield _folder(path, note)
        return
    with open_bytes(path) as stream:
        magic = first_bytes(stream, path)
        suffix = _suffix(path)
        if magic in PACKED and isinstance(stream, gzip.GzipFile):
            raise InputError(f"{path}: a gzipped {suffix[1:]} file; unpack it with gunzip and name the result")
        if magic == b"PAR1" or suffix == ".parquet":
            with _parquet(path, note) as table:
                yield table
        elif magic == b"PK\x03\x04" or suffix in {".xlsx", ".xlsm"}:
            with _xlsx(path, note) as table:
                yield table
        elif suffix in JSON_NAMES:
            yield read_json(read_pieces(stream, PIECE), path, note)
        elif suffix in DELIMITED_NAMES:
            yield read_delimited(read_lines(stream, path), path, note)
        elif suffix == ".txt":
            try:
                row = Row(1, {"id": _stem(path.name), "text": _text_of(path)})
            except DamagedError as error:
                raise InputError(f"{path}: {error}; fetch the file again") from error
            yield Table(tuple(row.cells), iter([row]))
        else:
            raise InputError(f"{path}: a file named {suffix or 'without an ending'} is not known; expected {FORMATS}")


def _suffix(path: Path) -> str:
    """Ending of the name, in lower case, without ``.gz``."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _stem(name: str) -> str:
    return name[: name.lower().rindex(".txt")]


def _text_of(path: Path) -> str:
    with open_bytes(path) as stream:
        return "".join(read_pieces(stream, PIECE))


def _folder(folder: Path, note: Note) -> Table:
    files = _text_files(folder)
    first = next(files, None)
    if first is None:
        others = sorted({_suffix(path) for path in islice(folder.iterdir(), 1000) if path.is_file()} - {""})
        seen = f"it has files of type {', '.join(others)}; name one of them" if others else "it has no files"
        raise InputError(f"{folder}: a folder without .txt files: {seen}. Expected {FORMATS}")
    return Table(("id", "text"), _folder_rows(folder, note))


def _text_files(folder: Path) -> Iterator[Path]:
    """All .txt files below a folder, ordered by their path, holding the names of one folder at a time."""
    entries = [(entry, entry.is_dir()) for entry in folder.iterdir()]
    for entry, is_folder in sorted(entries, key=lambda found: found[0].name + "/" * found[1]):
        if not is_folder:
            if entry.name.lower().endswith((".txt", ".txt.gz")):
                yield entry
        elif not entry.is_symlink():
            yield from _text_files(entry)


def _folder_rows(folder: Path, note: Note) -> Iterator[Row]:
    for number, path in enumerate(_text_files(folder), 1):
        try:
            yield Row(number, {"id": _stem(path.relative_to(folder).as_posix()), "text": _text_of(path)})
        except (InputError, DamagedError, OSError) as error:
            note(number, str(error), file=str(path))


@contextmanager
def _parquet(path: Path, note: Note) -> Iterator[Table]:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with ExitStack() as stack:
        try:
            file = stack.enter_context(ParquetFile(path))
            schema = file.schema_arrow
        except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are not UTF-8
            raise InputError(f"{path}: cannot be read as Parquet ({error}); write or fetch it again") from error
        binary = {field.name for field in schema if _is_binary(field.type)}
        if binary:
            note(None, f"columns with binary data are left out: {', '.join(sorted(binary))}", kept=True)
        names = [name for name in schema.names if name not in binary]
        rows = _parquet_rows(file, names, note)
        first = list(islice(rows, 1))
        columns = tuple(first[0].cells) if first else tuple(names)
        yield Table(columns, chain(first, rows))


def _parquet_rows(file: ParquetFile, names: list[str], note: Note) -> Iterator[Row]:
    """Rows, a batch at a time; a row group that cannot be read is passed over and the next one tried."""
    import pyarrow as pa

    start = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        read = 0
        try:
            for batch in file.iter_batches(BATCH, row_groups=[group], columns=names):
                for record in batch.to_pylist():
                    read += 1
                    yield Row(start + read, flatten(record))
        except (pa.ArrowException, OSError, ValueError) as error:
            note(start + read + 1, f"rows {start + read + 1} to {start + size} cannot be read ({error})")
        start += size


def _is_binary(kind: object) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


@contextmanager
def _xlsx(path: Path, note: Note) -> Iterator[Table]:
    """The first sheet with anything in it. (Excel keeps texts in one list for all sheets, which has to be held.)"""
    import openpyxl

    with ExitStack() as stack:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and extensions that no text depends on
                workbook = openpyxl.load_workbook(stack.enter_context(path.open("rb")), read_only=True, data_only=True)
                stack.callback(workbook.close)
            sheets = [(sheet.title, _sheet_cells(sheet.iter_rows(values_only=True))) for sheet in workbook.worksheets]
            filled = [(title, header, cells) for title, cells in sheets if (header := next(cells, None))]
        except Exception as error:  # openpyxl lets whatever its parsers raise through
            raise InputError(f"{path}: cannot be read as XLSX ({error!r}); save it again, or as CSV") from error
        if not filled:
            raise InputError(f"{path} has no filled cells; expected a header line and at least one report")
        for title, _, _ in filled[1:]:
            note(None, f"only sheet {filled[0][0]!r} is read, sheet {title!r} is not", kept=True)
        columns = unique_names(filled[0][1])
        yield Table(columns, _sheet_rows(filled[0][2], columns, note))


def _sheet_cells(rows: Iterator[tuple[object, ...]]) -> Iterator[list[str]]:
    """Rows of a sheet that are not empty, as text."""
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            batch = list(islice(rows, BATCH))
        if not batch:
            return
        for values in batch:
            cells = [as_text(value) for value in values]
            if any(cells):
                yield cells


def _sheet_rows(rows: Iterator[list[str]], columns: tuple[str, ...], note: Note) -> Iterator[Row]:
    number = 0
    try:
        for number, cells in enumerate(rows, 1):
            padded = cells + [""] * (len(columns) - len(cells))
            yield Row(number, dict(zip(columns, padded, strict=False)), padded[len(columns) :])
    except Exception as error:  # as above
        note(number + 1, f"the sheet cannot be read from here on ({error})")
