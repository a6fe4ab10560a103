"""Legends of abbreviations go; values behind an equals sign stay."""

from __future__ import annotations

import pytest

from curation.cleaning.clean_text import clean_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(LUL=left upper lobe, GB=gallbladder) The heart is large.", "The heart is large."),
        ("No nodule in the LUL (LUL = left upper lobe).", "No nodule in the LUL."),
        ("The heart is large. Abbreviations: CBD = common bile duct; GB = gallbladder.", "The heart is large."),
        ("The heart is large.\nLegend: RCA=right coronary artery", "The heart is large."),
        ("[PV = portal vein] It is patent.", "It is patent."),
    ],
)
def test_legends_go(text: str, expected: str) -> None:
    assert clean_text(text).text.strip() == expected


@pytest.mark.parametrize("text", ["The AAA = 5.5 cm.", "SPLEEN=small.", "Liver = normal.", "ADC = low in the lesion."])
def test_values_stay(text: str) -> None:
    assert clean_text(text).text == text
