"""Adjectives that share the noun of a name with the one that they are joined to."""

from __future__ import annotations

import pytest

from ..organ_cases import named


@pytest.mark.parametrize(
    ("text", "organs"),
    [
        ("Degeneration of the cervical and lumbar spine.", {"cervical spine", "lumbar spine"}),
        ("Cervical, thoracic and lumbar spine.", {"cervical spine", "thoracic spine", "lumbar spine"}),
        ("The thoracic and abdominal wall.", {"chest wall", "abdominal wall"}),
        ("Thrombosis of the hepatic and splenic veins.", {"hepatic veins", "splenic vein"}),
        ("Renal and hepatic cysts.", {"left kidney", "right kidney", "liver"}),
        ("Abdominal and pelvic fluid.", {"abdomen", "pelvis"}),
    ],
)
def test_joined_adjectives_share_the_noun_of_a_name(text: str, organs: set[str]) -> None:
    assert named(text) <= organs | {"kidneys"}
    assert len(named(text)) >= 2
    assert not organs - named(text) - {"left kidney", "right kidney"}
