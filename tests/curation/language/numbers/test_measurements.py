"""Numbers and measurements: the same quantity however it is written, and no other."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.numbers.measurements import Measure, find_measures
from curation.language.tokens import tokenize


def measures(text: str) -> list[Measure]:
    return find_measures(tokenize(text), load_lexicon().numbers)


def quantity(text: str) -> tuple[str, tuple[float, ...]]:
    (measure,) = measures(text)
    return measure.kind, measure.values


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        pytest.param("5 mm", "length", (5,), id="mm"),
        pytest.param("5mm", "length", (5,), id="glued unit"),
        pytest.param("a 5-mm nodule", "length", (5,), id="hyphen before the unit"),
        pytest.param("0.5 cm", "length", (5,), id="cm"),
        pytest.param("1,5 cm", "length", (15,), id="decimal comma"),
        pytest.param("12 millimeters", "length", (12,), id="unit in words"),
        pytest.param("2 centimetres", "length", (20,), id="British unit"),
        pytest.param("12x9mm", "length", (12, 9), id="glued dimensions"),
        pytest.param("12 x 9 mm", "length", (12, 9), id="dimensions"),
        pytest.param("12×9 mm", "length", (12, 9), id="multiplication sign"),
        pytest.param("12 by 9 mm", "length", (12, 9), id="by"),
        pytest.param("12 mm x 9 mm", "length", (12, 9), id="unit behind each dimension"),
        pytest.param("3.2 cm x 21 mm", "length", (32, 21), id="dimensions in two units"),
        pytest.param("2.4 x 1.9 x 3 cm", "length", (24, 19, 30), id="three dimensions"),
        pytest.param("5-8 mm", "length", (5, 8), id="range"),
        pytest.param("5 to 8 mm", "length", (5, 8), id="range in words"),
        pytest.param("5 – 8 mm", "length", (5, 8), id="range with a dash"),
        pytest.param("-50 HU", "HU", (-50,), id="negative HU"),
        pytest.param("a mean density of -50 HU", "HU", (-50,), id="negative HU within a sentence"),
        pytest.param("50 HU", "HU", (50,), id="positive HU"),
        pytest.param("10 Hounsfield units", "HU", (10,), id="HU in words"),
        pytest.param("250 ml", "volume", (250,), id="ml"),
        pytest.param("250 cc", "volume", (250,), id="cc"),
        pytest.param("1.5 l", "volume", (1500,), id="litre"),
        pytest.param("20%", "percent", (20,), id="percent sign"),
        pytest.param("20 percent", "percent", (20,), id="percent"),
        pytest.param("an angle of 15°", "angle", (15,), id="degree sign"),
        pytest.param("3 nodules", "number", (3,), id="count"),
        pytest.param("three nodules", "number", (3,), id="count in words"),
        pytest.param("1,200 ml", "volume", (1200,), id="thousands"),
    ],
)
def test_quantity(text: str, kind: str, values: tuple[float, ...]) -> None:
    assert quantity(text) == (kind, values)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("5 mm", "0.5 cm"), ("5 mm", "5.0 mm"), ("5mm", "5 millimetres"), ("12x9mm", "1.2 x 0.9 cm"),
        ("1.5 cm", "1,5 cm"),         ("250 ml", "0.25 l"), ("250 ml", "250 cc"),
        ("three lesions", "3 lesions"), ("20 %", "20 percent"),
        ("5-8 mm", "0.5 to 0.8 cm"),
    ],
)  # fmt: skip
def test_equal(first: str, second: str) -> None:
    assert quantity(first) == quantity(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("5 mm", "5 cm"), ("5 mm", "6 mm"), ("1.5 cm", "15 cm"), ("5 mm", "5"),
        ("-50 HU", "50 HU"), ("12x9mm", "12x8mm"), ("12x9mm", "12 mm"), ("5 ml", "5 mm"), ("5 %", "5 mm"),
        ("three lesions", "two lesions"),
        ("1,200 ml", "1.2 ml"),         ("0.5 cm", "0.05 cm"),
    ],
)  # fmt: skip
def test_not_equal(first: str, second: str) -> None:
    assert quantity(first) != quantity(second)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("A 5 mm nodule and a 3 cm mass.", 2, id="two sizes"),
        pytest.param("No nodule is seen.", 0, id="none"),
        pytest.param("At the L4 level.", 0, id="a vertebra is no number"),
        pytest.param("4.6 cm, previously 4.1 cm", 2, id="now and then"),
    ],
)
def test_how_many(text: str, count: int) -> None:
    assert len(measures(text)) == count


def test_the_tokens_of_a_measure_are_its_number_and_unit() -> None:
    text = "A nodule of 12x9 mm in the liver"
    (measure,) = measures(text)
    tokens = tokenize(text)
    assert text[tokens[measure.start].start : tokens[measure.end - 1].end] == "12x9 mm"


VALUES = st.integers(min_value=1, max_value=400)


@given(VALUES)
def test_millimetres_and_centimetres_of_one_length_are_equal(value: int) -> None:
    assert quantity(f"{value} mm") == quantity(f"{value / 10:.1f} cm")
    assert quantity(f"{value} mm") == quantity(f"{value / 10:.1f}cm".replace(".", ","))


@given(VALUES, VALUES, st.sampled_from(["mm", "cm"]), st.sampled_from(["mm", "cm"]))
def test_different_lengths_are_not(first: int, second: int, unit: str, second_unit: str) -> None:
    factor = {"mm": 1, "cm": 10}
    assume(first * factor[unit] != second * factor[second_unit])
    assert quantity(f"{first} {unit}") != quantity(f"{second} {second_unit}")


@given(st.text(alphabet="0123456789.,x× -–mcHUl%", max_size=30))
def test_anything_can_be_read(text: str) -> None:
    tokens, at = tokenize(text), 0
    for measure in measures(text):
        assert at <= measure.start < measure.end <= len(tokens)
        at = measure.end
