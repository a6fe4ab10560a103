"""Read Parquet files as rows, a batch at a time; binary columns are left out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from curation.runtime.errors import InputError

from .rows import BATCH_ROWS, NoteProblem, Table, TableRow, check_width, flatten

if TYPE_CHECKING:
    from pyarrow import Array, RecordBatch
    from pyarrow.parquet import ParquetFile

# Values that a file may have for each byte of it: a column of one value is packed to next to nothing, reports are not.
SOME_VALUES = 1 << 20
VALUES_A_BYTE = 8
# Bytes of text, each repeated one counted, that a file may have for each byte of it: a million of the same long report.
SOME_TEXT = 1 << 28
REPEATED_RATIO = 1000
# A batch with more text (in bytes) is taken row by row.
LARGE_BATCH = 1 << 26
# Prints the number of values, of the longest column of each row group.
COUNT_VALUES = """
import sys
from pyarrow.parquet import ParquetFile
with ParquetFile(sys.argv[1]) as file:
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    print(sum(max((g.column(n).num_values for n in range(g.num_columns)), default=0) for g in groups))
"""


@contextmanager
def open_parquet_table(path: Path, note: NoteProblem) -> Iterator[Table]:
    """Open a Parquet file as a table whose rows stream.

    Raises:
        InputError: the file cannot be read as Parquet.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with ExitStack() as stack:
        try:
            file = stack.enter_context(ParquetFile(path))
            schema = file.schema_arrow
            _check_values(path, file)
            # What a file holds once and repeats is held once.
            texts = [field.name for field in schema if pa.types.is_string(field.type)]
            file = stack.enter_context(ParquetFile(path, metadata=file.metadata, read_dictionary=texts))
        except InputError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are not UTF-8
            raise InputError(f"{path}: cannot be read as Parquet ({error}); write or fetch it again") from error
        check_width(path, len(schema.names))
        binary = {field.name for field in schema if _is_binary(field.type)}
        if binary:
            note(None, f"columns with binary data are left out: {', '.join(sorted(binary))}", kept=True)
        names = [name for name in schema.names if name not in binary]
        rows = _rows(path, file, names, note)
        first = list(islice(rows, 1))
        columns = tuple(first[0].cells) if first else tuple(names)
        yield Table(columns, chain(first, rows))


def _check_values(path: Path, file: ParquetFile) -> None:
    """Raise ``InputError`` for a file that says that it has many more values than so few bytes can hold."""
    lists = any(file.schema.column(number).max_repetition_level for number in range(len(file.schema)))
    values = _values_with_lists(path) if lists else file.metadata.num_rows
    if values > SOME_VALUES and values > VALUES_A_BYTE * path.stat().st_size:
        raise InputError(
            f"{path}: {values:,} values in a file of {path.stat().st_size:,} bytes: they are all the same, or empty; "
            "expected rows of reports"
        )


def _values_with_lists(path: Path) -> int:
    """Return how many values the longest column of each row group has, in a file in which rows hold lists.

    Arrow ends the whole process where what it looks at there is damaged (a ParquetException that nothing translates,
    as of Arrow 26), so another process looks.
    """
    looked = subprocess.run([sys.executable, "-c", COUNT_VALUES, str(path)], capture_output=True, text=True)
    if looked.returncode:
        reason = " ".join(looked.stderr.split())[-200:]
        raise InputError(f"{path}: cannot be read as Parquet ({reason}); write or fetch it again")
    return int(looked.stdout)


class _UnpackedText:
    """Cuts batches into pieces that can be held, and counts the text in them against the size of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._most = max(SOME_TEXT, REPEATED_RATIO * path.stat().st_size)
        self._bytes = 0

    def pieces(self, batch: RecordBatch) -> Iterator[RecordBatch]:
        """Yield a batch whole, or row by row where it is large. Raises ``InputError`` for a text repeated too often."""
        size = sum(map(_text_bytes, batch.columns))
        rows = batch.num_rows if size <= LARGE_BATCH else 1
        for start in range(0, batch.num_rows, rows):
            piece = batch.slice(start, rows)
            self._bytes += size if rows > 1 else sum(map(_text_bytes, piece.columns))
            if self._bytes > self._most:
                raise InputError(
                    f"{self._path}: a text is repeated until it comes to more than {self._most:,} bytes, in a file of "
                    f"{self._path.stat().st_size:,}; expected rows of reports"
                )
            yield _written_out(piece)


def _written_out(batch: RecordBatch) -> RecordBatch:
    """Return a batch with each text written out, which Python objects are made of faster."""
    import pyarrow as pa

    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _text_bytes(column: Array) -> int:
    """Return how many bytes a column takes with each text written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
    return int(pc.sum(lengths).as_py() or 0)


def _rows(path: Path, file: ParquetFile, names: list[str], note: NoteProblem) -> Iterator[TableRow]:
    """Yield rows, a batch at a time; a row group that cannot be read is passed over and the next one tried."""
    import pyarrow as pa

    start = 0
    unpacked = _UnpackedText(path)
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        read = 0
        try:
            for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
                for record in chain.from_iterable(piece.to_pylist() for piece in unpacked.pieces(batch)):
                    read += 1
                    yield TableRow(start + read, flatten(record))
        except InputError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            note(start + read + 1, f"rows {start + read + 1} to {start + size} cannot be read ({error})")
        start += size


def _is_binary(kind: object) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))
