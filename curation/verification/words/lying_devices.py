"""Words that say no more of a device than where it lies or ends: "a bladder containing a catheter", "in situ"."""

from __future__ import annotations

from curation.language.assertion import Polarity
from curation.language.word_lists import ENDING_STEMS, LYING_STEMS

from ..evidence import RequiredTerm, SegmentEvidence


def gives_place(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether a word only gives the place of a device, which the organs beside it tell.

    That a device ends somewhere must be in the evidence: it may only pass through.
    """
    if not required.clause.device or not required.stems or required.term.polarity != Polarity.AFFIRMED:
        return False
    if LYING_STEMS.issuperset(required.stems):
        return True
    return ENDING_STEMS.issuperset(required.stems) and not ENDING_STEMS.isdisjoint(evidence.statement.stems)
