"""Recognises statements that are no findings of this examination: technique, limitation, advice, earlier findings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from curation.language.doubts.examination_words import (
    COVERING_STEMS,
    DOCUMENTS,
    DOING_STEMS,
    EXAMINATIONS,
    FURTHER_EXAMINATION_STEMS,
    HARD_STEMS,
    JUDGEMENT_STEMS,
    JUDGING_STEMS,
    MISSING_STEMS,
    MODALS,
    PARTLY_STEMS,
    WHOLLY_STEMS,
)
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause
from curation.language.word_lists import (
    ADVICE_STEMS,
    ASSESSMENT_STEMS,
    EARLIER_EXAMINATION_STEMS,
    EXAMINATION_STEMS,
    LIMITATION_STEMS,
    LIST_JOINERS,
    NOT_WORDS,
    PLACE_OPENERS,
    REASON_JOINERS,
)

_WORDS, _STEMS = MODALS | EXAMINATIONS | DOCUMENTS, JUDGING_STEMS | JUDGEMENT_STEMS | COVERING_STEMS
_REACH_OF_VERB = 3
"""Tokens between a verb and what belongs to it: "is rather difficult", "could still not"."""


def without_non_findings(clauses: Sequence[Clause], statement: ParsedStatement) -> list[Clause]:
    """Return the clauses without technique, limitation and advice, and without the reasons given for them."""
    findings: list[Clause] = []
    dropped: list[Segment] = []
    skipping = False
    for at, clause in enumerate(clauses):
        gives_reason = clause.segment.joiner in REASON_JOINERS
        skipping = is_non_finding(clause.segment, statement) or (skipping and gives_reason)
        if skipping or _is_listed_with_non_finding(clauses, at, statement):
            dropped.append(clause.segment)
        else:
            findings.append(clause)
    return [clause for clause in findings if not _is_of_dropped(clause, dropped)] if dropped else findings


def _is_of_dropped(clause: Clause, dropped: Sequence[Segment]) -> bool:
    """Return whether a clause has its organs from clauses that are no findings: "For want of contrast, …"."""
    if any(term.entry and term.entry.organ for term in clause.segment.findings):
        return False
    organs = [term for term in clause.terms if term.mention]
    return bool(organs) and all(any(s.start <= term.start < s.end for s in dropped) for term in organs)


def _is_listed_with_non_finding(clauses: Sequence[Clause], at: int, statement: ParsedStatement) -> bool:
    """Return whether a name is one of several of which nothing was seen: "The conus and cord cannot be assessed"."""
    for clause, following in pairwise(clauses[at:]):
        joiners = following.segment.joiner.split()
        if not clause.segment.silent or any(joiner not in LIST_JOINERS for joiner in joiners):
            return False
        if is_non_finding(following.segment, statement):
            return True
    return False


def is_non_finding(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment is true of the examination (technique, limitation, advice) or of an earlier one."""
    return _is_earlier_finding(segment, statement) or tells_of_examination(segment, statement)


def tells_of_examination(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment tells of technique, of what was not shown, or of what is advised."""
    if _is_plan(segment, statement):
        return True
    has_words = not _WORDS.isdisjoint(statement.words) or not _STEMS.isdisjoint(statement.stems)
    if has_words and any(tells(segment, statement) for tells in (_is_title, _is_not_shown, _is_partly_shown, _advises)):
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


def _is_plan(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment names an examination and when it is to be made: "Chest radiograph in 2 hours"."""
    if segment.verb is not None or not any(t.measure and t.measure.kind == "duration" for t in segment.terms):
        return False
    stems = statement.stems[segment.start : segment.end]
    return not FURTHER_EXAMINATION_STEMS.isdisjoint(stems) and not any(
        term.entry and is_observation(term) for term in segment.terms
    )


def _is_not_shown(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment tells what could not be seen: "small lesions could not be evaluated"."""
    stems = statement.stems[segment.start : segment.end]
    if not JUDGING_STEMS.isdisjoint(stems):
        denied = _first(segment, [token.word in NOT_WORDS for token in statement.tokens])
        hard = _first(segment, [word in HARD_STEMS for word in statement.stems])
        return _governs(segment, denied) or _governs(segment, hard) or _is_denied_a_judgement(segment, statement)
    if not JUDGEMENT_STEMS.isdisjoint(stems):
        return _is_denied_a_judgement(segment, statement)
    return _governs(segment, _modal(segment, statement)) and not MISSING_STEMS.isdisjoint(stems)


def _is_denied_a_judgement(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether "no" leaves nothing known: "No injury can be assessed", "No comment can be made on the vein"."""
    cue = _first(segment, [token.word == "no" for token in statement.tokens])
    if cue is None:
        return False
    noun = next((at for at in range(cue + 1, segment.end) if statement.stems[at] in JUDGEMENT_STEMS), segment.end)
    if noun - cue <= _REACH_OF_VERB and not any(cue < term.start < noun and term.mention for term in segment.terms):
        return True
    modal = _modal(segment, statement)
    behind = statement.stems[modal : segment.end] if modal is not None and modal > cue else []
    return not JUDGING_STEMS.isdisjoint(behind)


def _is_title(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment names an examination or a form: "Abdominal trauma CT", "Ovarian cancer template"."""
    words = [token.word for token in statement.tokens[segment.start : segment.end] if token.word[0].isalpha()]
    if segment.verb is not None or len(words) < 2 or any(term.measure for term in segment.terms):
        return False
    # In capitals an examination may stand anywhere in its title: "TRAUMA CT KNEE (LEFT)".
    in_capitals = statement.text.isupper() and ":" not in statement.text and not EXAMINATIONS.isdisjoint(words)
    judges = any(
        term.entry and ("normality" in term.entry.flags or term.entry.modifier == "time") for term in segment.terms
    )
    names = words[-1] in EXAMINATIONS | DOCUMENTS or (in_capitals and not judges)
    ends = names and not PLACE_OPENERS.union(("with", "by", "prior")).intersection(words)
    denies = any(term.kind in ("negation", "hedge") for term in segment.terms)
    return not denies and segment.start == 0 and (words[0] in EXAMINATIONS or ends)


def _is_partly_shown(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment only tells how much of an organ was seen: "partially included in the sections"."""
    stems = statement.stems[segment.start : segment.end]
    finds = any(term.entry and is_observation(term) and not term.entry.modifier for term in segment.findings)
    is_partly = not PARTLY_STEMS.isdisjoint(stems) or ("not" in stems and not WHOLLY_STEMS.isdisjoint(stems))
    return is_partly and not COVERING_STEMS.isdisjoint(stems) and not finds


def _advises(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment says what may be done next: "MRI of the liver would help", "CT could be repeated"."""
    modal = _modal(segment, statement)
    if modal is None or not _governs(segment, modal):
        return False
    is_done = not DOING_STEMS.isdisjoint(statement.stems[modal : segment.end])
    return is_done and not FURTHER_EXAMINATION_STEMS.isdisjoint(statement.stems[segment.start : segment.end])


def _modal(segment: Segment, statement: ParsedStatement) -> int | None:
    if MODALS.isdisjoint(statement.words):
        return None
    return _first(segment, [token.word in MODALS for token in statement.tokens])


def _first(segment: Segment, marked: Sequence[bool]) -> int | None:
    """Return the first token of a segment that is marked."""
    return next((at for at in range(segment.start, segment.end) if marked[at]), None)


def _governs(segment: Segment, at: int | None) -> bool:
    """Return whether a word stands at the verb of a segment, so that all of it is said so.

    In "a lesion is seen, which cannot be characterized" the lesion is seen.
    """
    return at is not None and (segment.verb is None or segment.verb >= at - _REACH_OF_VERB)


def _is_earlier_finding(segment: Segment, statement: ParsedStatement) -> bool:
    """Return whether a segment tells of an earlier examination alone: "In the previous CT there is a consolidation".

    A comparison with today is a finding of today.
    """
    stems = statement.stems[segment.start : segment.end]
    if EARLIER_EXAMINATION_STEMS.isdisjoint(stems) or not any(
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
