"""Does a caption leave off what turns the meaning of its evidence: a denial, "previously", an exception, a limit?

A caption may say less than its evidence. Where it says too little, the reason is ``negation`` or ``modifier``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from curation.caption import Reason
from curation.language.aspects import NORMAL
from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause
from curation.language.structure.side_pairs import sides_of
from curation.language.word_lists import CLAUSE_ENDS, DEFINITE_ARTICLES, PRESENT_TIME

from .clause_matching import CarriedClause
from .clauses.causes import exchanged_causes
from .denials.exceptions import Related, dropped_exceptions
from .denials.removals import dropped_parts_of_operations, is_removal, names_removal
from .denials.spared_parts import placed_in_spared_parts
from .denials.widened_denials import widened_denials
from .evidence import denies_a_finding
from .refusals import RefusalCause
from .words.negating_prefixes import names_prefix

# Keys of qualifiers without which a finding would be one of today.
_NOT_TO_DROP = frozenset(("time:resolved", "time:near_resolved", "time:previous", "time:prior"))
LARGEST = "size:largest"
# Keys of qualifiers that say it is there today all the same: "the previously seen cyst is unchanged".
_OF_TODAY = frozenset(
    f"time:{change}" for change in "stable persistent increased decreased progressed improved".split()
)


def omissions(
    carried: Sequence[CarriedClause], caption: ParsedStatement, statement: ParsedStatement, organ: str, related: Related
) -> Iterator[RefusalCause]:
    """Yield a cause for each thing that a caption leaves off and that turns the meaning of its evidence.

    ``organ`` is the one that it is filed under; ``related`` tells which organs have to do with each other.
    """
    keys = {term.key for term in caption.terms}
    for clause, index in carried:
        segment = statement.segments[index]
        for term in _meaning_qualifiers(clause, segment, statement):
            if term.key not in keys:
                yield RefusalCause(Reason.MODIFIER, f"leaves off “{statement.text_of(term)}”")
        yield from dropped_exceptions(clause, index, caption, statement, organ, related)
        yield from widened_denials(clause, index, caption, statement)
        if not any(_denies(other) for other, segment_of_other in carried if segment_of_other == index):
            yield from _cut_denial(clause, segment, statement)
        yield from _dropped_largest(clause, segment, caption, statement)
        yield from _dropped_removal(clause, segment, statement)
        yield from dropped_parts_of_operations(clause.terms, segment.terms, caption, statement)
        yield from _dropped_advice(clause, segment, caption, statement)
        yield from _gone_on_its_side(clause, index, caption, statement)
    yield from exchanged_causes(caption, statement)
    yield from placed_in_spared_parts(caption, statement)
    if any(term.is_resolution for term in caption.terms) and not any(term.is_resolution for term in statement.terms):
        yield RefusalCause(Reason.MODIFIER, "the evidence does not say that it was there before")
    if denial_cues(caption) and not _denies_too(statement, caption):
        yield RefusalCause(Reason.NEGATION, "the evidence denies nothing")
    if _denies_twice(caption) and not _denies_twice(statement):
        yield RefusalCause(Reason.NEGATION, "denies twice what the evidence denies once")


def _denies_too(statement: ParsedStatement, caption: ParsedStatement) -> bool:
    """Tell whether the evidence of a caption that denies does so too, or calls normal what has no such finding."""
    if denial_cues(statement) or denies_a_finding(statement.terms) or names_removal(statement):
        return True
    if names_prefix(statement):
        return True
    return denies_a_finding(caption.terms) and any(term.is_normality for term in statement.terms)


def denial_cues(statement: ParsedStatement) -> list[Term]:
    """Return the terms that deny: "no", "was not seen"."""
    return [term for term in statement.terms if term.kind == "negation"]


def _meaning_qualifiers(clause: Clause, segment: Segment, statement: ParsedStatement) -> Iterator[Term]:
    """Yield qualifiers of the evidence without which a finding of the clause would mean another thing."""
    if _NOT_TO_DROP.isdisjoint([term.key for term in segment.terms]):
        return
    findings = {term.key for term in clause.terms if term.kind == "finding"}
    is_current = any(token.word in PRESENT_TIME for token in statement.tokens[segment.start : segment.end]) or any(
        term.key in _OF_TODAY for term in segment.terms
    )
    is_resolved = any(term.is_resolution for term in clause.terms)
    for term in segment.terms:
        if is_resolved and term.key == "time:previous":
            continue  # what has resolved was there before
        if term.key not in _NOT_TO_DROP or (is_current and term.key != "time:resolved"):
            continue
        others = (finding for finding in segment.findings if finding is not term)
        qualifies_finding = any(
            finding.key in findings or (finding.entry is not None and not findings.isdisjoint(finding.entry.kinds))
            for finding in others
        )
        if qualifies_finding:
            yield term


def _dropped_removal(clause: Clause, segment: Segment, statement: ParsedStatement) -> Iterator[RefusalCause]:
    """Yield a cause where a caption names what its evidence calls removed, and does not say so."""
    removal = next((term for term in segment.terms if _is_removal(term)), None)
    if removal is None or any(_is_removal(term) or term.kind == "negation" for term in clause.terms):
        return
    is_of_device = any(term.mention is not None and term.mention.device for term in clause.terms)
    if is_of_device or not any(term.kind == "finding" and not term.attribute for term in clause.terms):
        yield RefusalCause(Reason.NEGATION, f"leaves off “{statement.text_of(removal)}”")


def _gone_on_its_side(
    clause: Clause, index: int, caption: ParsedStatement, statement: ParsedStatement
) -> Iterator[RefusalCause]:
    """Yield a cause where a finding of both sides is claimed of the one on which it is gone.

    "Bilateral hydroureter, resolved on the left and unchanged on the right".
    """
    if denial_cues(caption) or not any(term.key == "side:both" for term in statement.segments[index].terms):
        return
    claimed = sides_of(clause.terms)
    for other in statement.segments[index + 1 :]:
        if other.findings or other.organs:
            return
        gone = [term for term in other.terms if term.kind == "negation"]
        if gone and len(sides_of(other.terms)) == 1 and sides_of(other.terms) <= claimed:
            yield RefusalCause(Reason.NEGATION, f"leaves off “{statement.text_of(gone[0])}”")


def _dropped_advice(
    clause: Clause, segment: Segment, caption: ParsedStatement, statement: ParsedStatement
) -> Iterator[RefusalCause]:
    """Yield a cause where a finding is stated that its evidence only asks to compare with: "correlate with surgery"."""
    advice = segment.terms[0] if segment.terms else None
    if advice is None or not _is_advice(advice) or any(map(_is_advice, caption.terms)):
        return
    is_given = statement.tokens[advice.end].word in DEFINITE_ARTICLES if advice.end < len(statement.tokens) else True
    if not is_given and any(term.kind == "finding" for term in clause.segment.terms):
        yield RefusalCause(Reason.MODIFIER, f"leaves off “{statement.text_of(advice)}”")


def _is_advice(term: Term) -> bool:
    return term.entry is not None and "recommendation" in term.entry.flags


def _is_removal(term: Term) -> bool:
    return term.entry is not None and "absent_organ" in term.entry.flags and not term.entry.organ


def _denies(clause: Clause) -> bool:
    return any(
        term.polarity == Polarity.NEGATED or term.kind == "negation" or is_removal(term) for term in clause.terms
    )


def _cut_denial(clause: Clause, segment: Segment, statement: ParsedStatement) -> Iterator[RefusalCause]:
    """Yield a cause where a caption stops right before its evidence goes on to deny."""
    cue = next((term for term in segment.terms if term.kind == "negation"), None)
    if cue is None:
        return
    keys = {term.key for term in clause.segment.terms}
    if NORMAL in keys and not any(term.key == NORMAL for term in segment.terms):
        return  # what is "not enlarged" is of normal size
    before = [term for term in segment.terms if term.end <= cue.start]
    after = [term for term in segment.terms if term.start >= cue.end]
    if before and not any(term.key in keys for term in after) and any(term.key in keys for term in before):
        word = statement.tokens[cue.start].word
        if word == "not" or not after:
            yield RefusalCause(Reason.NEGATION, f"leaves off “{statement.text_of(cue)}” that follows")


def _dropped_largest(
    clause: Clause, segment: Segment, caption: ParsedStatement, statement: ParsedStatement
) -> Iterator[RefusalCause]:
    """Yield a cause where the size of the largest of several is given to all: "nodules of 9 mm", of the largest."""
    largest = next((term for term in segment.terms if term.key == LARGEST), None)
    if largest is None or not any(term.measure for term in segment.terms):
        return
    measures = [term.measure for term in clause.segment.terms if term.measure and term.measure.bound != "up to"]
    things = [term for term in clause.terms if term.kind in ("finding", "organ") and not term.attribute]
    if measures and any(map(caption.is_plural, things)) and all(term.key != LARGEST for term in caption.terms):
        yield RefusalCause(Reason.MODIFIER, f"leaves off “{statement.text_of(largest)}”")


def _denies_twice(statement: ParsedStatement) -> bool:
    """Tell whether one clause is denied from both its ends: "No effusion was not seen"."""
    return any(
        earlier.entry is not None
        and earlier.entry.negation == "before"
        and (later.entry is None or later.entry.negation == "after")
        and not any(token.word in CLAUSE_ENDS for token in statement.tokens[earlier.end : later.start])
        for earlier, later in pairwise(denial_cues(statement))
    )
