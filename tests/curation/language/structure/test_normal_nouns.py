"""The noun that "normal" is said of, where it is not the organ itself."""

from __future__ import annotations

import pytest

from curation.language.aspects import NORMAL
from curation.language.parser import StatementParser
from curation.language.structure.normal_nouns import MANNER, noun_called_normal


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Stomach shows normal folds", "fold"),
        ("The gastric folds are normal", "fold"),
        ("Folds of the stomach are normal", "fold"),
        ("Pancreas: duct normal", "duct"),
        ("The pancreatic valves move normally", MANNER),
        ("The stomach is normal", None),
        ("Normal stomach", None),
        ("The stomach is normal today", None),
        ("The stomach in the field of view is normal", None),
        ("Normal appearance of the stomach", None),
    ],
)
def test_the_head_of_a_phrase_is_called_normal(text: str, key: str | None) -> None:
    statement = StatementParser().parse(text)
    segment = statement.segments[-1]
    normality = next(term for term in segment.terms if term.key == NORMAL)
    assert noun_called_normal(normality, segment, statement) == ({key} if key else frozenset())
