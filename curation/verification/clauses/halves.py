"""The halves of a clause of a caption, where two segments of its evidence carry one each."""

from __future__ import annotations

from dataclasses import replace

from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause
from curation.language.word_lists import ACCOMPANIMENTS, BOTH_SIDES_ADJECTIVES


def split_at_with(clause: Clause, caption: ParsedStatement) -> list[Clause]:
    """Return the halves of a clause before and from "with" or "without", if each has a finding.

    Another segment, about the same organ, may carry the second.
    """
    segment = clause.segment
    inside = range(segment.start + 1, segment.end)
    cut = next((at for at in inside if caption.tokens[at].word in ACCOMPANIMENTS), None)
    if cut is None:
        return []
    first = [term for term in segment.terms if term.start < cut]
    second = [term for term in segment.terms if term.start >= cut]
    if not all(any(term.kind == "finding" for term in half) for half in (first, second)):
        return []
    sites = [term for term in clause.terms if term.mention and term not in second]
    shared = [term for term in clause.terms if term not in segment.terms]
    names_organ = any(term.mention for term in second)
    return [Clause(segment, first + shared), Clause(segment, second if names_organ else second + sites)]


def split_by_side(clause: Clause) -> list[Clause]:
    """Return a clause about both sides of something once for each: "bilateral effusions", found on either side."""
    if not any(_is_of_both_sides(term) for term in clause.terms):
        return []
    return [_on_side(clause, index) for index in (0, 1)]


def _is_of_both_sides(term: Term) -> bool:
    return term.key == "side:both" or (term.mention is not None and term.mention.names == term.mention.pair)


def _on_side(clause: Clause, index: int) -> Clause:
    """Return a clause with the left (0) or right (1) side of what it has of both."""
    names_pair = any(term.mention and _is_of_both_sides(term) for term in clause.terms)
    narrowed: dict[Term, Term | None] = {}
    for term in clause.terms:
        if term.mention and term.mention.pair and _is_of_both_sides(term):
            name = term.mention.pair[index]
            narrowed[term] = replace(term, key=name, mention=replace(term.mention, names=(name,), plural=False))
        elif _is_of_both_sides(term):
            narrowed[term] = None if names_pair else replace(term, key=("side:left", "side:right")[index])

    sided = (narrowed.get(term, term) for term in clause.terms)
    return Clause(clause.segment, [term for term in sided if term is not None], clause.heading)


def repeats_pair(term: Term, segment: Segment) -> bool:
    """Tell whether a term only says that both of an organ's sides are meant, which its mention tells: "both bases"."""
    return term.key in BOTH_SIDES_ADJECTIVES and any(
        other.mention is not None
        and other.mention.names == other.mention.pair
        and term.start < other.end
        and other.start < term.end
        for other in segment.terms
    )
