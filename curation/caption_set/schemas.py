"""The Parquet schemas of a caption set's tables, and of the table that ``ovct verify`` writes: all in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from .set_files import TableName

if TYPE_CHECKING:
    import pyarrow as pa


def parquet_schema(table: TableName | Literal["verified"]) -> pa.Schema:
    """Return the Arrow schema of one table of a caption set, or of the table that ``ovct verify`` writes.

    Offsets (``start``, ``end``) count characters of the report's text from 0. A set's ``reports`` have the source
    columns of the input as strings behind these; their names differ from input to input.
    """
    import pyarrow as pa

    text, span, label = pa.string(), pa.int32(), pa.dictionary(pa.int32(), pa.string())
    made_by = [("engine", label), ("model", label), ("prompt", label)]
    claim = [("report_id", text), ("organ", text), ("caption", text)]
    evidence = [("evidence", text), ("evidence_start", span), ("evidence_end", span)]
    section = pa.struct([("name", text), ("start", span), ("end", span)])
    spans = ("evidence_spans", pa.list_(pa.struct([("start", span), ("end", span)])))
    fields = {
        "captions": [
            *claim, ("status", text), *evidence, ("section", text), spans, ("basis", label), ("score", pa.float32()),
            *made_by,
        ],
        "rejects": [*claim, ("reason", text), ("detail", text), ("nearest", text), *made_by],
        "reports": [("report_id", text), ("text", text), ("sections", pa.list_(section))],
        "responses": [
            ("report_id", text), ("kind", text), ("number", span), ("start", span), ("end", span), ("content", text),
            ("finish_reason", text), ("prompt_tokens", span), ("completion_tokens", span), ("error", text),
            ("organ", text), ("caption", text), ("opinion_by", label), *made_by,
        ],
        "verified": [
            *claim, ("accepted", pa.bool_()), ("reason", text), ("detail", text), *evidence, ("score", pa.float32()),
            spans,
        ],
    }  # fmt: skip
    return pa.schema(fields[table])


def evidence_spans(row: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return where all passages stand that a row of ``captions`` rests on; in a set of an earlier version it is one."""
    spans = row.get("evidence_spans")
    if not spans:
        return [(row["evidence_start"], row["evidence_end"])]
    return [(span["start"], span["end"]) for span in spans]


def in_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema; those that a set of an earlier version lacks are null."""
    import pyarrow as pa

    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
