"""Does a caption give a finding the size, grade, time or place of another finding? Gives the reason of that quality.

"A small nodule with a large cavity" says neither "large nodule" nor "small cavity", though it has all of their words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.structure.attachments import PLACES, attachments_of, quality_kind
from curation.language.structure.clauses import Clause

from ..evidence import SegmentEvidence, both_sides
from ..refusals import MEASURE_OF_ANOTHER, OF_ANOTHER, SIDE_OF_ANOTHER, SITE_OF_ANOTHER, Mismatch


def exchanged_qualities(
    clause: Clause, caption: ParsedStatement, evidence: SegmentEvidence
) -> Iterator[tuple[Mismatch, Term]]:
    """Yield the qualities that a clause of a caption has of one head and its evidence only of another."""
    if len(clause.segment.terms) < 2 or evidence.heads < 2:
        return
    offered = attachments_of(evidence.statement)
    heads = [head for head in offered.heads if head in evidence.terms]
    if len(heads) < 2:
        return
    owners_in_caption = attachments_of(caption).owners
    by_head: dict[Term, list[Term]] = {}
    for term in clause.segment.terms:
        owners = owners_in_caption.get(term, ())
        if len(owners) == 1:
            by_head.setdefault(owners[0], []).append(term)
        elif owners and _taken_from_others([term], owners, heads, evidence, offered.owners):
            yield _mismatch(term), term
    for head, qualities in by_head.items():
        for term in _taken_from_others(qualities, [head], heads, evidence, offered.owners):
            yield _mismatch(term), term


def _taken_from_others(
    qualities: Sequence[Term],
    claimed: Sequence[Term],
    heads: Sequence[Term],
    evidence: SegmentEvidence,
    owners: Mapping[Term, Sequence[Term]],
) -> list[Term]:
    """Return the qualities that the evidence has of none of the heads that a caption claims them of.

    ``heads`` and ``owners`` are those of the evidence. Where it does not have such a head, nothing is told.
    """
    fewest: list[Term] | None = None
    for head in claimed:
        same = [other for other in heads if _is_same(head, other, evidence) or other.key in head.parts]
        if not same:
            return []
        for other in same:
            taken = [term for term in qualities if not _may_belong(term, other, evidence, owners)]
            if fewest is None or len(taken) < len(fewest):
                fewest = taken
    return fewest or []


def _may_belong(quality: Term, head: Term, evidence: SegmentEvidence, owners: Mapping[Term, Sequence[Term]]) -> bool:
    """Tell whether a quality of a caption may be one that the evidence has of ``head``."""
    occurrences = [term for term in evidence.terms if _is_same(quality, term, evidence)]
    of = [owner for term in occurrences for owner in owners.get(term, (head,))]
    if not occurrences or any(owner is head or (owner.mention and _is_same(owner, head, evidence)) for owner in of):
        return True  # what is said of nodes is said of those of a station, named as their place
    kind = quality_kind(quality)
    if kind not in PLACES:
        return False
    places = [term for term, heads in owners.items() if head in heads and quality_kind(term) == kind]
    return not any(_is_elsewhere(quality, place, evidence) for place in places)


def _is_same(claim: Term, term: Term, evidence: SegmentEvidence) -> bool:
    """Tell whether a term of the evidence is that of a caption: the word, the value, the organ or a part."""
    if claim.measure:
        return term.measure is not None and term.measure.carries(claim.measure)
    if claim.mention:
        covers = evidence.relations.covers
        names = term.mention.names if term.mention else ()
        return any(covers(organ, name) for organ in claim.mention.names for name in names)
    return claim.kind == term.kind and (claim.key == term.key or claim.key in term.parts)


def _is_elsewhere(quality: Term, place: Term, evidence: SegmentEvidence) -> bool:
    """Tell whether a place of the evidence is another than one of a caption: the other side, another organ."""
    if quality.mention and place.mention:
        return not (_is_same(quality, place, evidence) or _is_same(place, quality, evidence))
    if quality.kind == "finding":
        return quality.key != place.key
    sides, other_sides = _sides(quality, evidence), _sides(place, evidence)
    return bool(sides and other_sides and sides.isdisjoint(other_sides))


def _sides(place: Term, evidence: SegmentEvidence) -> set[str]:
    if place.mention:
        return {side for name in place.mention.names if (side := evidence.relations.organs[name].side)}
    return both_sides(place.key.removeprefix("side:"))


def _mismatch(quality: Term) -> Mismatch:
    if quality.measure:
        return MEASURE_OF_ANOTHER
    if quality.mention:
        return SITE_OF_ANOTHER
    return SIDE_OF_ANOTHER if quality.kind == "side" else OF_ANOTHER
