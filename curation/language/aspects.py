"""What "normal" is said of: an organ as such, or an aspect of it ("normal in size and contour").

Words of one aspect (size, dimension) stand for each other; the lexicon lists them under ``aspects``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .parsed_statement import ParsedStatement, Segment, Term

NORMAL = "normal"
"""Key of "normal", "unremarkable", "within normal limits"."""


def normal_aspects(normality: Term, segment: Segment | None, statement: ParsedStatement) -> frozenset[str]:
    """Return the aspects of which a segment says what ``normality`` says; none where it speaks of the organ as such.

    A predicate that the segment shares with another is about the segment's own aspects, or else about those it has
    there: "kidney sizes and contours are normal".
    """
    if segment is not None and normality not in segment.terms and (own := _aspects(segment.terms)):
        return own
    index = next((at for at, other in enumerate(statement.segments) if normality in other.terms), None)
    if index is None:
        return frozenset()
    terms = statement.segments[index].terms
    at = terms.index(normality)
    if index and not any(term.attribute or term.kind == "organ" for term in terms):
        return _aspects(statement.segments[index - 1].terms)  # "its diameter is 28 mm, and is normal"
    before = (term for term in reversed(terms[:at]) if term.kind not in ("negation", "hedge"))  # "size is not normal"
    return _aspects(_run(terms[at + 1 :])) or _aspects(_run(before))


def _run(terms: Iterable[Term]) -> Iterable[Term]:
    """Yield terms up to the first that is neither an attribute nor an organ: what "normal" reaches over."""
    for term in terms:
        if not (term.attribute or term.kind in ("organ", "side")):
            return
        yield term


def _aspects(terms: Iterable[Term]) -> frozenset[str]:
    """Return the aspects that terms name; of "wall thickness" it is the thickness."""
    named: Sequence[Term] = [term for term in terms if term.aspect is not None]
    return frozenset(
        term.aspect for term in named if term.aspect is not None and not any(other.start == term.end for other in named)
    )
