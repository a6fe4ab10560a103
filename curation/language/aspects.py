"""What "normal" is said of: an organ as such, or an aspect of it ("normal in size and contour").

Words of one aspect (size, dimension) stand for each other; the lexicon lists them under ``aspects``. Any other noun
that "normal" is said of is an aspect too, under its own key: "a normal duct", "the folds are normal".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .parsed_statement import ParsedStatement, Segment, Term
from .structure.normal_nouns import noun_called_normal, qualified_key

_ASPECTS_IN_NAMES = frozenset(("size", "caliber"))
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
    shared = statement.segments[index]
    if segment is not None and _is_subject_of_its_own(segment, shared, statement):
        return frozenset()
    terms = shared.terms
    at = terms.index(normality)
    if index and not any(term.attribute or term.kind == "organ" for term in terms):
        if named := _aspects(statement.segments[index - 1].terms):
            return named  # "its diameter is 28 mm, and is normal"
    before = [term for term in reversed(terms[:at]) if term.kind not in ("negation", "hedge")]  # "size is not normal"
    named = _aspects(_run(terms[at + 1 :])) or _aspects(_run(before)) or _aspect_in_name(terms, at, statement)
    return named or noun_called_normal(normality, shared, statement)


def _aspect_in_name(terms: Sequence[Term], at: int, statement: ParsedStatement) -> frozenset[str]:
    """Return the aspect that the name of the organ beside "normal" ends in: "normal (ventricular) size"."""
    beside = [*terms[at + 1 : at + 2], *terms[max(at - 1, 0) : at]]
    words = [statement.tokens[term.end - 1].word for term in beside if term.kind == "organ"]
    return frozenset(word for word in words if word in _ASPECTS_IN_NAMES)


def _is_subject_of_its_own(segment: Segment, predicate: Segment, statement: ParsedStatement) -> bool:
    """Tell whether a listed organ has none of the aspects at the end of its list: "the vessels, heart size are normal".

    A plural names no owner of a single size; an organ in the singular may: "the liver, spleen size are normal".
    """
    if segment is predicate or segment.start > predicate.start or segment.verb is not None:
        return False
    if statement.tokens[predicate.start].word in ("its", "their"):
        return bool(segment.sites)  # "the gallbladder and its wall are normal"
    if predicate.joiner != ",":
        return False
    aspects = [term for term in predicate.terms if term.aspect is not None]
    if not (aspects and predicate.sites and segment.sites) or any(map(statement.is_plural, aspects)):
        return False
    return statement.is_plural(segment.terms[-1]) and segment.terms[-1].kind == "organ"


def _run(terms: Sequence[Term]) -> Iterable[Term]:
    """Yield terms up to the first that is neither an attribute nor an organ: what "normal" reaches over."""
    for term in terms:
        if not (term.attribute or term.kind in ("organ", "side") or _qualifies_aspect(term, terms)):
            return
        yield term


def _qualifies_aspect(term: Term, terms: Iterable[Term]) -> bool:
    """Tell whether a word says of what or of which kind an aspect is that follows it: "chamber size"."""
    is_word = term.kind == "modifier" or (term.kind == "finding" and term.entry is None)
    return is_word and any(other.aspect is not None and other.start == term.end for other in terms)


def _aspects(terms: Iterable[Term]) -> frozenset[str]:
    """Return the aspects that terms name; of "wall thickness" it is the thickness, of "chamber size" that of a part."""
    terms = list(terms)
    named: Sequence[Term] = [term for term in terms if term.aspect is not None]
    return frozenset(
        qualified_key(term, term.aspect, terms)
        for term in named
        if term.aspect is not None and not any(other.start == term.end for other in named)
    )
