"""A word of change needs its own direction: that both speak of a size is not enough."""

from __future__ import annotations

import pytest

from ..caption_cases import verify


@pytest.mark.parametrize(
    ("report", "organ", "caption", "follows"),
    [
        ("The nodule in the left lower lobe is 12 mm in size.", "left lower lobe", "Growing nodule of 12 mm.", False),
        ("The liver is enlarged in size.", "liver", "The liver is shrunken in size.", False),
        ("Nodules in the left lung, stable in size.", "left lung", "Left lung nodules, growing in size.", False),
        ("No node enlarged in size at the left hilum.", "lymph nodes", "No shrunken left hilar node.", False),
        ("The nodule in the left lower lobe has grown in size.", "left lower lobe", "Growing nodule.", True),
        ("The nodule in the lingula has decreased in size.", "lingula", "Shrunken lingular nodule.", True),
    ],
)
def test_a_word_of_change_is_not_carried_by_a_word_for_size(
    report: str, organ: str, caption: str, follows: bool
) -> None:
    assert verify(report, organ, caption).accepted is follows
