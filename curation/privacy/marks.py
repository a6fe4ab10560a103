"""Captions that rest on a passage in which something was blanked: they are refused before repeats are left out.

So what one sentence says with a date, and another without, keeps its caption.
"""

from __future__ import annotations

from curation.caption import Spans
from curation.cleaning.redaction_marks import IDENTITY_MARK

PHI_DETAIL = "caption or evidence would tell a name, a date or a number"


def marked_evidence(text: str, spans: Spans) -> str | None:
    """Return the first passage of the evidence in which something was blanked, None where there is none."""
    passages = (text[start:end] for start, end in spans)
    return next((passage for passage in passages if IDENTITY_MARK in passage), None)
