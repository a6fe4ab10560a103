"""Names of organs as people and models write them."""

from __future__ import annotations

import pytest

from curation.language.organ_columns import resolve_organ
from prompts.vocabulary import load_vocabulary


@pytest.mark.parametrize(
    ("name", "organ"),
    [
        ("liver", "liver"),
        ("imaged lung bases", "lung bases"),
        ("lung bases (visualized)", "lung bases"),
        ("visualized bowel", "bowel"),
        ("imaged upper abdomen", "upper abdomen"),
        ("partially imaged left kidney", "left kidney"),
        ("the included bony pelvis", "bony pelvis"),
        ("left leg vessels", "left lower extremity vessels"),
        ("distal left ureter", "left ureter"),
        ("proximal jejunum", "jejunum"),
        # no organ, several of them, another place, or a side that the organ has not
        ("imaged", None),
        ("lesion", None),
        ("liver and spleen", None),
        ("near the kidney", None),
        ("left spleen", None),
        ("left", None),
        ("", None),
    ],
)
def test_the_organ_of_a_column(name: str, organ: str | None) -> None:
    assert resolve_organ(load_vocabulary(), name) == organ
