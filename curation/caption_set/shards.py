"""Write the Parquet files of one part of a caption set: one file in each table, for up to so many reports.

These are not the shards of ``--shard I/N``, for which see ``sharding``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.caption import MadeBy, OutcomeColumns, RefusedCaption
from curation.report import Report
from curation.runtime.digests import do_nothing, file_digest
from curation.runtime.files import put_in_place, temporary_name

from .manifest import PartRecord, RepairCounts
from .schemas import parquet_schema
from .set_files import TABLES, TableName, part_path

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


REPORTS_PER_PART = 10_000
REASON = RefusedCaption._fields.index("reason")
# Rows of so many reports, or of so many characters of text, are held in memory and written as one row group.
GROUP_REPORTS = 1_000
GROUP_CHARACTERS = 32_000_000


def source_names(columns: Iterable[str]) -> dict[str, str]:
    """Return the name of each source column in ``reports``: "source_" comes before one that would hide another."""
    used_names = set(parquet_schema("reports").names)  # compared in lower case: SQL engines do not tell Text from text
    names = {}
    for column in columns:
        names[column] = column
        while names[column].lower() in used_names:
            names[column] = f"source_{names[column]}"
        used_names.add(names[column].lower())
    return names


def open_parquet(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a writer whose options, all that decide the bytes of the file, are set here."""
    import pyarrow.parquet as pq

    options = {"version": "2.6", "data_page_version": "1.0", "use_dictionary": True}
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=3, **options)


def close_parquet(writer: pq.ParquetWriter) -> None:
    """Close a writer. One that cannot write its footer is closed for good: it does not try again when it is freed."""
    try:
        writer.close()
    except BaseException:
        writer.is_open = False
        with suppress(OSError):  # the disk that refused the rows refuses the footer as well
            writer.close()
        raise


@contextmanager
def parquet_file(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """Yield a writer (``open_parquet``) that is closed with the block."""
    writer = open_parquet(path, schema)
    try:
        yield writer
    except BaseException:
        with suppress(OSError):
            close_parquet(writer)
        raise
    close_parquet(writer)


@dataclass(slots=True)
class WrittenPart:
    """A finished part and its counts: captions by organ and status, rejects by reason, repairs by a language model.

    ``languages`` counts the reports by the code of their language, ``bases`` the captions that do not rest on the
    verifier's reading by what they rest on.
    """

    part: PartRecord
    captions: Counter[tuple[str, str]]
    rejects: Counter[str]
    repairs: RepairCounts
    languages: Counter[str]
    bases: Counter[str]


class PartWriter:
    """Writes one part under temporary names; ``commit`` gives the files their own.

    ``tables`` are those that are written. Rows of the others are counted, so that row groups end where they would.
    """

    def __init__(
        self, root: Path, index: int, made_by: MadeBy, source_columns: Sequence[str], tables: Sequence[TableName]
    ) -> None:
        import pyarrow as pa

        self._made_by = made_by
        self._source_columns = tuple(source_columns)
        self._schemas = {table: parquet_schema(table) for table in TABLES}
        for name in source_names(source_columns).values():
            self._schemas["reports"] = self._schemas["reports"].append(pa.field(name, pa.string()))
        self._paths = {table: part_path(root, table, index) for table in tables}
        self._files: dict[TableName, pq.ParquetWriter] = {}
        self._columns: dict[TableName, list[list[Any]]] = {}
        self._characters = 0
        self._written = Counter[str]()
        self._captions = Counter[tuple[str, str]]()
        self._rejects = Counter[str]()
        self._languages = Counter[str]()
        self._bases = Counter[str]()
        self._returned = self._repaired = 0
        self._first_row = self._last_row = 0
        self._begin_group()
        self._open()

    def _open(self) -> None:
        try:
            for table in self._paths:
                self._files[table] = open_parquet(temporary_name(self._paths[table]), self._schemas[table])
        except BaseException:
            self.discard()
            raise

    def _begin_group(self) -> None:
        """Begin a row group. The last columns of all tables but ``reports`` are constant; ``table_of`` adds them."""
        for table in TABLES:
            constant = 0 if table == "reports" else len(self._made_by)
            self._columns[table] = [[] for _ in range(len(self._schemas[table]) - constant)]
        self._characters = 0

    @property
    def reports(self) -> int:
        """Reports added so far."""
        return self._written["reports"] + len(self._columns["reports"][0])

    def add(self, report: Report, outcome: OutcomeColumns) -> None:
        """Add a report and its outcome."""
        self._add_report(report)
        if outcome.accepted:
            organs, captions, statuses, starts, ends, sections, scores, bases, all_spans = outcome.accepted
            places = list(zip(starts, ends, strict=True))
            evidence = [report.text[start:end] for start, end in places]
            passages = [list(map(tuple, spans)) or [place] for spans, place in zip(all_spans, places, strict=True)]
            ids = [report.report_id] * len(organs)
            self._extend(
                "captions",
                [ids, organs, captions, statuses, evidence, starts, ends, sections, passages, bases, scores],
            )
            self._captions.update(zip(organs, statuses, strict=True))
            self._bases.update(basis for basis in bases if basis != "rules")
        if outcome.refused:
            self._extend("rejects", [[report.report_id] * len(outcome.refused[0]), *outcome.refused])
            self._rejects.update(outcome.refused[REASON])
        if outcome.responses:
            self._extend("responses", [[report.report_id] * len(outcome.responses[0]), *outcome.responses])
        self._languages[outcome.language] += 1
        self._returned += outcome.returned
        self._repaired += outcome.repaired
        if len(self._columns["reports"][0]) >= GROUP_REPORTS or self._characters >= GROUP_CHARACTERS:
            self._flush()

    def _add_report(self, report: Report) -> None:
        sections = [(section.name, section.start, section.end) for section in report.sections]
        source = map(report.source.get, self._source_columns)
        self._extend("reports", [[value] for value in (report.report_id, report.text, sections, *source)])
        self._first_row = self._first_row or report.row
        self._last_row = report.row
        self._characters += len(report.text)

    def _extend(self, table: TableName, columns: Sequence[Sequence[Any]]) -> None:
        for column, values in zip(self._columns[table], columns, strict=True):
            column.extend(values)

    def _flush(self) -> None:
        for table in TABLES:
            columns = self._columns[table]
            self._written[table] += len(columns[0])
            if columns[0] and table in self._files:
                made_by = () if table == "reports" else self._made_by
                self._files[table].write_table(table_of(columns, self._schemas[table], made_by))
        self._begin_group()

    def close(self) -> WrittenPart:
        """Write the last row group and close the files; they still have their temporary names."""
        self._flush()
        for file in self._files.values():
            close_parquet(file)
        part = PartRecord(
            **{table: self._written[table] for table in TABLES},
            first_row=self._first_row,
            last_row=self._last_row,
            bytes={table: temporary_name(path).stat().st_size for table, path in self._paths.items()},
            sha256={table: file_digest(temporary_name(path)) for table, path in self._paths.items()},
        )
        repairs = RepairCounts(self._returned, self._repaired)
        return WrittenPart(part, self._captions, self._rejects, repairs, self._languages, self._bases)

    def commit(self, check: Callable[[], None] = do_nothing) -> WrittenPart:
        """Close the files, flush them to disk and name them. ``check`` is called before each and may raise."""
        written = self.close()
        for path in self._paths.values():
            check()
            put_in_place(temporary_name(path), path)
        return written

    def discard(self, remove: bool = True) -> None:
        """Close and ``remove`` the files: the part is not finished and does not count."""
        for file in self._files.values():
            with suppress(OSError):
                close_parquet(file)
        for path in self._paths.values() if remove else ():
            temporary_name(path).unlink(missing_ok=True)


def table_of(columns: Iterable[Sequence[Any]], schema: pa.Schema, constants: Sequence[str | None] = ()) -> pa.Table:
    """Return columns as an Arrow table; ``constants`` are the values of the last columns, the same in each row."""
    import pyarrow as pa

    fields = list(schema)[: len(schema) - len(constants)]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, fields, strict=True)]
    return pa.Table.from_arrays([*arrays, *(_labels(value, len(arrays[0])) for value in constants)], schema=schema)


def _labels(value: str | None, count: int) -> pa.DictionaryArray:
    import pyarrow as pa

    indices = pa.nulls(count, pa.int32()) if value is None else pa.repeat(pa.scalar(0, pa.int32()), count)
    return pa.DictionaryArray.from_arrays(indices, pa.array([value] if value is not None else [], pa.string()))
