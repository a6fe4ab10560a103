"""Does the evidence carry a measure, finding or qualifier of the caption, and is it meant in the same way?

Gives ``not_grounded``, ``measurement``, ``negation`` and ``modifier``.
"""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz import fuzz

from curation.language.aspects import NORMAL
from curation.language.assertion import Polarity, may_be_said
from curation.language.denial_words import OTHER_WORDS
from curation.language.lexicon.derivation import are_of_one_root
from curation.language.parsed_statement import Term
from curation.language.word_lists import ATTRIBUTE_STEMS, NEUTRAL_STEMS, POSITION_STEMS

from ..denials.exceptions import is_restricted
from ..denials.removals import is_removal
from ..evidence import LITERAL, SPELLED, SYNONYM, RequiredTerm, SegmentEvidence
from ..refusals import (
    DENIED,
    NO_MEASURE,
    NO_QUALIFIER,
    NO_WORD,
    NOT_DENIED,
    NOT_DOUBTED,
    ONLY_A_KIND,
    ONLY_EARLIER,
    ONLY_SUSPECTED,
    Mismatch,
)
from .change_matching import changes_in_size, is_change_of_another_property
from .dimension_matching import gives_plain_size
from .kind_matching import is_carried_by_kind, is_narrowed
from .lying_devices import gives_place
from .normality_matching import (
    is_normal_as_such,
    is_normal_aspect,
    is_of_denied,
    match_normality,
    names_same_aspect,
)
from .organ_verbs import only_joins_organ

SPELLING = 90.0
"""Similarity (0 to 100) from which two long words with the same beginning count as spellings of one word."""
_OF_FINDINGS = frozenset(("implied_organ", "finding", "attribute"))
"""Flags of the lexicon that say nothing of time, denial or normality."""
_NEUTRAL = 0.5
"""Weight of a word that is not in the evidence and says nothing more: "structure", "suspicious" of what is denied."""


def match_measure(term: Term, evidence: SegmentEvidence, only_narrows: bool = False) -> Mismatch | float:
    """Return the weight of a size or number, or why it has none.

    It takes the same values and unit, at the same time, under the same bound. ``only_narrows``: it bounds what the
    caption denies, so that evidence without any size will do.
    """
    assert term.measure is not None
    of_kind = evidence.measures.get(term.measure.kind, ())
    polarities = {polarity for measure, polarity in of_kind if measure.carries(term.measure)}
    if not polarities:
        return _NEUTRAL if only_narrows and not of_kind and evidence.denies else NO_MEASURE
    return LITERAL if may_be_said(term.polarity, polarities) else _turned_round(term, polarities)


def match_word(required: RequiredTerm, evidence: SegmentEvidence) -> Mismatch | float:
    """Return the weight of a finding or qualifier, or why it has none.

    It takes the word itself, a synonym, another spelling, or the same said in several words.
    """
    term, key = required.term, required.term.key
    if key == NORMAL and (match := match_normality(required, evidence)) is not None:
        return match
    weight = LITERAL if required.word in evidence.words else SYNONYM
    if key not in evidence.polarities:
        key, weight = _other_spelling(term, evidence), SPELLED
        if not key:
            key, weight = _derived(term, required.stems[0] if len(required.stems) == 1 else "", evidence), SYNONYM
    if key:
        if is_change_of_another_property(term, evidence):
            return NO_QUALIFIER
        polarities = evidence.polarities[key]
        if term.polarity == Polarity.NEGATED and evidence.denies_more_than(key, required.clause.words):
            return SYNONYM if is_carried_by_kind(required, evidence) else ONLY_A_KIND
        is_meant_alike = (
            may_be_said(term.polarity, polarities) or key in POSITION_STEMS or is_of_denied(required, evidence)
        )
        return weight if is_meant_alike else _turned_round(term, polarities)
    joint = term.entry.joint if term.entry else ()
    if joint and all(may_be_said(term.polarity, evidence.polarities.get(part, set())) for part in joint):
        return SYNONYM  # "hydroureteronephrosis", of "hydronephrosis and hydroureter"
    compound = required.compound  # "free pelvic fluid" of "free fluid in the pelvis"
    if compound is not None and compound.key in evidence.polarities:
        polarities = evidence.polarities[compound.key]
        if term.polarity == Polarity.NEGATED and is_narrowed(compound.key, required.clause.words, evidence):
            return ONLY_A_KIND  # "no large free fluid"
        return SYNONYM if may_be_said(term.polarity, polarities) else _turned_round(term, polarities)
    for parts in _wordings(term, evidence):
        beside = required.clause.words.union(parts)
        if term.polarity == Polarity.NEGATED and any(evidence.denies_more_than(part, beside) for part in parts):
            continue
        shared = set.intersection(*(evidence.polarities[part] for part in _telling(parts)))
        return SYNONYM if may_be_said(term.polarity, shared) else _turned_round(term, shared)
    if not _is_grade(term) and required.stems and evidence.organ_stems.issuperset(required.stems):
        return SYNONYM  # a part of a name, but the small bowel makes no finding small
    if _is_removal(term, evidence) or is_carried_by_kind(required, evidence) or gives_place(required, evidence):
        return SYNONYM
    if required.word in OTHER_WORDS and is_restricted(evidence.statement):
        return SYNONYM  # "no other nodule", of "no nodule elsewhere"
    if (required.only_narrows and evidence.denies) or only_joins_organ(required, evidence):
        return _NEUTRAL
    if term.entry and "attribute" in term.entry.flags and _is_named_organ(required, evidence):
        return SYNONYM
    if changes_in_size(required, evidence):
        return SYNONYM
    if names_same_aspect(required, evidence) or is_normal_aspect(required, evidence):
        return SYNONYM
    if required.is_dimension and gives_plain_size(evidence):
        return SYNONYM  # "4 mm in diameter", of "it measures 4 mm"
    if is_normal_as_such(required, evidence):
        return SYNONYM
    if term.kind == "modifier":
        return NO_QUALIFIER
    return _NEUTRAL if term.key in NEUTRAL_STEMS else NO_WORD


def _is_named_organ(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether a phrase only names organs that the evidence is about: "both lung bases", for "bibasilar"."""
    finder, names = evidence.parser.organ_finder, set(evidence.organ_names())
    mentions = finder.vocabulary.find(required.text)
    if len(mentions) != 1 or mentions[0].end - mentions[0].start < len(required.text):
        return False
    return all(
        name in names or names.issuperset(finder.vocabulary.sided(name) or (name,)) for name in mentions[0].names
    )


def _is_grade(term: Term) -> bool:
    """Tell whether a term is a qualifier of size, severity, time or quantity."""
    return term.entry is not None and term.entry.modifier in ("size", "severity", "time", "quantity")


def _turned_round(term: Term, polarities: set[Polarity]) -> Mismatch:
    """Return the mismatch of a term that the evidence has, but with other polarities."""
    if polarities == {Polarity.EARLIER}:
        return ONLY_EARLIER
    if Polarity.NEGATED in polarities or term.polarity == Polarity.NEGATED:
        return NOT_DENIED if term.polarity == Polarity.NEGATED else DENIED
    return NOT_DOUBTED if polarities <= {Polarity.AFFIRMED} else ONLY_SUSPECTED


def _other_spelling(term: Term, evidence: SegmentEvidence) -> str:
    """Return the key of the same word in another spelling, or ""."""
    if term.entry is not None or len(term.key) <= 5:
        return ""
    start = term.key[:4]
    near = (key for key in evidence.polarities if key.startswith(start) and fuzz.ratio(key, term.key) >= SPELLING)
    return next(near, "")


def _derived(term: Term, own_stem: str, evidence: SegmentEvidence) -> str:
    """Return the key of a word of the same root, where none of both has a class or is a cue, or ""."""
    entry = term.entry
    if (
        term.kind != "finding"
        or not own_stem
        or (entry is not None and (entry.negation or entry.hedge or entry.flags - _OF_FINDINGS))
    ):
        return ""
    stems = evidence.statement.stems
    offers = (offer for offer in evidence.terms if offer.kind == "finding" and offer.end - offer.start == 1)
    return next((offer.key for offer in offers if are_of_one_root(stems[offer.start], own_stem)), "")


def _wordings(term: Term, evidence: SegmentEvidence) -> Iterator[tuple[str, ...]]:
    """Yield the ways to say a term in several words that the evidence has, without words for its organ."""
    if not ATTRIBUTE_STEMS.issuperset(term.parts) and all(part in evidence.polarities for part in term.parts):
        yield term.parts  # more than "size", which is all that "growing" shares with "enlarged in size"
    if term.entry:
        for wording in term.entry.wordings:
            absent = [part for part in wording if part not in evidence.polarities]
            if len(absent) < len(wording) and all(evidence.is_about(part) for part in absent):
                yield tuple(part for part in wording if part in evidence.polarities)


def _telling(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts that are denied or affirmed: "thickening", of "the wall is not thickened"."""
    return tuple(part for part in parts if part not in ATTRIBUTE_STEMS) or parts


def _is_removal(term: Term, evidence: SegmentEvidence) -> bool:
    """Tell whether an operation that the caption names took an organ that the evidence calls absent."""
    if term.entry is None or not term.entry.organ or "absent_organ" not in term.entry.flags:
        return False
    is_absent = any(is_removal(offer) and offer.entry and not offer.entry.organ for offer in evidence.terms)
    return is_absent and evidence.is_about(term.entry.organ)
