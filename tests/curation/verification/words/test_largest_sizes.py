"""A size "up to" which a thing is follows from its only size; of several things, from the largest of several."""

from __future__ import annotations

import pytest

from ..caption_cases import verify


@pytest.mark.parametrize(
    ("report", "organ", "caption", "follows"),
    [
        ("Pericardial effusion, 6 mm thick.", "pericardium", "Pericardial effusion of up to 6 mm.", True),
        ("Pericardial effusion, 6 mm thick.", "pericardium", "Pericardial effusion of up to 9 mm.", False),
        ("The jejunum is dilated, 38 mm.", "jejunum", "Jejunal dilatation up to 38 mm.", True),
        ("Nodules of 4 and 9 mm in the lungs.", "lungs", "Lung nodules up to 9 mm.", True),
        ("Nodules of 4 and 9 mm in the lungs.", "lungs", "Lung nodules up to 4 mm.", False),
        ("A 6 mm nodule in the lingula. A 9 mm nodule in the right lung.", "lungs", "Lung nodules up to 6 mm.", False),
        ("A 6 mm nodule in the lingula. Nodules in the right lung.", "lungs", "Lung nodules up to 6 mm.", False),
        ("Possible cyst of 6 mm in the spleen.", "spleen", "Splenic cyst of up to 6 mm.", False),
    ],
)
def test_a_bound_follows_from_a_size(report: str, organ: str, caption: str, follows: bool) -> None:
    assert verify(report, organ, caption).accepted is follows
