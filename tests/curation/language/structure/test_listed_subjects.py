"""Subjects with a quality of their own take the predicate of their list, where its verb is in the plural."""

from __future__ import annotations

import pytest

from curation.language.parser import StatementParser
from curation.language.structure.listed_subjects import is_listed_subject

PARSER = StatementParser()


@pytest.mark.parametrize(
    ("text", "is_subject"),
    [
        ("The large splenic vein and the portal vein are patent.", True),
        ("The other segments of the liver and the spleen look normal.", True),
        ("A small left kidney and the right kidney is normal.", False),
        ("Liver cysts and the spleen are seen.", False),
        ("The enlarged spleen is soft and the liver is normal.", False),
    ],
)
def test_first_segment(text: str, is_subject: bool) -> None:
    assert is_listed_subject(PARSER.parse(text), 0) is is_subject
