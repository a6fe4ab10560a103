"""Several dimensions of one thing, with their axes and units, and ranges."""

from __future__ import annotations

import pytest

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.numbers.measurements import find_measures
from curation.language.tokens import tokenize

AP, TR, CC = "anteroposterior", "transverse", "craniocaudal"


@pytest.mark.parametrize(
    ("text", "values", "axes"),
    [
        ("1.5 cm craniocaudal by 1.8 cm transverse", (15, 18), (CC, TR)),
        ("1.5 (AP) x 1.8 (TR) x 2 cm (CC)", (15, 18, 20), (AP, TR, CC)),
        ("1.5 cm AP x 1.8 cm TR", (15, 18), (AP, TR)),
        ("AP 1.5 x TR 1.8 cm", (15, 18), (AP, TR)),
        ("1.5 cm in AP dimension and 1.8 cm in transverse dimension", (15, 18), (AP, TR)),
        ("1.5 cm cranio-caudal x 1.8 cm", (15, 18), (CC, "")),
        ("1.8 cm transverse", (18,), (TR,)),
        ("1.5 x 1.8 cm", (15, 18), ()),
        ("1.8 cm transverse nodule", (18,), (TR,)),
    ],
)
def test_axes(text: str, values: tuple[float, ...], axes: tuple[str, ...]) -> None:
    (measure,) = find_measures(tokenize(text), load_lexicon().numbers)
    assert (measure.values, measure.axes) == (values, axes)


def test_the_name_of_an_organ_is_no_axis() -> None:
    tokens = tokenize("8 mm transverse colon polyp")
    (measure,) = find_measures(tokens, load_lexicon().numbers, frozenset((2, 3)))
    assert measure.axes == ()


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("5-10 mm", "length", (5, 10)), ("5 to 10 mm", "length", (5, 10)), ("between 5 and 10 mm", "length", (5, 10)),
        ("from 5 mm to 1 cm", "length", (5, 10)), ("5 or 6 mm", "length", (5, 6)), ("3-4 nodules", "number", (3, 4)),
        ("50-69 %", "percent", (50, 69)),
    ],
)  # fmt: skip
def test_range(text: str, kind: str, values: tuple[float, ...]) -> None:
    (measure,) = find_measures(tokenize(text), load_lexicon().numbers)
    assert (measure.kind, measure.values, measure.is_range) == (kind, values, True)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("35 grams", "weight", 35), ("2 kg", "weight", 2000), ("3 cubic centimeters", "volume", 3),
        ("3 cm³", "volume", 3), ("3 cm^3", "volume", 3), ("2 square centimeters", "area", 200), ("HU of 35", "HU", 35),
        ("HU: 35", "HU", 35), ("35 Hounsfield units", "HU", 35), ("3 months", "duration", 91.3125),
    ],
)  # fmt: skip
def test_units(text: str, kind: str, value: float) -> None:
    (measure,) = find_measures(tokenize(text), load_lexicon().numbers)
    assert (measure.kind, measure.values) == (kind, (value,))


def test_numbers_of_a_list_share_the_unit_behind_it() -> None:
    measures = find_measures(tokenize("nodules of 5, 7 and 9 mm"), load_lexicon().numbers)
    assert [(measure.kind, measure.values) for measure in measures] == [("length", (n,)) for n in (5, 7, 9)]
