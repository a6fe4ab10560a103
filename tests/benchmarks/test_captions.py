"""The caption benchmarks: what readers worded, and reports of which a statement was changed."""

from __future__ import annotations

import pytest

from benchmarks.quality.captions.statements import document
from benchmarks.quality.reader_captions import CAPTIONS, read_captions, verify
from curation.report import Section

MOST_WRONG, LEAST_FAITHFUL = 0.02, 0.5
"""Shares of the readers' wrong captions that may be accepted, and of their faithful ones that must be."""


def test_what_readers_call_wrong_is_refused_and_half_of_the_faithful_are_kept() -> None:
    captions = list(read_captions(CAPTIONS, "all"))
    answers = verify(captions)
    accepted = [answer.accepted for answer in answers]
    wrong = [yes for row, yes in zip(captions, accepted, strict=True) if not row.accept]
    faithful = [yes for row, yes in zip(captions, accepted, strict=True) if row.accept]
    assert sum(wrong) <= MOST_WRONG * len(wrong)
    assert sum(faithful) >= LEAST_FAITHFUL * len(faithful)


def test_a_changed_statement_moves_the_sections_behind_it() -> None:
    text = "The liver is normal. IMPRESSION: No cyst."
    doc = document("own", "1", text, (Section("findings", 0, 20), Section("impression", 33, 41)))
    changed = doc.with_statement("The liver is normal.", "The rest of the liver is normal.")
    bodies = [changed.text[section.start : section.end] for section in changed.sections]
    assert bodies == ["The rest of the liver is normal.", "No cyst."]
    with pytest.raises(ValueError, match="not once"):
        doc.with_statement("The spleen", "")
