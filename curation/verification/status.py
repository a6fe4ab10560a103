"""Normal, abnormal or uncertain: what a caption says of its organ.

A caption is read by its passages (``curation/language/understanding/passages.py``). Those about its organ count, the
others only where none is: "The left adrenal gland is unremarkable with atrophy of the pancreas" is normal of the
adrenal gland and abnormal of the pancreas. Of several passages about the organ an abnormal one decides, then one that
is uncertain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from curation.caption import Status
from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.understanding.account import HOLDING_AIR, account_of
from curation.language.understanding.passages import StatementPassage, passages_of
from curation.language.word_lists import NEVER_A_PLACE

from .organs import DEVICES, implied_organs, is_tube, stated_sides
from .statuses.named_status import SMALL, status_of_named, status_of_score

# Keys of qualities that are no change: beside no other finding they make a caption normal.
UNREMARKABLE = frozenset(
    ("time:stable", "density:homogeneous", "morphology:regular", "morphology:smooth", "extent:symmetric")
)
# Keys and kinds of qualities that say which, how many or since when, and not how something is.
_OF_NO_STATE = frozenset(("size:largest", "severity:definite", "time:previous", "time:stable", "extent", "quantity"))
# A finding that is meant so is there.
_STATED = {Polarity.AFFIRMED, Polarity.ATTRIBUTED, Polarity.ALTERNATIVE, Polarity.EARLIER}
_DOUBTED = {Polarity.UNCERTAIN, Polarity.UNLIKELY}
_WELL_PLACED = frozenset(("appropri posit",))
"""Keys of what is said of a device that lies where it should."""
_DESCRIBING = frozenset(("extent:symmetric", "morphology:thin_walled", "midlin"))
"""Keys of words that call an organ normal, and of a finding only say how it looks: "thin-walled cysts"."""
_UNOPACIFIED = "density:unopacified"
_EVEN = frozenset(("morphology:regular", "morphology:smooth"))
"""Keys of what is said of a suture line that is as it should be."""
_IN_PLACE = "in place"  # of a device it says no more than that it is there
_IN_ORDER: tuple[Status, ...] = ("abnormal", "uncertain", "normal")


def status_of(parser: StatementParser, sentences: Sequence[ParsedStatement], organ: str | None = None) -> Status:
    """Return the status of a caption of one or more sentences, of canonical ``organ`` where it is given.

    A finding that is affirmed makes it abnormal, one that is only suspected uncertain. Normal is what is stated as
    unremarkable or denied. What rests on words that we do not know, or says nothing of how the organ is, is uncertain.
    """
    passages = [passage for sentence in sentences for passage in _stated_passages(sentence)]
    if organ is not None and DEVICES not in (organ, *parser.vocabulary.ancestors(organ)):
        passages = [_without_tubes(parser, passage) for passage in passages]
    about = _of_today(passages if organ is None else _passages_about(parser, organ, passages))
    if any(map(_calls_normal, about)) and not any(account_of(passage).findings for passage in about):
        return "normal"
    for group in (about, passages):
        for read in (_status_by_findings, _status_by_qualities):
            statuses = {read(passage) for passage in group}
            for status in _IN_ORDER:
                if status in statuses:
                    return status
    return status_of_score(sentences, organ) or status_of_named(sentences)


def _stated_passages(sentence: ParsedStatement) -> list[StatementPassage]:
    """Return the passages of a sentence, without its heading: "LYMPHADENOPATHY: none".

    The heading counts where nothing behind it answers it, but a place or a size: "Fracture: left fifth rib".
    """
    passages = passages_of(sentence)
    headed = (s.start for s in sentence.segments if s.joiner == ":" and s.terms and not _in_brackets(sentence, s.start))
    start = max(headed, default=0)
    behind = [passage for passage in passages if passage.start >= start]
    return behind if any(map(_is_answer, behind)) else list(passages)


def _without_tubes(parser: StatementParser, passage: StatementPassage) -> StatementPassage:
    """Return a passage without the tubes that lie in an organ, which is as it was: "Bladder intact with a catheter"."""
    tubes = [t for t in passage.terms if t.polarity != Polarity.NEGATED and is_tube(parser.vocabulary, t)]
    if not tubes:
        return passage
    own, shared = (tuple(term for term in terms if term not in tubes) for terms in (passage.own, passage.shared))
    return replace(passage, own=own, shared=shared)


def _of_today(passages: Sequence[StatementPassage]) -> Sequence[StatementPassage]:
    """Return passages without what they say of an earlier day, where they say how it is today.

    "The vein, which was occluded, is now patent" is normal.
    """
    today = [passage for passage in passages if not _is_of_earlier_day(passage)]
    return today if any(account_of(passage).says_something for passage in today) else passages


def _calls_normal(passage: StatementPassage) -> bool:
    """Tell whether a passage calls what stands before it normal: "The thymus is prominent, which is normal for age"."""
    opens = passage.statement.tokens[passage.start].word == "which"
    return opens and any(term.is_normality and term.polarity == Polarity.AFFIRMED for term in passage.own)


def _is_of_earlier_day(passage: StatementPassage) -> bool:
    findings = [term for term in passage.terms if term.kind == "finding" and not term.attribute]
    return bool(findings) and all(term.polarity == Polarity.EARLIER for term in findings)


def _is_answer(passage: StatementPassage) -> bool:
    account = account_of(passage)
    return (
        bool(account.unknown)
        or any(finding in passage.own for finding in account.findings)
        or any(term.kind in ("modifier", "negation", "hedge") or term.is_normality for term in passage.own)
    )


def _in_brackets(sentence: ParsedStatement, at: int) -> bool:
    """Tell whether brackets are open at a token, so that a colon before it names an image: "(series 3: image 44)"."""
    words = [token.word for token in sentence.tokens[:at]]
    return words.count("(") > words.count(")") or words.count("[") > words.count("]")


def _passages_about(
    parser: StatementParser, organ: str, passages: Sequence[StatementPassage]
) -> Sequence[StatementPassage]:
    """Return the passages about an organ or a part of it; or else those about what it is a part of.

    What lies around an organ is not a part of it ("The heart is normal with pericardial effusion"), nor is what lies
    in a region, where something is said of the region itself.
    """
    vocabulary = parser.vocabulary
    itself: list[StatementPassage] = []
    parts: list[StatementPassage] = []
    around: list[StatementPassage] = []
    for passage in passages:
        owners = set(_owners(parser, passage))
        if not owners or any(vocabulary.filed_under(owner) == vocabulary.filed_under(organ) for owner in owners):
            itself.append(passage)
        elif any(organ in vocabulary.ancestors(owner) for owner in owners):
            (around if owners <= NEVER_A_PLACE else parts).append(passage)
    if itself and vocabulary.organs[organ].region:
        return itself
    if itself or parts or around:
        return itself + parts or around
    return [passage for passage in passages if not vocabulary.ancestors(organ).isdisjoint(_owners(parser, passage))]


def _owners(parser: StatementParser, passage: StatementPassage) -> Iterator[str]:
    """Yield the organs that a passage is about, named, implied by its own findings, or shared with its neighbours."""
    implied = implied_organs(parser, passage.own)
    shared = [name for term in passage.sites if term.mention for name in term.mention.names]
    if implied and not passage.names_site:
        if not any(organ == name or organ in parser.vocabulary.ancestors(name) for name in shared for organ in implied):
            yield from implied  # "… with splenomegaly", behind what is said of the liver
            return
    sides = stated_sides(passage.own) if not passage.names_site else set()
    on_side = [name for name in shared if parser.vocabulary.organs[name].side in sides]
    yield from on_side or shared
    yield from implied


def _status_by_findings(passage: StatementPassage) -> Status | None:
    """Return the status that the findings of a passage give to its organ, or else what it is said to be like.

    Grades and changes beside "normal" qualify it. Without an organ, a property or a verb of its own a quality has no
    subject: "large and small bowel are normal".
    """
    account = account_of(passage)
    if account.unknown:
        return None
    terms = _qualities_stated(passage)
    findings = [term for term in account.findings if term in terms or term.mention]
    if findings and _is_device_in_order(passage, findings):
        return "normal"
    if not findings and any(term.key == _UNOPACIFIED for term in terms):
        return _status_without_opacity(passage)
    if findings:
        return _status_of_group(findings)
    normality = {term.polarity == Polarity.NEGATED for term in terms if term.is_normality}
    if normality:
        return "normal" if False in normality else "abnormal"
    return _status_by_qualities(passage) if _has_subject(passage) else None


def _is_device_in_order(passage: StatementPassage, findings: Sequence[Term]) -> bool:
    """Tell whether nothing is said but that a device is as it should be: "Stent patent", "ETT in good position"."""
    others = [term for term in findings if not (term.mention and term.mention.device)]
    if len(others) == len(findings) or any(term.key not in _WELL_PLACED for term in others):
        return False
    changes = (t for t in passage.own if t.kind == "modifier" and not _is_of_no_state(t) and t.key not in UNREMARKABLE)
    good = [*others, *(t for t in passage.own if (t.is_normality and t.key != _IN_PLACE) or t.key in _EVEN)]
    if not good and passage.own and not any(finding in passage.own for finding in findings):
        good = [term for term in passage.own if term.key in UNREMARKABLE]  # "… is smooth and stable"
    return bool(good) and not any(changes) and all(term.polarity == Polarity.AFFIRMED for term in (*good, *findings))


def _status_without_opacity(passage: StatementPassage) -> Status:
    """Return the status of what is not opacified: an artery is occluded, a sinus holds air, others may fill later."""
    mentions = [site.mention for site in passage.sites if site.mention]
    names = {name for mention in mentions for name in (*mention.names, *mention.within)}
    return "abnormal" if "arteries" in names else "uncertain" if names.isdisjoint(HOLDING_AIR) else "normal"


def _has_subject(passage: StatementPassage) -> bool:
    names_organ = any(term.mention and not term.mention.adjective for term in passage.own)
    return names_organ or passage.has_verb or any(term.attribute for term in passage.own)


def _status_by_qualities(passage: StatementPassage) -> Status | None:
    """Return the status of a passage that only says how something is: "the diameter is increased", "smooth"."""
    if account_of(passage).unknown:
        return None
    qualities = [term for term in passage.terms if term.kind == "modifier" and not term.is_normality]
    changes = [term for term in qualities if term.key not in UNREMARKABLE and not _is_of_no_state(term)]
    changes = [term for term in changes if not (_is_thin_wall(passage, term) or _is_size_of_node(passage, term))]
    if changes:
        return _status_of_group(changes)
    even = {term.polarity for term in qualities if term.key in UNREMARKABLE and not _is_of_no_state(term)}
    return ("abnormal" if even == {Polarity.NEGATED} else "normal") if even else None


def _is_thin_wall(passage: StatementPassage, term: Term) -> bool:
    """Tell whether a quality is that of a wall that is thin, as walls are, and not thinned."""
    return term.key == "size:thin" and any(
        other.attribute and other.key == "wall" and passage.statement.tokens[term.start].word == "thin"
        for other in passage.own
    )


def _is_size_of_node(passage: StatementPassage, term: Term) -> bool:
    """Tell whether lymph nodes are only called small, as they are where nothing is wrong with them."""
    return term.key in SMALL and bool(passage.sites) and all(site.key.endswith("lymph nodes") for site in passage.sites)


def _is_of_no_state(term: Term) -> bool:
    return term.key in _OF_NO_STATE or (term.entry is not None and term.entry.modifier in _OF_NO_STATE)


def _status_of_group(terms: Sequence[Term]) -> Status:
    polarities = {term.polarity for term in terms}
    if polarities & _STATED:
        return "abnormal"
    return "uncertain" if polarities - {Polarity.NEGATED} else "normal"


def _qualities_stated(passage: StatementPassage) -> list[Term]:
    """Return the findings and modifiers of a passage without what is called normal itself: "contour is normal"."""
    terms = [term for term in passage.terms if term.kind in ("finding", "modifier")]
    normal_ends = {term.end for term in terms if term.is_normality and term.polarity == Polarity.AFFIRMED}
    describing_ends = {term.end for term in terms if term.key in _DESCRIBING}
    return [
        term
        for term in terms
        if term.start not in normal_ends or (term.start in describing_ends and _is_noun_finding(term))
    ]


def _is_noun_finding(term: Term) -> bool:
    return term.kind == "finding" and term.entry is not None and not (term.attribute or term.is_normality)
