"""Lists that "respectively" pairs, member by member."""

from __future__ import annotations

from functools import cache

import pytest

from curation.language.parser import StatementParser


@cache
def parser() -> StatementParser:
    return StatementParser()


def segments(sentence: str) -> list[set[str]]:
    """Return the passages of each segment of a sentence; of an organ on one side its name."""
    statement = parser().parse(sentence)
    return [
        {term.key if term.kind == "organ" else statement.text_of(term) for term in segment.terms}
        for segment in statement.segments
    ]


@pytest.mark.parametrize(
    ("sentence", "pairs"),
    [
        (
            "The right and left kidneys measure 10 cm and 8 cm, respectively.",
            [("right kidney", "10 cm"), ("left kidney", "8 cm")],
        ),
        ("The liver and spleen measure 15 cm and 11 cm respectively.", [("liver", "15 cm"), ("spleen", "11 cm")]),
        (
            "Nodules of 5 mm and 9 mm in the right upper and left lower lobes, respectively.",
            [("right upper lobe", "5 mm"), ("left lower lobe", "9 mm")],
        ),
        (
            "A cyst and a stone in the right and left kidneys, respectively.",
            [("right kidney", "cyst"), ("left kidney", "stone")],
        ),
        (
            "Mild and severe stenosis of the celiac trunk and superior mesenteric artery, respectively.",
            [("celiac artery", "Mild"), ("superior mesenteric artery", "severe")],
        ),
        (
            "The liver, spleen and pancreas have cysts of 3 mm, 4 mm and 5 mm, respectively.",
            [("liver", "3 mm"), ("spleen", "4 mm"), ("pancreas", "5 mm")],
        ),
    ],
)
def test_members_are_paired(sentence: str, pairs: list[tuple[str, str]]) -> None:
    for pair, other in zip(pairs, [*pairs[1:], pairs[0]], strict=True):
        holding = [segment for segment in segments(sentence) if pair[0] in segment]
        assert len(holding) == 1
        assert pair[1] in holding[0]
        assert other[1] not in holding[0]


@pytest.mark.parametrize(
    "sentence",
    [
        "The kidneys measure 10 cm and 8 cm, respectively.",  # which is which is not told
        "The liver, spleen and pancreas measure 15 cm and 11 cm, respectively.",  # not as many
        "The liver and spleen measure 15 cm and 11 cm.",
    ],
)
def test_other_lists_stay(sentence: str) -> None:
    assert segments(sentence) == segments(sentence.replace(", respectively", ""))


def test_what_is_around_the_lists_stays() -> None:
    parts = segments("No ascites; the liver and spleen measure 15 cm and 11 cm, respectively, and the aorta is normal.")
    assert len(parts) == 4
    assert "aorta" not in parts[1] | parts[2]
