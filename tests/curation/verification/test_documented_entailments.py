"""Each row of the tables in docs/verification.md: what follows from what, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.readers.sections import split_sections
from tests.curation.verification.caption_cases import read, verifier

PAGE = Path(__file__).parents[3] / "docs" / "verification.md"


def documented_rows() -> list[tuple[str, ...]]:
    """Return report, organ, caption and answer of each row of the tables about what follows."""
    _, _, behind = PAGE.read_text(encoding="utf-8").partition("## What follows from what")
    lines = behind.partition("\n## ")[0].splitlines()
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("| ")]
    return [row for row in rows if row[-1] in ("yes", "no")]


ROWS = documented_rows()


def test_the_page_has_tables() -> None:
    assert len(ROWS) > 50
    assert {row[-1] for row in ROWS} == {"yes", "no"}


@pytest.mark.parametrize(("report", "organ", "caption", "follows"), ROWS)
def test_what_the_page_says_is_so(report: str, organ: str, caption: str, follows: str) -> None:
    verdict = verifier().verify(read(report, *split_sections(report)), organ, caption)
    assert verdict.accepted == (follows == "yes"), verdict
