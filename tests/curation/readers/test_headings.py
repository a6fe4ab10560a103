"""Which phrases are headings, and which section each opens."""

from __future__ import annotations

import pytest

from curation.readers.headings import section_of


@pytest.mark.parametrize(
    ("phrase", "section"),
    [("Technique and findings", "findings"), ("reason for  exam", "history"), ("Liver", None), ("", None)],
)
def test_section_of(phrase: str, section: str | None) -> None:
    assert section_of(phrase) == section
