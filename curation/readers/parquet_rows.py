"""Read Parquet files as rows, a batch at a time; binary columns are left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from curation.runtime.errors import InputError

from .rows import BATCH_ROWS, NoteProblem, Table, TableRow, check_width, flatten

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile


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
        except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are not UTF-8
            raise InputError(f"{path}: cannot be read as Parquet ({error}); write or fetch it again") from error
        check_width(path, len(schema.names))
        binary = {field.name for field in schema if _is_binary(field.type)}
        if binary:
            note(None, f"columns with binary data are left out: {', '.join(sorted(binary))}", kept=True)
        names = [name for name in schema.names if name not in binary]
        rows = _rows(file, names, note)
        first = list(islice(rows, 1))
        columns = tuple(first[0].cells) if first else tuple(names)
        yield Table(columns, chain(first, rows))


def _rows(file: ParquetFile, names: list[str], note: NoteProblem) -> Iterator[TableRow]:
    """Yield rows, a batch at a time; a row group that cannot be read is passed over and the next one tried."""
    import pyarrow as pa

    start = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        read = 0
        try:
            for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
                for record in batch.to_pylist():
                    read += 1
                    yield TableRow(start + read, flatten(record))
        except (pa.ArrowException, OSError, ValueError) as error:
            note(start + read + 1, f"rows {start + read + 1} to {start + size} cannot be read ({error})")
        start += size


def _is_binary(kind: object) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))
