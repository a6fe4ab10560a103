"""The change between two days follows from the sizes that two statements tell, and nothing else does."""

from __future__ import annotations

import pytest

from ..caption_cases import verify

GROWN = "Nodule in the left lower lobe measures 12 mm. It previously measured 9 mm. The right lung is clear."
STABLE = "A cyst of 21 mm in the spleen. On the prior study it measured 21 mm."
TWO = "A 12 mm nodule in the left lower lobe and a cyst. It previously measured 9 mm."
ONE = "Pericardial mass of 4.1 x 2.8 cm, previously 8.9 x 6.7 cm."

ACCEPTED = [
    (GROWN, "left lower lobe", "Left lower lobe nodule has increased from 9 mm to 12 mm."),
    (GROWN, "left lower lobe", "Left lower lobe nodule of 12 mm, larger than before."),
    (STABLE, "spleen", "Stable 21 mm splenic cyst."),
    (ONE, "pericardium", "Pericardial mass, smaller than before, 4.1 x 2.8 cm."),
    (ONE, "pericardium", "Pericardial mass decreased from 8.9 x 6.7 to 4.1 x 2.8 cm."),
]
REFUSED = [
    (GROWN, "left lower lobe", "Left lower lobe nodule has increased from 12 mm to 9 mm."),
    (GROWN, "left lower lobe", "Left lower lobe nodule of 12 mm, smaller than before."),
    (GROWN, "left lower lobe", "Left lower lobe nodule of 9 mm."),
    (GROWN, "left lower lobe", "Left lower lobe nodule, markedly increased to 12 mm."),
    (STABLE, "spleen", "Splenic cyst, increased to 21 mm."),
    (TWO, "left lower lobe", "Left lower lobe nodule has increased from 9 mm to 12 mm."),
    (ONE, "pericardium", "Pericardial mass, markedly smaller than before."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_a_change_follows_from_the_sizes_of_two_days(report: str, organ: str, caption: str) -> None:
    assert verify(report, organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), REFUSED)
def test_a_change_that_the_sizes_do_not_tell_is_refused(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
