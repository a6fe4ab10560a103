"""The Parquet files of one part of a caption set: its reports, its captions, its rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .durable import put_in_place, temporary_name
from .manifest import Part
from .outcomes import Outcome
from .reports import Report
from .schemas import parquet_schema

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Table = Literal["reports", "captions", "rejects"]
TABLES: tuple[Table, ...] = ("reports", "captions", "rejects")

REPORTS_PER_PART = 10_000
# Rows of so many reports, or of so much text, are held in memory and written as one row group.
GROUP_REPORTS = 1_000
GROUP_CHARACTERS = 32_000_000


class MadeBy(NamedTuple):
    """What stands beside each caption; ``prompt`` is the prompt file's hash."""

    engine: str
    model: str | None
    prompt: str | None


def part_path(root: Path, table: str, index: int) -> Path:
    """Where a part's file stands."""
    return root / table / f"part-{index:05d}.parquet"


def source_names(columns: Iterable[str]) -> dict[str, str]:
    """Name in the ``reports`` table of each source column; those that would hide one of its own are prefixed."""
    taken = set(parquet_schema("reports").names)  # compared in lower case: SQL engines do not tell Text from text
    names = {}
    for column in columns:
        names[column] = column
        while names[column].lower() in taken:
            names[column] = f"source_{names[column]}"
        taken.add(names[column].lower())
    return names


def open_parquet(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer with every option that decides the bytes of the file set here."""
    import pyarrow.parquet as pq

    options = {"version": "2.6", "data_page_version": "1.0", "use_dictionary": True}
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=3, **options)


@dataclass(slots=True)
class Written:
    """A finished part, and what is in it."""

    part: Part
    captions: Counter[tuple[str, str]]
    rejects: Counter[str]


class PartWriter:
    """Writes one part under temporary names; ``commit`` gives the files theirs."""

    def __init__(self, root: Path, index: int, made_by: MadeBy, source_columns: Sequence[str]) -> None:
        import pyarrow as pa

        self._made_by = made_by
        self._source_columns = tuple(source_columns)
        self._schemas = {table: parquet_schema(table) for table in TABLES}
        for name in source_names(source_columns).values():
            self._schemas["reports"] = self._schemas["reports"].append(pa.field(name, pa.string()))
        self._paths = {table: part_path(root, table, index) for table in TABLES}
        self._files: dict[Table, pq.ParquetWriter] = {}
        self._rows: dict[Table, list[tuple[Any, ...]]] = {table: [] for table in TABLES}
        self._characters = 0
        self._written = Counter[str]()
        self._captions = Counter[tuple[str, str]]()
        self._rejects = Counter[str]()
        self._first_row = self._last_row = 0
        self._open()

    def _open(self) -> None:
        try:
            for table in TABLES:
                self._files[table] = open_parquet(temporary_name(self._paths[table]), self._schemas[table])
        except BaseException:
            self.discard()
            raise

    @property
    def reports(self) -> int:
        """Reports added so far."""
        return self._written["reports"] + len(self._rows["reports"])

    def add(self, report: Report, outcome: Outcome) -> None:
        """Add a report and all that it gave."""
        ident, text = report.report_id, report.text
        sections = [(section.name, section.start, section.end) for section in report.sections]
        self._rows["reports"].append((ident, text, sections, *map(report.source.get, self._source_columns)))
        self._rows["captions"] += [
            (ident, *row[:3], text[row.start : row.end], row.start, row.end, row.section, row.score)
            for row in outcome.accepted
        ]
        self._rows["rejects"] += [(ident, *row) for row in outcome.refused]
        self._captions.update((row.organ, row.status) for row in outcome.accepted)
        self._rejects.update(row.reason for row in outcome.refused)
        self._first_row = self._first_row or report.row
        self._last_row = report.row
        self._characters += len(text)
        if len(self._rows["reports"]) >= GROUP_REPORTS or self._characters >= GROUP_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        for table in TABLES:
            rows = self._rows[table]
            if rows:
                made_by = () if table == "reports" else self._made_by
                self._files[table].write_table(table_of(rows, self._schemas[table], made_by))
                self._written[table] += len(rows)
                rows.clear()
        self._characters = 0

    def commit(self) -> Written:
        """Write what is left, flush all files to disk and give them their names."""
        self._flush()
        for file in self._files.values():
            file.close()
        for path in self._paths.values():
            put_in_place(temporary_name(path), path)
        part = Part(
            **{table: self._written[table] for table in TABLES},
            first_row=self._first_row,
            last_row=self._last_row,
            bytes={table: path.stat().st_size for table, path in self._paths.items()},
        )
        return Written(part, self._captions, self._rejects)

    def discard(self) -> None:
        """Drop the part; its files do not count and are removed."""
        for file in self._files.values():
            try:
                file.close()
            except OSError:  # the disk that refused the rows refuses the footer as well
                continue
        for path in self._paths.values():
            temporary_name(path).unlink(missing_ok=True)


def table_of(rows: Sequence[tuple[Any, ...]], schema: pa.Schema, constants: Sequence[str | None] = ()) -> pa.Table:
    """Rows as a table; ``constants`` are the values of the last columns, the same in each row."""
    import pyarrow as pa

    fields = list(schema)
    varied = fields[: len(fields) - len(constants)]
    columns = [pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), varied, strict=True)]
    columns += [_labels(value, len(rows)) for value in constants]
    return pa.Table.from_arrays(columns, schema=schema)


def _labels(value: str | None, count: int) -> pa.DictionaryArray:
    import pyarrow as pa

    indices = pa.nulls(count, pa.int32()) if value is None else pa.repeat(pa.scalar(0, pa.int32()), count)
    return pa.DictionaryArray.from_arrays(indices, pa.array([value] if value is not None else [], pa.string()))
