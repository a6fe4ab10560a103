"""Places that a statement names one within the other, where they cannot both be right: "middle lobe of the left lung".

A report that says so is wrong about one of them, and which one is not told. The lobe then stands for itself, and not
for the lung that the vocabulary has it in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curation.language.parsed_statement import Term
from curation.language.word_lists import COORDINATORS, VERBS

from ..evidence import SegmentEvidence
from ..organs import OrganRelations

_OPPOSITES = (frozenset(("upper", "middle", "lower")), frozenset(("left", "right")))
_SAID_OF_A_SITE = frozenset[str]().union(*_OPPOSITES)
_WITHIN = frozenset(("of", "in", "within"))
_PARTING = COORDINATORS | VERBS | frozenset((",", ";", ":", "(", ")", "with", "without", "from", "to"))


def is_placed_elsewhere(name: str, term: Term, evidence: SegmentEvidence, stems: Sequence[str]) -> bool:
    """Tell whether organ ``term`` of the evidence, which would stand for ``name``, is placed at another site than that.

    "Middle lobe of the left lung" is not in the right lung, nor is "the left lung, in different places of both lungs".
    ``stems`` are those of the wording of the caption. Where it states no side, "middle lobe" is what both say.
    """
    states_side = "left" in stems or "right" in stems
    names = term.mention.names if term.mention else ()
    if names == (name,) and _SAID_OF_A_SITE.isdisjoint(stems):
        return False
    before = [other for other in evidence.own_terms if other.mention and other.end == term.start]
    offered = evidence.statement.stems[min((other.start for other in before), default=term.start) : term.end]
    if term not in evidence.own_terms:
        offered = []  # "right kidney", of which "and the left is enlarged" takes the noun
    for group in _OPPOSITES:
        claimed, there = group.intersection(stems), group.intersection(offered)
        if claimed and there and claimed.isdisjoint(there):
            return True  # "upper lobe laterobasal segment": that is one of the lower lobe
    relations = evidence.relations
    if names == (name,) and not states_side:
        return False
    if name not in names or states_side:
        if any(_excludes(place, name, relations) for place in _places_behind(term, evidence)):
            return True
    organ = relations.organs.get(name)
    return (organ is not None and organ.side is not None) and any(
        other.mention is not None
        and len(other.mention.names) == 1
        and relations.is_other_side(name, other.key)
        and term in _places_behind(other, evidence)
        for other in evidence.own_terms
    )


def _excludes(place: Term, name: str, relations: OrganRelations) -> bool:
    """Tell whether what is in a place is not in ``name``: the other side, or a neighbour in the same whole."""
    names = place.mention.names if place.mention else ()
    if any(relations.covers(name, other) or relations.covers(other, name) for other in names):
        return False
    sides = {relations.organs[other].side for other in names}
    if relations.organs[name].side and None not in sides:
        return relations.organs[name].side not in sides
    parents = set(relations.organs[name].parents)
    return any(not parents.isdisjoint(relations.organs[other].parents) for other in names)


def _places_behind(term: Term, evidence: SegmentEvidence) -> Iterator[Term]:
    """Yield the organs that a statement names behind one as the place that it is in: "the apex of the left lung"."""
    tokens, end = evidence.statement.tokens, term.end
    for other in evidence.own_terms:
        if other.mention is None or other.start < end:
            continue
        between = [token.word for token in tokens[end : other.start]]
        if _WITHIN.isdisjoint(between) or not _PARTING.isdisjoint(between):
            return
        yield other
        end = other.end
