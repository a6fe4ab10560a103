"""Organs that were taken out: "cholecystectomy", "the gallbladder was removed", "surgically absent gallbladder".

All of these say the same, and that the organ is absent. An operation that takes only a part of an organ does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from curation.caption import Reason
from curation.language.assertion import Polarity
from curation.language.doubt_and_past_words import PARTIAL_REMOVAL_STEMS, REMOVAL_STEMS, WORDS_ABOUT_REMOVAL_STEMS
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.word_lists import POSITION_STEMS

from ..evidence import SegmentEvidence
from ..organs import resected_lobe, stated_sides
from ..refusals import RefusalCause

_REACH_OF_PART = 2
"""Words before an operation among which stands that it took only a part."""

_BOTH_SIDES = "extent:bilateral"
"""Key of "bilateral" inside the name of an operation."""
_STATED = (Polarity.AFFIRMED, Polarity.ATTRIBUTED)


def calls_only_absent(terms: Sequence[Term]) -> bool:
    """Tell whether a clause says no more than that an organ is absent, or was taken out."""
    return any(term.kind == "negation" or _is_absence(term) for term in terms) and _tells_of_removal(terms)


def carries_removal(terms: Sequence[Term], evidence: SegmentEvidence) -> bool:
    """Tell whether the organs that a clause of a caption only calls absent are taken out in its evidence."""
    if not PARTIAL_REMOVAL_STEMS.isdisjoint(evidence.statement.stems):
        return False
    removes = any(is_removal(term) or resected_lobe(evidence.parser, term, evidence.terms) for term in evidence.terms)
    offered = evidence.terms if removes else evidence.statement.terms
    if offered is not evidence.terms and not _tells_of_removal(offered):
        return False
    removed = removed_organs(evidence.parser, offered)
    claimed = _claimed_organs(evidence.parser, terms)
    return bool(removed) and (claimed <= removed if claimed else len(removed) == 1)


def names_removal(statement: ParsedStatement) -> bool:
    """Tell whether a statement calls a whole organ taken out."""
    is_whole = PARTIAL_REMOVAL_STEMS.isdisjoint(statement.stems)
    operated = any(map(_is_operation, statement.terms)) and any(term.kind == "negation" for term in statement.terms)
    return is_whole and (operated or any(map(is_removal, statement.terms)))


def is_removal(term: Term) -> bool:
    """Tell whether a term says that a whole organ was taken out, and not only that it is absent or never grew."""
    entry = term.entry
    if entry is None or not _is_absence(term) or term.polarity not in _STATED or "partial_operation" in entry.flags:
        return False
    words = entry.key.split()
    return any(word in REMOVAL_STEMS or "ectom" in word for word in words)


def removed_organs(parser: StatementParser, terms: Sequence[Term]) -> frozenset[str]:
    """Return the organs that ``terms`` call taken out as a whole, each on the side that is stated beside it."""
    removed: set[str] = set()
    for term in terms:
        if term.polarity in _STATED and (lobe := resected_lobe(parser, term, terms)):
            removed.add(lobe)
        if term.entry is not None and term.entry.organ and is_removal(term):
            removed.update(_on_stated_side(parser, term, terms))
    if any(is_removal(term) and term.entry and not term.entry.organ for term in terms):
        removed |= _absent_organs(terms, is_negated=False)
    if any(map(_is_operation, terms)):  # "the uterus was not seen secondary to surgery"
        removed |= _absent_organs(terms, is_negated=True)
    return frozenset(removed)


def dropped_parts_of_operations(
    terms: Iterable[Term], offered: Iterable[Term], caption: ParsedStatement, statement: ParsedStatement
) -> Iterator[RefusalCause]:
    """Yield a cause where a caption leaves off that an operation took only a part: "left partial nephrectomy"."""
    claimed = {term.key for term in terms}
    for offer in offered:
        entry = offer.entry
        if entry is None or claimed.isdisjoint((offer.key, *offer.parts)):
            continue
        if _is_absence(offer) or "operation" in entry.flags:
            words = statement.stems[max(0, offer.start - _REACH_OF_PART) : offer.end]
            parts = PARTIAL_REMOVAL_STEMS.intersection(words)
            if parts and parts.isdisjoint(caption.stems):
                yield RefusalCause(Reason.MODIFIER, f"leaves off “{min(parts)}”, of an operation on a part")


def _claimed_organs(parser: StatementParser, terms: Sequence[Term]) -> frozenset[str]:
    """Return the organs that ``terms`` call absent, for whatever reason."""
    named = _absent_organs(terms, is_negated=not any(map(_is_absence, terms)))
    return removed_organs(parser, terms) | named


def _tells_of_removal(terms: Sequence[Term]) -> bool:
    """Tell whether terms only say that an organ is absent, or was taken out."""
    return all(
        (term.kind == "organ" and not (term.mention and term.mention.device))
        or term.kind in ("side", "negation")
        or term.attribute
        or term.implied
        or term.key in WORDS_ABOUT_REMOVAL_STEMS
        or (term.key in POSITION_STEMS and any(_names_lobectomy(other) for other in terms))
        or term.key == "time:previous"
        or _is_operation(term)
        or _is_absence(term)
        for term in terms
    )


def _absent_organs(terms: Sequence[Term], is_negated: bool) -> frozenset[str]:
    """Return the organs that are the subject of an absence: that are denied, or of which nothing else is said."""
    if any(term.kind in ("finding", "measure") and not _tells_of_removal([term]) for term in terms):
        return frozenset()
    return frozenset(
        name
        for term in terms
        if term.mention and not term.mention.place and not term.mention.device
        if not is_negated or term.polarity == Polarity.NEGATED
        for name in term.mention.names
    )


def _names_lobectomy(term: Term) -> bool:
    return term.key == "lobectomi"


def _is_absence(term: Term) -> bool:
    return term.entry is not None and "absent_organ" in term.entry.flags


def _is_operation(term: Term) -> bool:
    return term.entry is not None and "operation" in term.entry.flags and term.polarity in _STATED


def _on_stated_side(parser: StatementParser, removal: Term, terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the organs that an operation takes, on the side that is stated beside it or that its name holds."""
    organ = removal.entry.organ if removal.entry else None
    name = parser.organ_finder.resolve(organ) if organ else None
    if name is None:
        return ()
    pair, sides = parser.vocabulary.sided(name), stated_sides(terms)
    if not sides and _BOTH_SIDES in removal.parts:
        sides = {"both"}
    if pair is None:
        return (name,)
    if len(sides) == 1 and "both" not in sides:
        return (pair[0],) if "left" in sides else (pair[1],)
    return (name, *pair) if "both" in sides else ()
