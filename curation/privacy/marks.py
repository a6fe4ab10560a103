"""Captions that rest on a passage in which something was blanked: they are refused before repeats are left out.

So what one sentence says with a date, and another without, keeps its caption.
"""

from __future__ import annotations

from curation.cleaning.redaction_marks import IDENTITY_MARK

PHI_DETAIL = "caption or evidence would tell a name, a date or a number"


def marked_evidence(text: str, start: int, end: int) -> str | None:
    """Return the evidence ``text[start:end]`` if something was blanked in it, None otherwise."""
    evidence = text[start:end]
    return evidence if IDENTITY_MARK in evidence else None
