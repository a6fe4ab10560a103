"""Read a table of any format as rows and problems, and write one, for the tests of the readers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from curation.readers.tables import open_table

Problems = list[tuple[int | None, str, bool]]


RECORDS = [{"id": str(number), "report": f"Liver {number}.\nNormal."} for number in range(600)]


def read_table(path: Path) -> tuple[list[dict[str, str]], Problems]:
    problems: Problems = []

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        problems.append((row, f"{Path(file).name}: {problem}" if file else problem, kept))

    with open_table(path, note) as table:
        rows = list(table.rows)
    numbers = [row.number for row in rows]
    # A message may hold several reports; rows of columns have a number each.
    assert numbers == sorted(numbers if table.origins else set(numbers))
    return [row.cells for row in rows], problems


def write_records(path: Path, records: list[dict[str, str]]) -> None:
    """Write records in the format that the path's ending asks for."""
    kind, packed = path.name.removesuffix(".gz").rpartition(".")[2], path.suffix == ".gz"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path, row_group_size=100)
        return
    if kind == "xlsx":
        workbook = openpyxl.Workbook()
        sheet = workbook.worksheets[0]
        for row in [["id", "report"], *(list(record.values()) for record in records)]:
            sheet.append(row)
        workbook.save(path)
        return
    joint = "\t" if kind == "tsv" else ","
    text = {
        "json": lambda: json.dumps(records),
        "jsonl": lambda: "\n".join(map(json.dumps, records)),
    }.get(
        kind,
        lambda: "".join(f'{r["id"]}{joint}"{r["report"]}"\n' for r in [{"id": "id", "report": "report"}, *records]),
    )()
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
