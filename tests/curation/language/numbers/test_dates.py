"""Dates, times and telephone numbers, and what is none."""

from __future__ import annotations

import pytest

from curation.language.numbers.dates import date_at
from curation.language.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("3/4/2020", (3, 4, 2020)), ("3/4/20", (3, 4, 2020)), ("2020-03-04", (2020, 3, 4)),
        ("04.03.2020", (4, 3, 2020)),
        ("05/2019", (5, 2019)), ("2019", (2019,)), ("May 2019", (5, 2019)), ("March 4, 2020", (4, 3, 2020)),
        ("4 March 2020", (4, 3, 2020)), ("4th of March 2020", (4, 3, 2020)), ("12 May.", (12, 5)),
        ("Sept. 2018", (9, 2018)), ("2 Jan", (2, 1)),
    ],
)  # fmt: skip
def test_date(text: str, values: tuple[float, ...]) -> None:
    date = date_at(tokenize(text), 0)
    assert date is not None
    assert (date.kind, date.values) == ("date", values)


@pytest.mark.parametrize(("text", "kind"), [("10:30", "time"), ("555-1234", "phone number")])
def test_other_numbers(text: str, kind: str) -> None:
    date = date_at(tokenize(text), 0)
    assert date is not None
    assert date.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "3",
        "3 nodules",
        "5-8 mm",
        "12 x 9 x 8 mm",
        "1/2 cm",
        "2/3 of the lung",
        "may be 3 nodules",
        "3 may represent",
        "4/56",
    ],
)
def test_no_date(text: str) -> None:
    assert date_at(tokenize(text), 0) is None


def test_a_month_alone_is_a_date_behind_a_preposition() -> None:
    assert date_at(tokenize("since February"), 1) is not None
    assert date_at(tokenize("in early March"), 2) is not None
    assert date_at(tokenize("this may show"), 1) is None


def test_a_day_and_its_month_are_a_date_behind_a_preposition() -> None:
    assert date_at(tokenize("on 3/4"), 1) is not None
    assert date_at(tokenize("grade 3/4"), 1) is None
