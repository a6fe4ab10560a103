"""Organs that a clause names only to tell where something else lies, or which of others is meant."""

from __future__ import annotations

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.structure.clauses import Clause
from curation.language.word_lists import BOTH_SIDES_ADJECTIVES, ENDING_STEMS
from curation.verification.organs import is_tube
from prompts.vocabulary import Vocabulary

_CATHETER = "central venous catheter"
_NOT_OF_DISCS = frozenset(("fractur", "swele", "hematoma", "edema"))
"""Last words of what occurs at the level of a disc and not in it."""


def only_tells_where(term: Term, clause: Clause, statement: ParsedStatement, vocabulary: Vocabulary) -> bool:
    """Return whether an organ is named in a clause for its place alone."""
    if term.mention is None or term.mention.device:
        return False
    return (
        _is_place_of_tube(term, clause, statement, vocabulary)
        or _is_access(term, clause, vocabulary)
        or _is_level(term, clause)
        or _qualifies_name(term, clause, statement)
        or _is_region_of(term, clause, statement, vocabulary)
    )


def _is_place_of_tube(term: Term, clause: Clause, statement: ParsedStatement, vocabulary: Vocabulary) -> bool:
    """Return whether an organ only tells where a tube lies, and not how it is: "tip in the stomach"."""
    is_end = not ENDING_STEMS.isdisjoint(statement.stems[clause.segment.start : term.start])
    terms = statement.terms if is_end else clause.terms
    tubes = [other for other in terms if other.end <= term.start and is_tube(vocabulary, other)]
    if not tubes or any(other.polarity == Polarity.NEGATED for other in tubes):
        return False
    others = [other for other in clause.terms if other.mention is None and other not in tubes]
    return not any(other.kind == "finding" and other.entry is not None and not other.attribute for other in others)


def _is_access(term: Term, clause: Clause, vocabulary: Vocabulary) -> bool:
    """Return whether a vessel only tells by which way a catheter goes in: "left subclavian port"."""
    devices = [other for other in clause.terms if other.start == term.end and other.mention and other.mention.device]
    is_vessel = term.mention is not None and term.mention.adjective and "vessels" in _above(term, vocabulary)
    return is_vessel and any(_CATHETER in (*_above(device, vocabulary), device.key) for device in devices)


def _is_level(term: Term, clause: Clause) -> bool:
    """Return whether a disc only tells the level of what is in no disc: "L2-L3 transverse process fractures"."""
    if not term.key.endswith(" disc"):
        return False
    findings = [other for other in clause.segment.findings if not other.attribute]
    return bool(findings) and all(other.key.split()[-1] in _NOT_OF_DISCS for other in findings)


def _qualifies_name(term: Term, clause: Clause, statement: ParsedStatement) -> bool:
    """Return whether an adjective is a part of another name: "intervertebral foramina", "bibasilar pleural fluid"."""
    following = next((other for other in clause.terms if other.start == term.end and other.mention), None)
    if term.mention is None or not term.mention.adjective or following is None:
        return False
    is_for_sides = statement.tokens[term.start].word in BOTH_SIDES_ADJECTIVES
    return is_for_sides or term.key == "intervertebral discs"


def _is_region_of(term: Term, clause: Clause, statement: ParsedStatement, vocabulary: Vocabulary) -> bool:
    """Return whether an organ only names a region of another: "the parietal region of the scalp"."""
    words = [token.word for token in statement.tokens]
    at = term.end + (words[term.end : term.end + 1] == ["region"])
    if words[at - 1] != "region" or words[at : at + 1] != ["of"]:
        return False
    at += 1 + (words[at + 1 : at + 2] == ["the"])
    owner = next((other for other in clause.terms if other.start == at and other.mention), None)
    return owner is not None and not vocabulary.related(term.key, owner.key)


def _above(term: Term, vocabulary: Vocabulary) -> frozenset[str]:
    names = term.mention.names if term.mention else ()
    return frozenset[str]().union(*(vocabulary.ancestors(name) for name in names))
