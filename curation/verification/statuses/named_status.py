"""The status of a caption that names or measures something, and says nothing of how it is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from curation.caption import Status
from curation.language.assertion import Polarity
from curation.language.numbers.measure import Measure
from curation.language.numbers.scores import grades_by_number
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.word_lists import ARTICLES, LIST_JOINERS, PLACE_OPENERS, SIDES

_CONTACT = "touch"
"""Key of a contact between a tumour and an organ, which is a relation and no finding by itself."""
ENLARGED_NODE = 10.0
"""Short axis of a lymph node, in mm, from which on it counts as enlarged (RECIST 1.1: a node below it is normal)."""
_BEFORE_PLACES = PLACE_OPENERS | frozenset(("of", "to", "with", "from"))
SMALL = frozenset(("size:tiny", "size:small", "size:millimetric", "size:subcentimeter"))
"""Keys of the sizes of lymph nodes with which nothing is wrong."""
_DOUBTED = {Polarity.UNCERTAIN, Polarity.UNLIKELY}


def status_of_score(sentences: Sequence[ParsedStatement], organ: str | None) -> Status | None:
    """Return the status of an organ that a score behind its name grades: "Agatston score: LAD 120, RCA 0"."""
    terms = [term for sentence in sentences for term in sentence.terms]
    if not any(term.attribute and grades_by_number(term.key) for term in terms):
        return None
    for term, following in pairwise(terms):
        is_meant = term.mention is not None and (organ is None or organ in term.mention.names)
        if is_meant and following.measure is not None and following.measure.kind == "number":
            return "abnormal" if max(following.measure.values) > 0 else "normal"
    return None


def status_of_named(sentences: Sequence[ParsedStatement]) -> Status:
    """Return the status of a caption that names or measures something, and says nothing of how it is.

    "The right kidney is not visualised" is abnormal. Lymph nodes are from a short axis of ``ENLARGED_NODE`` on; none
    are normal. The largest is one of several findings. What only has a size, or has not changed, may be either.
    """
    terms = [term for sentence in sentences for term in sentence.terms]
    if any(term.key == _CONTACT and term.polarity == Polarity.NEGATED for term in terms):
        return "normal"  # "no SMA contact" does not take the artery away
    denied = [(s, t) for s in sentences for t in s.terms if t.kind == "organ" and t.polarity == Polarity.NEGATED]
    absent = [term for sentence, term in denied if _is_absent(sentence, term)]
    if any(not term.key.endswith("lymph nodes") for term in absent):
        return "abnormal"
    if denied and not absent:
        return "normal"  # "no extension into the vein", "no soft tissue"
    sizes = [_least(t.measure) for t in terms if t.measure and t.measure.kind == "length" and not t.measure.role]
    if any(term.mention and term.key.endswith("lymph nodes") for term in terms):
        if absent:
            return "normal"
        if all(t.polarity in _DOUBTED for t in terms if t.mention and t.key.endswith("lymph nodes")):
            return "uncertain"
        if not sizes and any(term.key in SMALL for term in terms):
            return "normal"
        return ("abnormal" if max(sizes) >= ENLARGED_NODE else "normal") if sizes else "uncertain"
    return "abnormal" if sizes and any(term.key == "size:largest" for term in terms) else "uncertain"


def _is_absent(sentence: ParsedStatement, term: Term) -> bool:
    """Tell whether an organ that is denied is not there: not in "no extension into the vein", nor "no soft tissue"."""
    if term.key == "soft tissues":
        return False
    at = term.start - 1
    while at >= 0 and sentence.tokens[at].word in ARTICLES | SIDES.keys():
        at -= 1
    if at >= 0 and sentence.tokens[at].word in LIST_JOINERS:
        before = next((other for other in sentence.terms if other.kind == "organ" and other.end == at), None)
        return before is None or _is_absent(sentence, before)
    return at < 0 or sentence.tokens[at].word not in _BEFORE_PLACES


def _least(measure: Measure) -> float:
    """Return the least size, in mm; of "smaller than 1 cm" that is less than 10."""
    return min(measure.values) - (measure.bound == "<")
