"""A quality that a prefix denies, or "without": "nonobstructing stone" is "stone without obstruction", and back.

Both deny it of one finding, which must be the same in both. Neither denies it of the organ: a kidney with a
nonobstructing stone is not "without obstruction".
"""

from __future__ import annotations

from collections.abc import Sequence

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.quality_kinds import is_whereabouts
from curation.language.tokens import stem

from ..evidence import RequiredTerm, SegmentEvidence

_PREFIXES = ("non", "un")
_LEAST_STEM = 5
"""Letters that two stems of one word have in common at least: calcifi-ed, calcif-ication."""


def says_with_prefix(
    required: RequiredTerm, segment: Segment, caption: ParsedStatement, evidence: SegmentEvidence
) -> bool:
    """Tell whether the evidence denies by a prefix what the caption denies with "without", or the other way round.

    ``required`` is a term of ``segment`` of the caption.
    """
    term, statement = required.term, evidence.statement
    if term not in segment.terms:
        return False
    if term.polarity == Polarity.NEGATED:
        affirmed = [t for t in evidence.own_terms if t.polarity == Polarity.AFFIRMED]
        offers = [t for t in affirmed if _begins_with_prefix(t, statement)]
        heads = _finding_before(term, segment.terms)
        pairs = ((term, caption, offer, statement, _finding_behind(offer, evidence.own_terms)) for offer in offers)
    elif term.polarity == Polarity.AFFIRMED and _begins_with_prefix(term, caption):
        heads, offers = _finding_behind(term, segment.terms), [t for t in evidence.own_terms if _is_denied(t)]
        pairs = ((offer, statement, term, caption, _finding_before(offer, evidence.own_terms)) for offer in offers)
    else:
        return False
    return any(
        not heads.isdisjoint(others) and _denies_by_prefix(denied, parse, prefixed, prefixed_parse)
        for denied, parse, prefixed, prefixed_parse, others in pairs
    )


def names_prefix(statement: ParsedStatement) -> bool:
    """Tell whether a finding or quality of a statement begins with a prefix that denies: "nondisplaced"."""
    terms = (term for term in statement.terms if term.kind in ("finding", "modifier"))
    return any(_begins_with_prefix(term, statement) for term in terms)


def _begins_with_prefix(term: Term, statement: ParsedStatement) -> bool:
    return statement.tokens[term.start].word.startswith(_PREFIXES)


def _is_denied(term: Term) -> bool:
    return term.polarity == Polarity.NEGATED and term.kind in ("finding", "modifier")


def _denies_by_prefix(denied: Term, parse: ParsedStatement, prefixed: Term, prefixed_parse: ParsedStatement) -> bool:
    """Tell whether a term begins with the word of a denied one, a prefix before it."""
    if prefixed.kind not in ("finding", "modifier") or denied.end - denied.start > 1:
        return False
    word = prefixed_parse.tokens[prefixed.start].word
    rest = next((word.removeprefix(prefix) for prefix in _PREFIXES if word.startswith(prefix)), "")
    root, root_denied = stem(rest) if rest else "", stem(parse.tokens[denied.start].word)
    shorter, longer = sorted((root, root_denied), key=len)
    return len(shorter) >= _LEAST_STEM and longer.startswith(shorter)


def _finding_before(term: Term, terms: Sequence[Term]) -> frozenset[str]:
    """Return the keys of the affirmed finding that stands last before a denied quality."""
    findings = [other for other in terms if other.kind == "finding" and not other.attribute and other.end <= term.start]
    findings = [other for other in findings if not is_whereabouts(other)]
    return _keys(findings[-1]) if findings and findings[-1].polarity == Polarity.AFFIRMED else frozenset()


def _finding_behind(term: Term, terms: Sequence[Term]) -> frozenset[str]:
    """Return the keys of the finding at the end of the noun phrase that opens with ``term``."""
    phrase = [term]
    for other in terms:
        follows = phrase[-1].start <= other.start <= phrase[-1].end < other.end
        if follows and other.kind in ("finding", "modifier", "organ", "side"):
            phrase.append(other)
    findings = [other for other in phrase if other.kind == "finding" and not is_whereabouts(other)]
    return _keys(findings[-1]) if findings and findings[-1].polarity == Polarity.AFFIRMED else frozenset()


def _keys(finding: Term) -> frozenset[str]:
    return frozenset((finding.key, *finding.parts))
