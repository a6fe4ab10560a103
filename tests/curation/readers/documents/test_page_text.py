"""Cells, spaces and empty lines of a page."""

from __future__ import annotations

import time

from curation.readers.documents.page_text import CELL_END, ROW_END, join_surrogates, tidy


def test_rows_of_cells_are_lines() -> None:
    table = f"Liver {CELL_END}\n normal{CELL_END}{ROW_END}Spleen{CELL_END}{CELL_END}large{CELL_END}{ROW_END}\nEnd"
    assert tidy(table) == "Liver | normal\nSpleen | | large\n\nEnd"
    assert tidy(f"only cell{CELL_END}{ROW_END}{CELL_END}{ROW_END}") == "only cell"


def test_white_space() -> None:
    assert tidy("a\xa0 b \r\n\r\n \r\n\r\nc\td ") == "a b\n\nc\td"


def test_halves_of_characters() -> None:
    assert join_surrogates("a\ud83d\ude00b") == "a😀b"
    assert join_surrogates("a\ud83d b") == "a\ufffd b"


def test_time_grows_with_the_size_alone() -> None:
    started = time.perf_counter()
    for sign in (" ", "\n", CELL_END, "\t", " \n"):
        assert tidy(f"a{sign * 200_000}b")
    assert time.perf_counter() - started < 5
