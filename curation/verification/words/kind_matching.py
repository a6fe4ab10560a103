"""Does the evidence carry a finding by a more general or a more special one, though not by its own name?

Affirmed, a finding is also all that it is a kind of: "hemangioma" carries "lesion". Denied, it denies all its kinds:
"no lesion" carries "no cyst". Never the other way round, and a denial that is narrowed denies no more than it says: "no
calcified lesion" does not carry "no cyst".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from curation.language.assertion import Polarity, may_be_said
from curation.language.lexicon.lexicon import Lexicon, LexiconEntry
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.shared_heads import shared_head
from curation.language.word_lists import ATTRIBUTE_STEMS, GENERIC_FINDING_STEMS, NEUTRAL_STEMS

from ..evidence import RequiredTerm, SegmentEvidence

# What is said of an earlier day denies nothing of today.
_EARLIER = frozenset(("time:previous", "time:prior", "time:resolved"))
# Phrases with one of these flags tell how the examination was, and narrow nothing.
_SILENT_FLAGS = frozenset(("limitation", "history", "recommendation", "reporting", "normality"))


def is_carried_by_kind(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence has a kind of an affirmed finding, or denies what a denied one is a kind of."""
    term = required.term
    if term.polarity != Polarity.NEGATED:
        is_named = term.kind == "modifier" or (term.kind == "finding" and required.is_head)
        return is_named and _has_a_kind(term, evidence)
    if evidence.statement.exceptions:
        return False
    if term.entry is not None and _denies_general(term.entry, required, evidence):
        return True
    return required.compound is not None and _denies_general(required.compound, required, evidence, or_itself=True)


def is_narrowed(key: str, beside: frozenset[str], evidence: SegmentEvidence) -> bool:
    """Tell whether each denial of a finding has a quality in its segment that the caption (``beside``) lacks."""
    segments = [
        segment
        for segment in evidence.statement.segments
        if any(term.key == key and term.polarity == Polarity.NEGATED for term in segment.terms)
    ]
    return bool(segments) and all(
        any(term.key != key and _narrows(term, beside) for term in segment.terms) for segment in segments
    )


def words_of(terms: Iterable[Term]) -> frozenset[str]:
    """Return the keys of the findings and qualities among terms, and of their parts."""
    return frozenset(
        [key for term in terms if term.kind in ("finding", "modifier", "measure") for key in (term.key, *term.parts)]
    )


def kinds_of(terms: Iterable[Term]) -> frozenset[str]:
    """Return the keys of what the findings among terms are kinds of."""
    return frozenset(key for term in terms if term.entry for key in term.entry.kinds)


def is_head(term: Term, terms: Sequence[Term]) -> bool:
    """Tell whether a finding stands by itself, and is no adjective of what follows: "abnormal", of "abnormal density".

    A noun that names no finding of its own may follow: "inflammatory change".
    """
    following = next((other for other in terms if other.start == term.end), None)
    return following is None or following.kind in ("negation", "hedge") or following.key in GENERIC_FINDING_STEMS


def _has_a_kind(term: Term, evidence: SegmentEvidence) -> bool:
    kinds = (offer for offer in evidence.terms if offer.kind == term.kind and offer.entry is not None)
    polarities = {offer.polarity for offer in kinds if offer.entry and term.key in offer.entry.kinds}
    return may_be_said(term.polarity, polarities - {Polarity.NEGATED})


def _denies_general(
    entry: LexiconEntry, required: RequiredTerm, evidence: SegmentEvidence, or_itself: bool = False
) -> bool:
    """Tell whether the evidence denies what a finding is a kind of, of an organ that encloses the finding's own."""
    general = entry.kinds | {entry.key} if or_itself else entry.kinds
    return _denies_any(general, required, evidence) and _is_within(entry.organ, required, evidence)


def _denies_any(keys: frozenset[str], required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether one of the findings ``keys`` is denied as such, or with qualities that the caption has too."""
    return bool(keys) and any(
        not keys.isdisjoint((offer.key, *evidence.findings_inside(offer)))
        and _denies_all(offer, required.clause.words | required.clause.kinds, evidence)
        for offer in evidence.terms
        if offer.kind == "finding" and offer.polarity == Polarity.NEGATED
    )


def _denies_all(denial: Term, beside: frozenset[str], evidence: SegmentEvidence) -> bool:
    """Tell whether a denied finding is denied as such, or with qualities that the caption has too (``beside``)."""
    statement = evidence.statement
    at = next((at for at, segment in enumerate(statement.segments) if denial in segment.terms), None)
    if at is None or not is_head(denial, statement.terms):
        return False
    segment = statement.segments[at]
    others = [term for term in segment.terms if term is not denial]
    if segment.joiner and at and _is_only_quality(statement.segments[at - 1]):
        others += statement.segments[at - 1].terms  # "no acute or chronic hemorrhage"
    return not any(_narrows(term, beside) for term in others)


def _narrows(term: Term, beside: frozenset[str]) -> bool:
    """Tell whether a term beside a denied finding narrows what is denied."""
    if term.key in _EARLIER:
        return True
    if term.polarity != Polarity.NEGATED or term.kind not in ("finding", "modifier", "measure"):
        return False
    if term.entry is not None and not _SILENT_FLAGS.isdisjoint(term.entry.flags):
        return False
    harmless = term.key in ATTRIBUTE_STEMS or term.key in NEUTRAL_STEMS or term.key in GENERIC_FINDING_STEMS
    return not harmless and term.key not in beside


def _is_only_quality(segment: Segment) -> bool:
    """Tell whether a segment gives a quality to what the next one names: "acute", of "acute or chronic hemorrhage"."""
    return (
        segment.verb is None
        and not segment.organs
        and all(term.kind in ("modifier", "negation") for term in segment.terms)
    )


def _is_within(organ: str | None, required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence is about the organ of a finding or what encloses it.

    What is denied of a part is not denied of the whole: "the common bile duct is not dilated" says nothing of other
    ducts. Organs that the caption names are looked for by themselves.
    """
    name = evidence.parser.organ_finder.resolve(organ) if organ and not required.clause.organs else None
    subjects = (*evidence.organ_names(), *evidence.implied)
    return name is None or any(evidence.relations.covers(subject, name) for subject in subjects)


def _noun_phrase(first: Term, terms: Iterable[Term]) -> list[Term]:
    """Return the terms from ``first`` on that follow each other without a word between."""
    chain = [first]
    for term in terms:
        if chain[-1].start <= term.start <= chain[-1].end < term.end and term.kind in (
            "finding",
            "modifier",
            "organ",
            "side",
        ):
            chain.append(term)
    return chain


def _compound_of_shared_head(segment: Segment, caption: ParsedStatement, lexicon: Lexicon) -> dict[Term, LexiconEntry]:
    """Return by its quality what it names with the next segment's noun: "free", of "no free or loculated fluid"."""
    index = next(at for at, other in enumerate(caption.segments) if other is segment)
    pair = shared_head(caption, index)
    if pair is None:
        return {}
    quality, head = pair
    stems = [*caption.stems[quality.start : quality.end], caption.stems[head.end - 1]]
    match = next((match for match in lexicon.matches(stems) if match.end - match.start == len(stems)), None)
    return {} if match is None else {quality: match.entry}


def compounds_across_organs(segment: Segment, caption: ParsedStatement, lexicon: Lexicon) -> dict[Term, LexiconEntry]:
    """Return by quality and finding what they name together where an organ is between: "focal splenic lesion"."""
    compounds = _compound_of_shared_head(segment, caption, lexicon)
    if len(segment.terms) < 3:
        return compounds
    seen: set[Term] = set()
    for chain in (_noun_phrase(term, segment.terms) for term in segment.terms):
        if len(chain) < 3:
            continue
        words = [term for term in chain if term.kind in ("finding", "modifier")]
        if seen.issuperset(words):
            continue
        stems = [stem for word in words for stem in caption.stems[word.start : word.end] if stem[0].isalnum()]
        match = next((match for match in lexicon.matches(stems) if match.end - match.start > 1), None)
        if match is not None and match.end == len(stems):
            inside = stems[match.start :]  # behind grades: "minimal free pelvic fluid"
            for word in words:
                if word not in seen and all(stem in inside for stem in caption.stems[word.start : word.end]):
                    compounds[word] = match.entry
        seen.update(words)
    return compounds
