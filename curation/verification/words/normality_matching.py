"""Does the evidence call normal what the caption does, the organ as such or an aspect of it? Gives ``modifier``.

Silence is never normal: an organ of normal size is not a normal organ by that, and a report that calls it normal says
nothing of its size. Where an aspect is normal, what departs from it is denied: of a heart of normal size, cardiomegaly.
Where its opposite is denied, it is normal: a spleen that is not enlarged is of normal size.
"""

from __future__ import annotations

from curation.language.aspects import NORMAL
from curation.language.assertion import Polarity, may_be_said
from curation.language.parsed_statement import Term
from curation.language.structure.normal_nouns import head_of_normal
from curation.language.word_lists import EARLIER_STEMS

from ..evidence import LITERAL, SYNONYM, RequiredTerm, SegmentEvidence
from ..refusals import NO_WORD, ONLY_ASPECT, ONLY_NORMAL_PART, OTHER_ASPECT, Mismatch
from .kind_matching import is_narrowed

ABNORMALITY = "abnorm"
"""Key of "abnormality", which names a finding of any kind."""
_INTACT = "intact"
_INTEGRITY = "integrity"
"""The aspect of which "intact" says that it is normal."""
EARLIER = frozenset(("time:previous", "time:prior", "time:resolved"))
"""Keys of what makes "normal" that of an earlier day."""


def match_normality(required: RequiredTerm, evidence: SegmentEvidence) -> Mismatch | float | None:
    """Return the weight of "normal", or why it has none; None where the evidence says nothing of the kind."""
    term, aspects = required.term, required.aspects
    if aspects and term.polarity == Polarity.AFFIRMED:
        called_normal = frozenset[str]().union(*(offered for _, offered in evidence.normal))
        if not aspects <= called_normal and aspects <= called_normal | _aspects_of_denials(required, evidence):
            return SYNONYM
    if not evidence.normal:
        if not aspects and may_be_said(term.polarity, {Polarity.AFFIRMED}) and _denies_any_abnormality(evidence):
            return SYNONYM
        praises = [offer for offer in evidence.terms if offer.is_normality and NORMAL in offer.parts]
        if praises and all(_tells_how(offer, evidence) for offer in praises):
            return ONLY_ASPECT  # "normally distended"
        return None if praises else NO_WORD  # "normal for age"; "larger than normal" is the opposite
    offers = [offer for offer, offered in evidence.normal if (aspects <= offered if aspects else not offered)]
    if not offers:
        return OTHER_ASPECT if aspects else ONLY_ASPECT
    polarities = {offer.polarity for offer in offers if aspects or not _is_of_a_part(offer, required, evidence)}
    if not polarities:
        return ONLY_NORMAL_PART
    if not may_be_said(term.polarity, polarities):
        return None
    return LITERAL if required.word in evidence.words else SYNONYM


def _is_of_a_part(offer: Term, required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether only a part of the caption's organ is called normal: "the uterus has a normal endometrium"."""
    statement, relations = evidence.statement, evidence.relations
    index = next((at for at, segment in enumerate(statement.segments) if offer in segment.terms), None)
    if index is None or not (offer in evidence.own_terms or statement.segments[index].joiner == ":"):
        return False
    head = head_of_normal(offer, statement.segments[index], statement)
    names = head.mention.names if head is not None and head.mention else ()
    return bool(names and required.clause.organs) and all(
        organ not in names
        and any(relations.covers(organ, name) and not relations.is_half(name, organ) for name in names)
        for organ in required.clause.organs
    )


def _tells_how(offer: Term, evidence: SegmentEvidence) -> bool:
    """Tell whether a phrase only says that something is done or happens normally: "opacifies normally"."""
    return any(token.word == "normally" for token in evidence.statement.tokens[offer.start : offer.end])


def is_normal_as_such(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether a caption denies any abnormality of what the evidence calls normal: "no splenic abnormality"."""
    if required.term.polarity != Polarity.NEGATED or required.term.key != ABNORMALITY:
        return False
    if any(term.key in EARLIER for term in evidence.terms):
        return False
    return any(offer.polarity == Polarity.AFFIRMED and not aspects for offer, aspects in evidence.normal)


def _denies_any_abnormality(evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence denies abnormalities of every kind, and affirms no finding beside: "no abnormality"."""
    denied = [term for term in evidence.terms if term.key == ABNORMALITY and term.polarity == Polarity.NEGATED]
    others = (term for term in evidence.terms if term.kind in ("finding", "modifier", "measure") and term not in denied)
    return bool(denied) and all(term.attribute and term.aspect is None for term in others)


def is_normal_aspect(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether a denied finding departs from an aspect that the evidence calls normal: "no cardiomegaly"."""
    term = required.term
    if term.polarity != Polarity.NEGATED or term.kind != "finding":
        return False
    findings = {term.key} | (term.entry.kinds if term.entry else frozenset())
    departures = evidence.parser.lexicon.departures
    if not findings.isdisjoint(departures[_INTEGRITY]) and Polarity.AFFIRMED in evidence.polarities.get(_INTACT, ()):
        return True  # "clavicles intact": no clavicular fracture
    return any(
        offer.polarity == Polarity.AFFIRMED and not findings.isdisjoint(departures.get(aspect, ()))
        for offer, offered in evidence.normal
        for aspect in offered
    )


def _aspects_of_denials(required: RequiredTerm, evidence: SegmentEvidence) -> frozenset[str]:
    """Return the aspects that are normal since their opposite is denied as such: the size, of "not enlarged"."""
    denied = {term.key for term in evidence.terms if term.kind == "finding" and term.polarity == Polarity.NEGATED}
    if not denied or evidence.statement.exceptions or any(term.key in EARLIER for term in evidence.terms):
        return frozenset()
    if evidence.states_side or not EARLIER_STEMS.isdisjoint(evidence.statement.stems):
        return frozenset()  # "was not enlarged on the prior study"
    opposites = evidence.parser.lexicon.opposites
    return frozenset(
        aspect
        for aspect, findings in opposites.items()
        if any(not is_narrowed(key, required.clause.words, evidence) for key in denied & findings)
    )


def is_of_denied(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether an aspect of a part is called normal whose opposite is denied: "wall", of "no wall thickening"."""
    return required.term.attribute and NORMAL in required.clause.words and bool(_aspects_of_denials(required, evidence))


def names_same_aspect(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence names the aspect that a term names, in whatever words: "dimensions", for "size"."""
    aspect = required.term.aspect
    if aspect is None:
        return False
    return any(term.aspect == aspect for term in evidence.terms) or (
        NORMAL in required.clause.words and aspect in _aspects_of_denials(required, evidence)
    )
