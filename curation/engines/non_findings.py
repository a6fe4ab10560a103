"""Recognises statements that are no findings of this examination: technique, limitation, advice, earlier findings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause
from curation.language.word_lists import (
    ADVICE_STEMS,
    ASSESSMENT_STEMS,
    EARLIER_EXAMINATION_STEMS,
    EXAMINATION_STEMS,
    LIMITATION_STEMS,
    REASON_JOINERS,
)


def without_non_findings(clauses: Sequence[Clause], statement: ParsedStatement) -> list[Clause]:
    """Return the clauses without technique, limitation and advice, and without the reasons given for them."""
    findings: list[Clause] = []
    skipping = False
    for clause in clauses:
        gives_reason = clause.segment.joiner in REASON_JOINERS
        skipping = _is_non_finding(clause.segment, statement) or (skipping and gives_reason)
        if not skipping:
            findings.append(clause)
    return findings


def _is_non_finding(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment is true of the examination (technique, limitation, advice) or of an earlier one."""
    if _is_earlier_finding(segment, statement):
        return True
    flags = {
        flag
        for match in statement.matches
        if match.start < segment.end and match.end > segment.start
        for flag in match.entry.flags
    }
    if not flags.intersection(("recommendation", "limitation")):
        return False
    stems = statement.stems[segment.start : segment.end]
    if "limitation" in flags and not ASSESSMENT_STEMS.isdisjoint(stems) and not LIMITATION_STEMS.isdisjoint(stems):
        return True  # "bowel loops cannot be evaluated for lack of contrast"
    is_advice = any(word in ADVICE_STEMS for word in stems)
    return is_advice or not any(is_observation(term) for term in segment.terms)


def _is_earlier_finding(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment tells of an earlier examination alone: "In the previous CT there is a consolidation".

    A comparison with today is a finding of today.
    """
    stems = statement.stems[segment.start : segment.end]
    if not any(
        word in EARLIER_EXAMINATION_STEMS and following in EXAMINATION_STEMS for word, following in pairwise(stems)
    ):
        return False
    is_comparison = any(term.kind == "negation" or _is_change(term) for term in segment.terms)
    return not is_comparison and any(is_observation(term) and term.kind == "finding" for term in segment.terms)


def _is_change(term: Term) -> bool:
    return term.entry is not None and term.entry.modifier == "time" and term.key != "time:previous"


def is_observation(term: Term) -> bool:
    """Return whether a term says something of an organ: a finding, a quality or a length."""
    if term.measure is not None:
        return term.measure.kind == "length"
    return term.kind in ("finding", "modifier") and term.entry is not None and not term.attribute
