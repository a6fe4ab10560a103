"""Sizes "up to" which a thing is: an effusion of 6 mm is one of up to 6 mm; several nodules are not, by one of 6 mm."""

from __future__ import annotations

from collections.abc import Iterable

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.structure.clauses import Clause

from ..evidence import SegmentEvidence


def is_largest_size(term: Term, clause: Clause, caption: ParsedStatement, evidence: SegmentEvidence) -> bool:
    """Tell whether a size "up to" which a finding is follows from the only size, or the largest, that it is given.

    A caption about several things needs evidence about several: another one may be larger.
    """
    claim = term.measure
    if claim is None or claim.bound != "up to":
        return False
    if _names_several(caption, clause.terms) and not _names_several(evidence.statement, evidence.terms):
        return False
    offers = [offer for offer in evidence.terms if offer.measure and offer.measure.kind == claim.kind]
    if not any(offer.measure and offer.measure.carries(claim._replace(bound="")) for offer in offers):
        return False
    sizes = [other for other in evidence.statement.terms if other.measure and other.measure.kind == claim.kind]
    values = [
        value for size in sizes if size.measure and size.measure.role != "earlier" for value in size.measure.values
    ]
    is_plain = all(offer.polarity == term.polarity == Polarity.AFFIRMED for offer in offers)
    return is_plain and max(values) <= max(claim.values) * (1 + 1e-6)


def _names_several(statement: ParsedStatement, terms: Iterable[Term]) -> bool:
    """Tell whether a finding, or lymph nodes, stand in the plural."""
    return any(
        statement.is_plural(term)
        for term in terms
        if (term.kind == "finding" and not term.attribute) or term.key.endswith("lymph nodes")
    )
