"""A number as it is written, in digits, fractions and words."""

from __future__ import annotations

import pytest

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.numbers.number_forms import read_number
from curation.language.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7 mm", 7), ("0.7 cm", 0.7), (".7 cm", 0.7), ("1,7 cm", 1.7), ("1,200 ml", 1200),
        ("1½ cm", 1.5), ("2 ¼ cm", 2.25), ("½ cm", 0.5), ("1 1/2 cm", 1.5), ("2-3/4 inch", 2.75), ("1/2 cm", 0.5),
        ("1 and 1/2 cm", 1.5), ("one and a half cm", 1.5),
        ("twelve", 12), ("twenty", 20), ("twenty-one", 21), ("thirty five mm", 35), ("one hundred", 100),
        ("one hundred and five", 105), ("two hundred twelve", 212), ("twenty nodules", 20),
        ("1/2/20", 1), ("1/2 of", 1), ("3 1/2/20", 3), ("1 9/2 cm", 1),
    ],
)  # fmt: skip
def test_value(text: str, value: float) -> None:
    number = read_number(tokenize(text), 0, load_lexicon().numbers)
    assert number is not None
    assert number.value == pytest.approx(value)


@pytest.mark.parametrize("text", ["nodule", "t12", "12.3.2020", "half"])
def test_no_number(text: str) -> None:
    assert read_number(tokenize(text), 0, load_lexicon().numbers) is None


def test_a_period_behind_a_word_is_no_decimal_point() -> None:
    assert [token.word for token in tokenize("nodule.8 mm")] == ["nodule", ".", "8", "mm"]
