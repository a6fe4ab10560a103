"""Changes between two days have one meaning, whatever words tell them; a mere comparison is none."""

from __future__ import annotations

import pytest

from curation.language.parser import StatementParser

PARSER = StatementParser()


def changes(text: str) -> set[str]:
    return {term.key for term in PARSER.parse(text).terms if term.key.startswith("time:") and not term.implied}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("The cyst is larger than before", "time:increased"),
        ("The cyst has slightly increased in size", "time:increased"),
        ("Interval increase in size of the cyst", "time:increased"),
        ("The cyst is larger compared to the prior study", "time:increased"),
        ("Enlarging cyst", "time:increased"),
        ("Enlarging lymph nodes", "time:increased"),
        ("The cyst is smaller than previously", "time:decreased"),
        ("The cyst has shrunk", "time:decreased"),
        ("Fibrosis is more pronounced than before", "time:increased"),
    ],
)
def test_a_change_has_one_meaning(text: str, change: str) -> None:
    assert changes(text) == {change}


@pytest.mark.parametrize(
    "text",
    [
        "The left kidney is larger than the right",
        "Effusions, larger on the right",
        "The spleen is increased in size",
        "Enlarged lymph nodes",
        "Fibrosis is more pronounced at the bases",
        "The largest cyst is in segment 4",
    ],
)
def test_a_comparison_with_another_thing_is_none(text: str) -> None:
    assert changes(text) == set()
