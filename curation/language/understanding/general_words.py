"""Words that are understood without being listed in the lexicon: general English of reports, and endings of findings."""

from __future__ import annotations

from ..tokens import stem

FINDING_ENDINGS = ("itis", "oma", "omas", "omata", "osis", "oses", "megaly")
NO_FINDINGS_BY_ENDING = ("diagnosis", "diagnoses")


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


GENERAL_STEMS = _stems("")
