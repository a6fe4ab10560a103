"""CSV that a spreadsheet opens."""

import csv
import io

import pytest

from curation.runtime.csv_text import csv_text


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "=cmd|' /C calc'!A0"]
)
def test_text_is_no_formula(text: str) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_text(["name", "value"], [[text, -1.5]]), newline="")))[1:]
    assert row == ["'" + text.replace("\r", "\n"), "-1.5"]


@pytest.mark.parametrize("text", ["", "liver", "L4-L5", "a=b", "'=1", "3 mm", "é"])
def test_other_text_stays(text: str) -> None:
    assert list(csv.reader(csv_text(["name"], [[text, None]]).splitlines()))[1] == [text, ""]
