"""Segments of the lungs that reports write as codes, beside the sacral vertebrae and segments of the liver."""

from __future__ import annotations

import pytest

from curation.language.parser import StatementParser
from tests.curation.engines.test_caption_wording import captions

parser = StatementParser()


@pytest.mark.parametrize(
    ("text", "organs"),
    [
        ("Subsolid nodule in left S1+2.", ["left upper lobe apicoposterior segment"]),
        ("Subsolid nodule in right S1.", ["right upper lobe apical segment"]),
        ("Cavity in the left S4.", ["lingula superior segment"]),
        ("Cavity in rt S5.", ["right middle lobe medial segment"]),
        ("Scarring of left S9/10.", ["left lower lobe"]),
        ("Scarring of right S4-5.", ["right middle lobe"]),
        ("Scarring of left S1+2-5.", ["left upper lobe"]),
        ("Scarring of right S2 and S6.", ["right lung"]),
        ("Consolidation of bilateral S6.", ["left lower lobe superior segment", "right lower lobe superior segment"]),
        ("Consolidation of bilateral S4.", []),  # in different lobes
        ("Cavity in LUL, S1+2.", ["left upper lobe"]),
        ("Hemangioma of the liver in S1.", ["liver"]),
        ("Fracture of S1.", ["S1 vertebra"]),
        ("Compression of the left S1 by the disc.", ["S1 vertebra"]),
        ("The right S1 nerve root is thickened.", ["sacral nerve roots"]),
        ("Left L5 and S1 are sclerotic.", ["L5 vertebra", "S1 vertebra"]),
    ],
)
def test_names(text: str, organs: list[str]) -> None:
    mentions = [term.mention for term in parser.parse(text).terms if term.mention]
    assert [name for mention in mentions for name in mention.names if name != "intervertebral discs"] == organs


def test_captions_are_filed_under_the_lobe() -> None:
    assert captions("Opacities in left S8 and right S2, no nodule in right S7.") == [
        ("left lower lobe", "Opacities in left S8"),
        ("right upper lobe", "Opacities in right S2"),
        ("right lower lobe", "No nodule in right S7"),
    ]
