"""Which sizes are those of an earlier day."""

from __future__ import annotations

import pytest

from curation.language.lexicon.lexicon import load_lexicon
from curation.language.numbers.measurements import find_measures
from curation.language.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "today", "earlier"),
    [
        ("14 mm, previously 9 mm", {14}, {9}),
        ("6mm [prev 4mm]", {6}, {4}),
        ("has grown from 9 to 14 mm", {14}, {9}),
        ("widened from 9 mm to 14 mm", {14}, {9}),
        ("2.3 cm (was 1.8 cm on 3/4/2020)", {23}, {18}),
        ("4 mm on 1/2/20, 6 mm today", {6}, {4}),
        ("9 mm in May 2019, now 12 mm", {12}, {9}),
        ("14 mm (prior: 9)", {14}, {9}),
        ("1.4 cm (previously 0.9)", {14}, {9}),
        ("14 mm compared with 9 mm", {14}, {9}),
        ("14 mm versus 9 mm", {14}, {9}),
        ("9 -> 14 mm", {14}, {9}),
        ("9 mm → 14 mm", {14}, {9}),
        ("9 mm three months ago, now 12 mm", {12}, {9}),
        ("measured 9 mm, now measures 12 mm", {12}, {9}),
        ("12 mm, used to be 9 mm", {12}, {9}),
        ("2018: 9 mm, 2020: 12 mm, today 14 mm", {14}, {9, 12}),
        ("On 3/4/2019 the nodule measured 9 mm", set(), {9}),
        ("12 mm; on the study of 2018 it was 9 mm", {12}, {9}),
        ("12 mm (baseline 15 mm)", {12}, {15}),
        ("5 mm, stable since 2019", {5}, set()),
        ("5 mm nodule, unchanged from 03/02/2020", {5}, set()),
        ("Compared with the CT of 3/4/2020, the nodule measures 9 mm", {9}, set()),
        ("nodules of 9 mm and 12 mm", {9, 12}, set()),
        ("from 9 to 14 mm", {9, 14}, set()),
    ],
)  # fmt: skip
def test_days(text: str, today: set[float], earlier: set[float]) -> None:
    measures = [m for m in find_measures(tokenize(text), load_lexicon().numbers) if m.kind == "length"]
    assert {value for measure in measures if measure.role != "earlier" for value in measure.values} == today
    assert {value for measure in measures if measure.role == "earlier" for value in measure.values} == earlier


@pytest.mark.parametrize(
    ("text", "is_earlier"),
    [
        ("The CT of 2019 showed a cyst", True), ("The 2019 study demonstrated a cyst", True),
        ("a cyst seen in May", True),
        ("a cyst noted on 3/4/2019", True), ("a cyst, also seen in 2019", False), ("first described in 2019", False),
        ("unchanged since the CT of 2019", False), ("compared with the CT of 2019 a cyst is seen", False),
        ("resection in 2019", False),
    ],
)  # fmt: skip
def test_a_date_of_an_earlier_look(text: str, is_earlier: bool) -> None:
    (date,) = find_measures(tokenize(text), load_lexicon().numbers)
    assert (date.kind, date.role == "earlier") == ("date", is_earlier)
