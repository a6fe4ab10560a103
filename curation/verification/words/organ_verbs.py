"""Verbs that say no more than that a finding is in an organ: "consolidation involving the lower lobe".

"Mass near the aorta" says nothing of the kind, and neither does a "cyst containing a stone", which joins two findings.
"""

from __future__ import annotations

from collections.abc import Sequence

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.word_lists import ARTICLES, HOLDING_STEMS, INSIDE_PREPOSITIONS, INVOLVING_STEMS, SIDES

from ..evidence import RequiredTerm, SegmentEvidence


def joins_organ(term: Term, stem: str, terms: Sequence[Term]) -> bool:
    """Tell whether a verb stands between a finding and its organ: "involving the liver", "the liver contains"."""
    if stem in INVOLVING_STEMS:
        behind = [other for other in terms if other.start >= term.end and other.kind not in ("side", "modifier")]
        return bool(behind) and _is_organ(behind[0])
    if stem in HOLDING_STEMS:
        before = [other for other in terms if other.end <= term.start and other.kind not in ("side", "modifier")]
        behind = [other for other in terms if other.start >= term.end]
        return bool(before) and _is_organ(before[-1]) and any(other.kind == "finding" for other in behind)
    return False


def only_joins_organ(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence has a finding in all organs of the clause: "in the liver", not "compressing it"."""
    organs = set(required.clause.organs)
    if not required.joins_organ or required.term.polarity != Polarity.AFFIRMED or not organs:
        return False
    inside = (term.mention.names for term in evidence.organs if term.mention and is_inside(term, evidence.statement))
    return organs <= {name for names in inside for name in names}


def is_inside(organ: Term, statement: ParsedStatement) -> bool:
    """Tell whether the word before an organ, apart from articles and sides, is "in" or its like."""
    tokens = statement.tokens
    at = organ.start - 1
    while at >= 0 and (tokens[at].word in ARTICLES or tokens[at].word in SIDES):
        at -= 1
    return at >= 0 and tokens[at].word in INSIDE_PREPOSITIONS


def _is_organ(term: Term) -> bool:
    return term.mention is not None and not term.mention.device
