"""CSV and TSV, whole and broken."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from curation.readers.delimited import read_delimited
from curation.runtime.errors import InputError

Problems = list[tuple[int | None, str, bool]]


def read(text: str, name: str = "x.csv") -> tuple[list[list[str]], Problems]:
    problems: Problems = []

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        problems.append((row, problem, kept))

    table = read_delimited(iter(io.StringIO(text, newline="")), Path(name), note)
    rows = [[*row.cells.values(), *row.surplus] for row in table.rows]
    return [list(table.columns), *rows], problems


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(delimiter: str) -> None:
    text = delimiter.join(["id", "report"]) + "\n" + "".join(f'{n}{delimiter}"a, b; c|d\te"\n' for n in range(30))
    rows, problems = read(text)
    assert rows[:2] == [["id", "report"], ["0", "a, b; c|d\te"]]
    assert len(rows) == 31 and not problems


def test_delimiter_of_one_column_follows_the_name() -> None:
    assert read("report\na;b\n")[0] == [["report"], ["a;b"]]
    assert read("report\na, b\n", "x.tsv.gz")[0] == [["report"], ["a, b"]]
    assert read("sep=;\nid;report\n1;a,b\n")[0] == [["id", "report"], ["1", "a,b"]]


def test_columns_without_a_name_or_with_the_same() -> None:
    assert read(",report,report, x \n1,a,b,c\n")[0][0] == ["column 1", "report", "report (2)", "x"]


def test_cells_of_several_lines_and_blank_lines() -> None:
    rows, problems = read('id,report\r\n\r\n1,"Liver:\r\nnormal, 3 cm.\n\nSpleen ""big"""\r\n\n2,b')
    assert rows[1:] == [["1", 'Liver:\r\nnormal, 3 cm.\n\nSpleen "big"'], ["2", "b"]]
    assert not problems


def test_missing_and_surplus_cells() -> None:
    rows, problems = read("id,report,lab\n1,a\n2,b,0,x,y\n3,c,1\n")
    assert rows[1:] == [["1", "a", ""], ["2", "b", "0", "x", "y"], ["3", "c", "1"]]
    assert problems == [(1, "2 of 3 cells; the missing ones are empty", True)]


def test_report_of_five_megabytes() -> None:
    long = "The liver is normal. " * 250_000
    rows, problems = read(f'id,report\n1,"{long}"\n2,b\n')
    assert rows[1:] == [["1", long], ["2", "b"]]
    assert not problems


def test_no_header() -> None:
    with pytest.raises(InputError, match="holds no text"):
        read("\n\n")
    with pytest.raises(InputError, match="header line cannot be read"):
        read('id,"report\n1,a\n')


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_the_csv_module_writes_comes_back(
    rows: list[tuple[str, str, str]], delimiter: str, quoting: int, end: str
) -> None:
    # The writer leaves line ends other than its own without quotes unless told to quote all.
    assume(quoting != csv.QUOTE_MINIMAL or not any(end in text for row in rows for text in row for end in "\r\n"))
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(  # type: ignore[arg-type]
        [("report id", "report", "lab"), *rows]
    )
    rows_read, problems = read(file.getvalue())
    assert rows_read == [["report id", "report", "lab"], *map(list, rows)]
    assert not problems


@settings(deadline=None)
@given(st.text(st.sampled_from('ab,"\n\r\t;1_ ') | st.characters(), max_size=200))
@example('a,b\n"\n"1,"x')
@example('a,b\n1,"""\n2,"x""y\n')
def test_any_text_ends_in_rows_or_a_clear_error(text: str) -> None:
    try:
        rows, problems = read("id,report,lab\n" + text)
    except InputError:
        return
    if not any(character in text for character in '"\r'):
        lines = [line for line in text.split("\n") if line]
        assert len(rows) - 1 == len(lines)
    assert all(row is None or 0 < row <= len(rows) for row, _, _ in problems)
    letters = sum(character.isalnum() for row in rows[1:] for cell in row for character in cell)
    assert letters >= sum(character.isalnum() for character in text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a," * 2_000_000, "2,000,001 columns"),
        ('"a",' * 2_000_000, "a line of 2,000,001 cells"),
        ("x" * 5_000_000, "a line of 5,000,000 characters"),
        ("id,report\n" + "a;" * 2_000_000, "a line of 2,000,001 cells"),
        ("id,report\n1,Normal.\n" + "\n" * 1_000_001, "over 1,000,000 blank lines in a row"),
    ],
)
def test_lines_that_are_those_of_no_table(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text)
