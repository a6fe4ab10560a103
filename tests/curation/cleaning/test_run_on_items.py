"""Lists whose line breaks were lost are cut into their items; numbers that are no items' stay."""

from __future__ import annotations

import pytest

from curation.cleaning.clean_text import clean_text

ITEMS = ["Gallstones", "Left renal cyst of 3 cm", "No ascites"]


@pytest.mark.parametrize(
    "marks",
    [
        ("1.", "2.", "3."), ("1)", "2)", "3)"), ("(1)", "(2)", "(3)"), ("01.", "02.", "03."), ("a)", "b)", "c)"),
        ("(a)", "(b)", "(c)"), ("A.", "B.", "C."), ("\u2460", "\u2461", "\u2462"),
        ("-", "-", "-"), ("*", "*", "*"), ("\u2013", "\u2013", "\u2013"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("gap", [" ", "  ", ". "])
@pytest.mark.parametrize("before", ["", "IMPRESSION: ", "IMPRESSION:\n"])
def test_items_that_run_on_get_a_line_each(marks: tuple[str, ...], gap: str, before: str) -> None:
    source = before + gap.join(f"{mark} {item}" for mark, item in zip(marks, ITEMS, strict=True))
    lines = clean_text(source).text.splitlines()
    assert [[item for item in ITEMS if item in line] for line in lines][-3:] == [[item] for item in ITEMS]


def test_items_without_a_space_between_them() -> None:
    assert clean_text("1.Gallstones.2.Cyst.3.No ascites.").text == "1.Gallstones.\n2.Cyst.\n3.No ascites."


def test_items_in_small_letters_begin_behind_a_heading_with_a_dash() -> None:
    assert clean_text("IMPRESSION: - gallstones - no ascites").text == "IMPRESSION: - gallstones\n- no ascites"
    assert clean_text("IMPRESSION: gallstones - no ascites").text == "IMPRESSION: gallstones - no ascites"


@pytest.mark.parametrize(
    "text",
    [
        "Cyst in segment 2. 3 mm nodule of the lung.",
        "Fracture of L4. 5 mm retrolisthesis.",
        "1. Metastases in segments 1 and 2.",
        "1. Bosniak 2. Cyst of the kidney.",
        "- L4 - L5 disc bulge",
        "- Nodule of 5 - 6 mm",
        "RCA: 1. LAD: 2.",
        "The nodule is 1. 2 cm wide.",
        "Liver - normal - spleen - large",
        "1. Cyst. 3. Stone.",
    ],
)
def test_numbers_and_dashes_of_a_sentence_stay(text: str) -> None:
    assert clean_text(text).text == text


def test_the_way_back_is_kept() -> None:
    source = "IMPRESSION: 1. Gallstones 2. Renal cyst"
    clean = clean_text(source)
    start = clean.text.index("Renal")
    assert source[slice(*clean.source_span(start, start + 10))] == "Renal cyst"
