"""Effusions that name no place, beside the lungs: they are in the pleura, on the side that is stated.

"The lungs are clear, but there is a right effusion", "Nodule in the left lung. Small left effusion."
"""

from __future__ import annotations

from collections.abc import Sequence

from curation.language.assertion import Polarity
from curation.language.parser import StatementParser
from curation.language.structure.clauses import Clause
from curation.verification.organs import effusion_cavity

from .caption_wording import OrganClaim


def cavity_behind_lungs(parser: StatementParser, clause: Clause) -> tuple[str, ...]:
    """Return the pleura for an effusion in a clause behind one of the lungs; nothing for other clauses."""
    segment = clause.segment
    before = [name for t in clause.terms if t.mention and t.end <= segment.start for name in t.mention.names]
    if segment.organs or not before:
        return ()
    is_denied = all(term.polarity == Polarity.NEGATED for term in segment.terms)  # "no infiltrates, effusions, …"
    if segment.verb is None and segment.joiner == "," and not is_denied:
        return ()  # "…, adjacent to the effusion"
    return effusion_cavity(parser, segment.terms, before)


def claims_of_effusions(
    parser: StatementParser, clauses: Sequence[Clause], context: Sequence[str]
) -> list[OrganClaim] | None:
    """Return the claims of a statement about nothing but effusions, which goes on about the lungs; None for others."""
    organs: dict[str, list[Clause]] = {}
    for clause in clauses:
        cavity = effusion_cavity(parser, clause.terms, context)
        if not cavity:
            return None
        for name in cavity:
            organs.setdefault(parser.vocabulary.filed_under(name), []).append(clause)
    return [OrganClaim(organ, tuple(of_organ), None) for organ, of_organ in organs.items()]
