"""Quotes that are left open or not doubled cost no row but their own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from curation.readers import quotes
from curation.readers.delimited import read_delimited

Problems = list[tuple[int | None, str, bool]]


def read(text: str) -> tuple[list[list[str]], Problems]:
    problems: Problems = []

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        problems.append((row, problem, kept))

    table = read_delimited(iter(io.StringIO(text, newline="")), Path("x.csv"), note)
    rows = [[*row.cells.values(), *row.surplus] for row in table.rows]
    return [list(table.columns), *rows], problems


def test_quote_never_closed_costs_no_other_row() -> None:
    rows, problems = read('id,report\nt_1,aaa\nt_2,"bbb, c\nt_3,"ddd"\nt_4,"eee"\n')
    assert rows[1:] == [["t_1", "aaa"], ["t_2", "bbb", " c"], ["t_3", "ddd"], ["t_4", "eee"]]
    assert [(row, kept) for row, _, kept in problems] == [(2, True)]
    assert "a quote opens here and is never closed" in problems[0][1]


def test_quote_never_closed_in_the_first_row() -> None:
    rows, problems = read('id,report,lab\ntrain_1,"open,0\ntrain_2,"b",1\ntrain_3,c,1\n')
    assert rows[1:] == [["train_1", "open", "0"], ["train_2", "b", "1"], ["train_3", "c", "1"]]
    assert [row for row, _, _ in problems] == [1]


def test_quote_closed_by_a_later_row_is_noticed() -> None:
    text = 'id,report\nt_1,aaa\nt_2,"bbb\n' + "".join(f"t_{n},c\n" for n in range(3, 90)) + 't_90,d"\nt_91,e\n'
    rows, problems = read(text)
    assert [row[0] for row in rows[1:]] == [f"t_{n}" for n in range(1, 92)]
    assert [row for row, _, _ in problems] == [2]


def test_report_with_lines_like_rows_is_left_whole() -> None:
    text = 'id,report\nP1,"T11, normal\nT12, normal"\nP2,"Levels:\nT12, wedge\nL1, normal"\n'
    rows, problems = read(text)
    assert rows[1:] == [["P1", "T11, normal\nT12, normal"], ["P2", "Levels:\nT12, wedge\nL1, normal"]]
    assert not problems


def test_quote_open_at_the_end_of_the_file() -> None:
    rows, problems = read('id,report\nt_1,"aaa\nbbb')
    assert rows[1] == ["t_1", "aaa"]
    assert problems[0][0] == 1 and "never closed" in problems[0][1]


def test_quotes_inside_a_cell_that_are_not_doubled() -> None:
    rows, problems = read('id,report,lab\nt_1,"so "called" x, y",0\nt_2,"multi\nline "quote" here",1\nt_3,5" mass,0\n')
    assert rows[1:] == [
        ["t_1", 'so "called" x, y', "0"],
        ["t_2", 'multi\nline "quote" here', "1"],
        ["t_3", '5" mass', "0"],
    ]
    assert [(row, kept) for row, _, kept in problems] == [(1, True), (2, True)]


def test_doubled_quotes_beside_some_that_are_not() -> None:
    rows, _ = read('id,report,lab\nt_1,"so "called" ""big"", mass",0\nt_2,b,1\n')
    assert rows[1] == ["t_1", 'so "called" "big", mass', "0"]


def test_quoted_cells_in_front_of_an_open_quote_stay_whole() -> None:
    rows, _ = read('id,report,lab\n"t,1","open,0\n"t,2","b",1\n')
    assert rows[1] == ["t,1", "open,0", ""] and rows[2] == ["t,2", "b", "1"]


def test_search_for_the_end_of_a_cell_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "MOST_LINES", 50)
    source = iter(['bob,"open "x\n', *["eve,fine\n"] * 1000])
    records = quotes.read_records(quotes.RecordLines(source), quotes.RecordShape(",", 2))
    assert next(records)[0][0] == "bob"
    assert len(list(source)) > 900


def test_open_quote_in_a_long_file_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "LONGEST_RECORD", 10_000)
    rows, problems = read('id,report\nt_0,"open\n' + "".join(f"t_{n},text\n" for n in range(1, 5000)))
    assert [row[0] for row in rows[1:]] == [f"t_{n}" for n in range(5000)]
    assert [row for row, _, _ in problems] == [1]


def test_open_quotes_among_ids_without_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "MOST_LINES", 50)
    rows, problems = read("id,report\nann,x\n" + 'bob,"open\n' + "eve,fine\n" * 200)
    assert rows[2:] == [["bob", "open"], *[["eve", "fine"]] * 200]
    assert [row for row, _, _ in problems] == [2]
