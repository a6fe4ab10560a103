"""What follows from what, domain by domain: report sentences, and captions in other words that follow or do not.

Each table is a file of ``domain_pairs``: yes or no, organ, report, caption.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ..caption_cases import verify

TABLES = sorted(Path(__file__).with_name("domain_pairs").glob("*.tsv"))


def rows(table: Path, follows: str) -> list[tuple[str, str, str]]:
    """Return organ, report and caption of the rows of a table that are marked so."""
    cells = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()]
    return [(organ, report, caption) for mark, organ, report, caption in cells if mark == follows]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_what_follows_is_accepted(table: Path) -> None:
    refused = [row for row in rows(table, "yes") if not verify(row[1], row[0], row[2]).accepted]
    assert refused == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_what_does_not_follow_is_refused(table: Path) -> None:
    accepted = [row for row in rows(table, "no") if verify(row[1], row[0], row[2]).accepted]
    assert accepted == []


def test_tables_hold_both() -> None:
    assert TABLES
    assert all(len(rows(table, mark)) >= 10 for table in TABLES for mark in ("yes", "no"))
