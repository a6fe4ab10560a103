"""Parquet files, whole and damaged."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.readers.tables import open_table
from curation.runtime.errors import InputError
from tests.curation.readers.reading import read_table


def test_parquet_with_structs_and_binary_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table(
            {"id": [1, None], "report": [{"findings": "F"}, None], "image": [b"\x00", b"\xff"], "age": [1.0, None]}
        ),
        path,
    )
    rows, problems = read_table(path)
    assert rows[0] == {"id": "1", "report.findings": "F", "age": "1"}
    assert problems == [(None, "columns with binary data are left out: image", True)]
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), path)
    assert read_table(path) == ([], [])


def test_damaged_row_group_costs_only_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    records = [{"id": str(number), "report": os.urandom(40).hex()} for number in range(300)]
    pq.write_table(pa.Table.from_pylist(records), path, row_group_size=100, use_dictionary=False, compression="gzip")
    column = pq.ParquetFile(path).metadata.row_group(1).column(1)
    raw = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    raw[middle : middle + 200] = os.urandom(200)
    path.write_bytes(raw)
    rows, problems = read_table(path)
    assert rows == records[:100] + records[200:]
    with open_table(path, lambda *_, **__: None) as table:
        assert all(row.number == int(row.cells["id"]) + 1 for row in table.rows)
    assert problems[0][0] == 101 and problems[0][1].startswith("rows 101 to 200 cannot be read")


def test_a_text_that_is_repeated_for_ever_is_refused(tmp_path: Path) -> None:
    long = pa.DictionaryArray.from_arrays(
        pa.array([0] * 5000, pa.int32()), pa.array(["The liver is normal. " * 50_000])
    )
    pq.write_table(pa.table({"report": long}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="a text is repeated until it comes to more than 268,435,456 bytes"):
        read_table(tmp_path / "x.parquet")
    for values in (pa.nulls(9_000_000, pa.string()), pa.array([[None] * 3_000_000])):
        pq.write_table(pa.table({"report": values}), tmp_path / "x.parquet", row_group_size=9_000_000)
        with pytest.raises(InputError, match="values in a file of"):
            read_table(tmp_path / "x.parquet")


def test_repeated_texts_are_read(tmp_path: Path) -> None:
    records = [{"id": str(number), "report": f"Liver {number % 3}."} for number in range(700)]
    pq.write_table(pa.Table.from_pylist([*records, {"id": None, "report": None}]), tmp_path / "x.parquet")
    assert read_table(tmp_path / "x.parquet")[0] == [*records, {"id": "", "report": ""}]


def test_a_footer_at_which_arrow_ends_the_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": ["1"], "report": [["The liver is normal.", "b"]]}), path)
    assert read_table(path)[0] == [{"id": "1", "report": "The liver is normal.\nb"}]
    raw = path.read_bytes()
    # The lists of numbers that count the levels of a column of lists: two of repetition, four of definition.
    damaged = re.sub(rb"\x26(..\x19\x46)", b"\x16\\g<1>", raw, flags=re.DOTALL)
    assert damaged != raw
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"x\.parquet: cannot be read as Parquet .*fetch it again"):
        read_table(path)
