"""Does the evidence tell the same change between two days, and of the same thing: "has grown", "is larger in size"?

An increase of what has no other property named is one of its size or amount: "the effusion has increased". One of
density, number or enhancement is not.
"""

from __future__ import annotations

from curation.language.assertion import Polarity
from curation.language.parsed_statement import Term
from curation.language.tokens import stem

from ..evidence import RequiredTerm, SegmentEvidence
from ..size_changes import DECREASED, INCREASED

_SIZE = "size"
_COMPARED = {"size:larger": INCREASED, "size:smaller": DECREASED}
_CHANGES = frozenset((INCREASED, DECREASED))
_OTHER_PROPERTIES = frozenset(
    map(stem, "number count density attenuation enhancement conspicuity prominence thickness stenosis activity".split())
)


def changes_in_size(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether a word of size in a caption only says what an increase or decrease of the evidence is of."""
    term = required.term
    if term.key in _COMPARED:
        return term.polarity == Polarity.AFFIRMED and _tells_size_change(_COMPARED[term.key], evidence)
    if term.aspect != _SIZE or not term.attribute:
        return False
    return any(key in required.clause.words and _tells_size_change(key, evidence) for key in _CHANGES)


def is_change_of_another_property(term: Term, evidence: SegmentEvidence) -> bool:
    """Tell whether a caption tells a change in size, and the evidence one of something else: "increased in number"."""
    return term.key in _CHANGES and _SIZE in term.parts and not _tells_size_change(term.key, evidence)


def _tells_size_change(key: str, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence affirms a change in size or amount."""
    if Polarity.AFFIRMED not in evidence.polarities.get(key, ()):
        return False
    if _SIZE in evidence.polarities:
        return True
    terms = evidence.own_terms
    others = any(term.aspect is not None or not _OTHER_PROPERTIES.isdisjoint(term.key.split()) for term in terms)
    return not others and any(term.kind == "finding" and not term.attribute for term in evidence.terms)
