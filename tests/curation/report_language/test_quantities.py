"""Numbers with units, however a language writes them."""

import pytest

from curation.report_language.quantities import number_words, quantities


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("3,5 cm", "35 mm"),
        ("Rundherd 12x8 mm", "12 x 8 mm nodule"),
        ("очаг 8 мм", "8 mm focus"),
        ("киста 2,5 см", "25 mm cyst"),
        ("结节，直径约8mm的", "8 mm"),
        ("قطرها ٨ مم", "8 mm"),
        ('קוטר 8 מ"מ', "8 mm"),
        ("BWK 12", "T12"),
        ("3 bis 4 mm", "3-4 mm"),
        ("嚢胞 ３ｃｍ", "30 mm"),
    ],
)
def test_the_same_quantities_are_equal(text: str, same: str) -> None:
    assert quantities(text) == quantities(same) != frozenset()


@pytest.mark.parametrize(
    ("one", "other"), [("3 cm", "3 mm"), ("3 cm", "3"), ("3 und 4 mm", "4 mm"), ("20 ml", "20 mm")]
)
def test_other_quantities_are_not(one: str, other: str) -> None:
    assert quantities(one) != quantities(other)


def test_numbers_of_a_caption_in_words() -> None:
    assert number_words("Two cysts and one stone") == {2.0}
