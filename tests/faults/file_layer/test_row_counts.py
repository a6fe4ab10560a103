"""Rows that are missing, twice there, or that no undisturbed run has are told apart."""

import contextlib
import io
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.file_layer.row_counts import RowCounts, compared
from tests.faults.file_layer.snapshots import snapshot

ROWS = [("scan 1", "The liver is normal"), ("scan 2", "The spleen is large"), ("scan 2", "The aorta is wide")]


def parquet(rows: list[tuple[str, str]]) -> bytes:
    content = io.BytesIO()
    table = pa.table({"report_id": [row[0] for row in rows], "caption": [row[1] for row in rows]})
    pq.write_table(table, content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        (ROWS, RowCounts()),
        (ROWS[::-1], RowCounts()),
        (ROWS[:2], RowCounts(lost=1)),
        ([*ROWS, ROWS[0], ROWS[0]], RowCounts(doubled=2)),
        ([*ROWS, ("scan 3", "The liver is normal")], RowCounts(let_in=1)),
        ([("scan 1", "The liver is torn"), *ROWS[1:]], RowCounts(lost=1, let_in=1)),
        ([ROWS[1], ROWS[1], ROWS[2]], RowCounts(lost=1, doubled=1)),
    ],
)
def test_rows_of_a_table(rows: list[tuple[str, str]], counts: RowCounts) -> None:
    name = "captions/part-00000.parquet"
    assert compared({name: parquet(rows)}, {name: parquet(ROWS)}) == counts
    # Its parts may be cut otherwise.
    parts = {f"captions/part-{number}.parquet": parquet([row]) for number, row in enumerate(rows)}
    assert compared(parts, {name: parquet(ROWS)}) == counts


def test_files_that_are_no_tables_count_as_one_row() -> None:
    whole = {"a.json": b"1", "b.jsonl": b"1\n2\n", "torn.parquet": b"PAR1"}
    assert compared({"a.json": b"2", "b.jsonl": b"1\n1\n"}, whole) == RowCounts(lost=3, doubled=1, let_in=1)


def test_verdicts_of_a_database(tmp_path: Path) -> None:
    def verdicts(*rows: str) -> dict[str, bytes]:
        path = tmp_path / "audit.sqlite"
        path.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("create table review (verdict text, at text)")
            database.executemany("insert into review values (?, '2026-01-01T00:00:00.123')", [(row,) for row in rows])
            database.commit()
        return snapshot(tmp_path)

    expected = verdicts("supported", "supported", "wrong_organ")
    assert compared(verdicts("wrong_organ", "supported", "supported"), expected) == RowCounts()
    assert compared(verdicts("supported", "wrong_organ"), expected) == RowCounts(lost=1)
    assert compared(verdicts("supported", "supported", "wrong_organ", "hallucinated"), expected) == RowCounts(let_in=1)
    assert compared(verdicts(*["supported"] * 3, "wrong_organ"), expected) == RowCounts(doubled=1)
