"""Does the evidence speak of an organ or side of the caption? Gives ``wrong_organ`` and ``laterality``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from curation.language.assertion import Polarity, may_be_said
from curation.language.parsed_statement import Term
from curation.language.structure.organ_sections import section_stems
from curation.language.tokens import stem
from curation.language.word_lists import SIDES, WHEREABOUTS_STEMS, WORDS_INSIDE_NAMES, WORDS_OF_A_PART

from .clauses.place_chains import is_placed_elsewhere
from .evidence import CONTEXT, LITERAL, SYNONYM, RequiredTerm, SegmentEvidence, both_sides
from .refusals import (
    NO_ORGAN,
    NO_WORD,
    ONLY_PART,
    ONLY_SUSPECTED,
    OTHER_ORGAN,
    OTHER_SIDE,
    REVERSED_FOR_ORGAN,
    SIDE_NOT_STATED,
    Mismatch,
)
from .words.organ_verbs import is_inside

_LEVEL = re.compile(r"[ctls]\d{1,2}")
"""A level of the spine inside a name: "L5 nerve root"."""
_NAMES_OF_MEMBERS = (
    "scaphoid lunate triquetrum capitate hamate talus calcaneus navicular cuboid cuneiform cricoid arytenoid"
)
NAMES_OF_MEMBERS = frozenset(map(stem, _NAMES_OF_MEMBERS.split()))
"""Each names one of several bones or cartilages that are one organ here: what the scaphoid has, the lunate has not."""
_OPPOSITE = {"left": "right", "right": "left"}


def match_organ(
    required: RequiredTerm, evidence: SegmentEvidence, denied: bool, about_whole: bool, only_denied: bool
) -> Mismatch | float:
    """Return the weight of an organ of a caption in the evidence, or why it has none.

    ``denied``: its clause denies a finding, ``only_denied``: and affirms none. ``about_whole``: the clause is about all
    of the organ.
    """
    mention, organs = required.term.mention, evidence.relations.organs
    assert mention is not None
    weight = LITERAL
    for name in mention.names:
        weight = _organ_weight(name, required, evidence)
        if weight == 0.0 and only_denied and _is_denied_of_all(name, evidence):
            weight = SYNONYM
            continue
        if weight == 0.0:
            return _mismatch_of_organ(name, evidence)
        # What encloses a more exact organ, such as the nodes of a station, only says where that is.
        is_all = about_whole and not mention.container and (denied or not required.clause.device)
        if is_all and (not _is_about_all_of(name, evidence) or _is_of_a_section(name, required, evidence)):
            return ONLY_PART
    if (mismatch := _mismatch_of_member(required, evidence, about_whole)) is not None:
        return mismatch
    if _is_named_elsewhere(required, evidence):
        return NO_WORD
    if not any(organs[name].side for name in mention.names):
        sides = [word for word in required.stems if word in ("left", "right") and word not in evidence.sides]
        if any(not _belongs_to_name(word, required, evidence) for word in sides):
            return SIDE_NOT_STATED  # a name without sides was given one: "right portal vein"
    if not _has_levels(required, evidence):
        return OTHER_ORGAN
    if required.is_own and not _has_same_presence(required.term, evidence, denied):
        return REVERSED_FOR_ORGAN
    if mention.device and required.is_own and _is_only_suspected(required.term, evidence):
        return ONLY_SUSPECTED
    return weight


def match_side(side: str, organs: Sequence[str], evidence: SegmentEvidence) -> Mismatch | float:
    """Return the weight of a side word that belongs to no organ name, or why it has none.

    ``organs`` are those that its clause is about.
    """
    sides = both_sides(side)
    if not sides <= evidence.sides:
        return SYNONYM if evidence.denies and not evidence.sides else SIDE_NOT_STATED
    if evidence.states_side or side == "both" or len(evidence.sides) == 1 or not organs:
        return LITERAL
    related = evidence.parser.organ_finder.related
    names = [name for name in evidence.organ_names() if any(related(name, organ) for organ in organs)]
    return LITERAL if sides <= {evidence.relations.organs[name].side for name in names} else SIDE_NOT_STATED


def _organ_weight(name: str, required: RequiredTerm, evidence: SegmentEvidence) -> float:
    """Return how well the evidence carries one organ: by its name, by what implies it, or by its context; else 0."""
    covers, is_half, claimed = evidence.relations.covers, evidence.relations.is_half, required.term.mention
    parts = evidence.relations.parts(name)
    for term in evidence.organs:
        mention = term.mention
        if mention is None or claimed is None or (mention.place and not claimed.place):
            continue
        if claimed.place and not mention.place and term not in evidence.own_terms:
            continue
        if name in (names := mention.names + mention.origin) or not parts.isdisjoint(names):
            if is_placed_elsewhere(name, term, evidence, required.stems):
                continue
            return LITERAL if name in mention.names else SYNONYM
        if not claimed.station and any(organ in claimed.origin for organ in mention.names):
            return SYNONYM  # "L4 on L5", of "L4-L5"
    if any(covers(name, organ) for organ in evidence.implied) or _is_composed(name, required, evidence):
        return SYNONYM
    subjects = [term.mention for term in evidence.organs if term.mention and not term.mention.place]
    if evidence.denies and not evidence.sides:  # what is denied of the kidneys is denied of each
        if any(is_half(name, organ) for mention in subjects for organ in mention.names):
            return SYNONYM
    if any(covers(name, organ) for organ in evidence.in_context(subjects)):
        return CONTEXT
    if required.clause.device and (_is_place_of_device(name, evidence) or _lies_in_place(required, evidence)):
        return SYNONYM
    return 0.0


def _is_denied_of_all(name: str, evidence: SegmentEvidence) -> bool:
    """Tell whether a finding is denied of an organ that ``name`` is a part of: what no lung has, no lobe has."""
    if not evidence.denies or evidence.states_side or not evidence.words.isdisjoint(WORDS_OF_A_PART):
        return False
    above, organs = evidence.relations.ancestors(name), evidence.relations.organs
    return any(organ in above and not organs[organ].region for organ in evidence.subjects())


def _is_place_of_device(name: str, evidence: SegmentEvidence) -> bool:
    """Tell whether the only thing named is a device that lies in an organ by its kind: "left external iliac stent"."""
    relations = evidence.relations
    named = [term.mention for term in evidence.organs if term.mention]
    if not all(mention.device for mention in named):
        return False
    for place in (place for mention in named for place in relations.places_on_side(mention.names[0], evidence.sides)):
        words = relations.stems(name) - relations.stems(place) - SIDES.keys()
        if relations.covers(name, place) or (relations.covers(place, name) and words <= evidence.organ_stems):
            return True
    return False


def _lies_in_place(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether a device that is named by its place lies in it: "stent in the ureter", for "ureteral stent"."""
    words, resolve = required.text.split(), evidence.parser.organ_finder.resolve
    if required.term.mention is None or not required.term.mention.device or len(words) < 2:
        return False
    kind, place = resolve(words[-1]), resolve(" ".join(words[:-1]))
    mentions = [(term, term.mention) for term in evidence.own_terms if term.mention]
    devices = {term.polarity for term, mention in mentions if mention.device and kind in mention.names}
    if kind is None or place is None or not may_be_said(required.term.polarity, devices):
        return False
    return any(
        evidence.relations.covers(place, name)
        for term, mention in mentions
        if is_inside(term, evidence.statement)
        for name in mention.names
    )


def _is_composed(name: str, required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence names a part in several words: "Thyroid: nodule in the left lobe"."""
    if required.term.mention is None or required.term.mention.device:
        return False  # of a device, it matters how the two are linked
    side = evidence.relations.organs[name].side
    if side is not None and evidence.sides != {side} and not _are_both_alike(side, evidence):
        return False
    above = evidence.relations.ancestors(name)
    if not any(organ in above for organ in evidence.organ_names()):
        return False
    canonical = evidence.parser.lexicon.canonical
    words = [word for word in required.stems if word not in SIDES and word not in WORDS_INSIDE_NAMES]
    return all(word in evidence.organ_stems or canonical(word) in evidence.polarities for word in words)


def _are_both_alike(side: str, evidence: SegmentEvidence) -> bool:
    """Tell whether both sides are spoken of, and neither by itself."""
    single = [term for term in evidence.organs if term.mention and len(term.mention.names) == 1]
    return side in evidence.sides and not any(evidence.relations.organs[term.key].side for term in single)


def _mismatch_of_organ(name: str, evidence: SegmentEvidence) -> Mismatch:
    names = evidence.organ_names()
    if any(evidence.relations.is_other_side(name, organ) for organ in names):
        return OTHER_SIDE
    return OTHER_ORGAN if names else NO_ORGAN


def _belongs_to_name(side: str, required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether a side is part of a name, which with the other side names another thing: "right coronary artery"."""
    assert required.term.mention is not None
    words = [_OPPOSITE[side] if word == side else word for word in required.text.lower().split()]
    return evidence.parser.organ_finder.resolve(" ".join(words)) not in required.term.mention.names


def _has_levels(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence has the levels that stand inside a name of several levels: "L5 nerve root"."""
    names = required.term.mention.names if required.term.mention else ()
    levels = [word for word in required.stems if word[-1].isdigit() and _LEVEL.fullmatch(word)]
    inside = [word for word in levels if not any(word in evidence.relations.stems(name) for name in names)]
    return all(word in evidence.organ_stems for word in inside)


def _is_about_all_of(name: str, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence is about all of an organ, not only a part: a normal isthmus is no normal thyroid."""
    names = (*evidence.organ_names(), *evidence.implied, *evidence.context)
    halves = evidence.relations.sided(name)
    if halves and set(halves) <= set(names):
        return True  # "no mass in both lungs"
    return any(name == organ or evidence.relations.is_half(name, organ) for organ in names)


def _is_of_a_section(name: str, required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence names an organ only with whereabouts that the caption lacks: "the distal ureter"."""
    is_half = evidence.relations.is_half
    mentions = [
        term
        for term in evidence.organs
        if term.mention and (name in term.mention.names or any(is_half(name, pair) for pair in term.mention.names))
    ]
    claimed = required.clause.words.union(required.stems)
    return bool(mentions) and all(_whereabouts_of(term, name, evidence) - claimed for term in mentions)


def _mismatch_of_member(required: RequiredTerm, evidence: SegmentEvidence, about_whole: bool) -> Mismatch | None:
    """Return why a name of one of several bones is not that of the evidence: the scaphoid is not the lunate.

    What is normal or denied of all of them is so of each, but not the other way round.
    """
    claimed, mention = NAMES_OF_MEMBERS.intersection(required.stems), required.term.mention
    if mention is None or (not claimed and NAMES_OF_MEMBERS.isdisjoint(evidence.statement.stems)):
        return None
    mentions = [term for term in evidence.organs if term.mention and set(mention.names) & set(term.mention.names)]
    there = {word for term in mentions for word in evidence.statement.stems[term.start : term.end]} & NAMES_OF_MEMBERS
    if not mentions or claimed == there or (claimed and claimed <= there):
        return None
    if claimed and (there or not about_whole):
        return OTHER_ORGAN
    return ONLY_PART if there and about_whole and not claimed else None


def _whereabouts_of(organ: Term, name: str, evidence: SegmentEvidence) -> set[str]:
    """Return the whereabouts that stand before the name of an organ, or in front of it inside its mention."""
    statement = evidence.statement
    before = {term.key for term in statement.terms if term.end == organ.start} & WHEREABOUTS_STEMS
    inside = WHEREABOUTS_STEMS.intersection(statement.stems[organ.start : organ.end])
    return before | (inside - evidence.relations.stems(name)) | section_stems(organ, statement)


def _is_of_other_side(part: str, names: Sequence[str], evidence: SegmentEvidence) -> bool:
    """Tell whether an organ lies on the other side than others of that name are said to."""
    side, organs = evidence.relations.organs[part].side, evidence.relations.organs
    return part not in names and side is not None and all(organs[name].side not in (None, side) for name in names)


def _is_named_elsewhere(required: RequiredTerm, evidence: SegmentEvidence) -> bool:
    """Tell whether an organ has words that neither its name nor the evidence has: whereabouts ("medial crus").

    So does a part that only the other side has: "the lingular segment of the right upper lobe".
    """
    mention = required.term.mention
    if mention is None or mention.device:
        return False  # "peripherally inserted central catheter"
    part = evidence.parser.organ_finder.resolve(required.text)
    if part is not None and _is_of_other_side(part, mention.names, evidence):
        words = set(required.text.lower().split())  # the evidence has to say it of the same side
        same = (term for term in evidence.organs if term.mention and set(mention.names) & set(term.mention.names))
        return not any(words <= set(evidence.statement.text_of(term).lower().split()) for term in same)
    names, canonical = mention.names, evidence.parser.lexicon.canonical
    return any(
        word not in evidence.statement.stems
        and canonical(word) not in evidence.polarities
        and not any(word in evidence.relations.stems(name) for name in names)
        for word in WHEREABOUTS_STEMS.intersection(required.stems)
    )


def _has_same_presence(term: Term, evidence: SegmentEvidence, denied: bool) -> bool:
    """Tell whether an organ that is itself denied is denied in the caption too, and the other way round.

    "The right kidney is not visualised" denies the kidney, and no finding of it.
    """
    is_absent = term.polarity == Polarity.NEGATED and not denied
    names = set(term.mention.names if term.mention else ())
    mentions = [organ for organ in evidence.organs if organ.mention and names.intersection(organ.mention.names)]
    if not mentions or (evidence.denies and denied):
        return True
    return is_absent == (not evidence.denies and all(organ.polarity == Polarity.NEGATED for organ in mentions))


def _is_only_suspected(device: Term, evidence: SegmentEvidence) -> bool:
    """Tell whether a device is doubtful or planned in the evidence, and not so in the caption: "a stent is planned"."""
    names, covers = device.mention.names if device.mention else (), evidence.relations.covers
    polarities = {
        term.polarity
        for term in evidence.organs
        if term.mention and any(covers(name, other) for name in names for other in term.mention.names)
    }
    is_doubtful = polarities.isdisjoint((Polarity.AFFIRMED, Polarity.NEGATED))
    return bool(polarities) and is_doubtful and not may_be_said(device.polarity, polarities)
