"""Numbers that count, and numbers that only tell which item is meant."""

from __future__ import annotations

import pytest

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.numbers.measurements import find_measures
from curation.language.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("3 nodules", ["number"]),
        ("series 4, image 56", ["series number", "image number"]),
        ("images 4 and 56", ["image number", "image number"]),
        ("im #56", ["image number"]),
        ("segment 7", ["segment number"]),
        ("segments 7-8", ["segment number"]),
        ("segment 7 and 2 cysts", ["segment number", "number"]),
        ("grade 2", ["grade number"]),
        ("on day 2", ["day number"]),
        ("Lung-RADS 3", ["rads number"]),
        ("a score of 12", ["score number"]),
        ("a group of 12 nodes", ["number"]),
        ("the 7th rib", ["position number"]),
        ("at 3 o'clock", ["position number"]),
        ("a nodule (604; 118)", ["reference", "reference"]),
        ("a nodule [4, 56]", ["reference", "reference"]),
        ("nodules (3)", ["number"]),
        ("2/3 of the lung", ["ratio"]),
        ("64-year-old", ["duration"]),
        ("since 3/4/2020", ["date"]),
    ],
)
def test_kinds(text: str, kinds: list[str]) -> None:
    assert [measure.kind for measure in find_measures(tokenize(text), load_lexicon().numbers)] == kinds


def test_the_noun_of_an_image_is_part_of_its_number() -> None:
    (measure,) = find_measures(tokenize("nodule on image 56"), load_lexicon().numbers)
    assert (measure.start, measure.end) == (2, 4)
    (grade,) = find_measures(tokenize("stenosis of grade 2"), load_lexicon().numbers)
    assert (grade.start, grade.end) == (3, 4)
