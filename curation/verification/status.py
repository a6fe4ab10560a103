"""Normal, abnormal or uncertain: what a caption says of its organ.

A caption is read by its passages (``curation/language/understanding/passages.py``). Those about its organ count, the
others only where none is: "The left adrenal gland is unremarkable with atrophy of the pancreas" is normal of the
adrenal gland and abnormal of the pancreas. Of several passages about the organ an abnormal one decides, then one that
is uncertain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curation.caption import Status
from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.understanding.passages import StatementPassage, passages_of
from curation.language.word_lists import NEVER_A_PLACE

from .organs import implied_organs, stated_sides

# Keys of qualities that are no change: beside no other finding they make a caption normal.
UNREMARKABLE = frozenset(
    ("time:stable", "density:homogeneous", "morphology:regular", "morphology:smooth", "extent:symmetric")
)
# Keys and kinds of qualities that say which, how many or since when, and not how something is.
_OF_NO_STATE = frozenset(("size:largest", "severity:definite", "time:previous", "time:stable", "extent", "quantity"))
# A finding that is meant so is there.
_STATED = {Polarity.AFFIRMED, Polarity.ATTRIBUTED, Polarity.ALTERNATIVE, Polarity.EARLIER}
_IN_ORDER: tuple[Status, ...] = ("abnormal", "uncertain", "normal")


def status_of(parser: StatementParser, sentences: Sequence[ParsedStatement], organ: str | None = None) -> Status:
    """Return the status of a caption of one or more sentences, of canonical ``organ`` where it is given.

    A finding that is affirmed makes it abnormal, one that is only suspected uncertain. Normal is what is stated as
    unremarkable or denied. What only says which or how many, and words that the lexicon does not list, count where
    nothing else is stated.
    """
    passages = [passage for sentence in sentences for passage in _stated_passages(sentence)]
    about = passages if organ is None else _passages_about(parser, organ, passages)
    for group in (about, passages):
        for read in (_status_by_findings, _status_by_qualities, _status_by_unknown_words):
            statuses = {read(passage) for passage in group}
            for status in _IN_ORDER:
                if status in statuses:
                    return status
    return _status_of_denied_organs(sentences)


def _stated_passages(sentence: ParsedStatement) -> list[StatementPassage]:
    """Return the passages of a sentence, without its heading: "LYMPHADENOPATHY: none".

    The heading counts where only a place or a size stands behind it: "Fracture: left fifth rib".
    """
    passages = passages_of(sentence)
    headed = (s.start for s in sentence.segments if s.joiner == ":" and s.terms and not _in_brackets(sentence, s.start))
    start = max(headed, default=0)
    behind = [passage for passage in passages if passage.start >= start]
    is_answer = any(term.kind in _KINDS_OF_ANSWERS for passage in behind for term in passage.own)
    return behind if is_answer else list(passages)


_KINDS_OF_ANSWERS = ("finding", "modifier", "negation", "hedge")


def _in_brackets(sentence: ParsedStatement, at: int) -> bool:
    """Tell whether brackets are open at a token, so that a colon before it names an image: "(series 3: image 44)"."""
    words = [token.word for token in sentence.tokens[:at]]
    return words.count("(") > words.count(")") or words.count("[") > words.count("]")


def _passages_about(
    parser: StatementParser, organ: str, passages: Sequence[StatementPassage]
) -> Sequence[StatementPassage]:
    """Return the passages about an organ or a part of it, or else those about what it is a part of; or else all.

    What lies around an organ is not a part of it: "The heart is normal with pericardial effusion".
    """
    ancestors, filed = parser.vocabulary.ancestors(organ), parser.vocabulary.filed_under(organ)
    about: list[StatementPassage] = []
    around: list[StatementPassage] = []
    for passage in passages:
        owners = set(_owners(parser, passage))
        if not owners or any(parser.vocabulary.filed_under(owner) == filed for owner in owners):
            about.append(passage)
        elif any(organ in parser.vocabulary.ancestors(owner) for owner in owners):
            (around if owners <= NEVER_A_PLACE else about).append(passage)
    if about or around:
        return about or around
    return [passage for passage in passages if not ancestors.isdisjoint(_owners(parser, passage))]


def _owners(parser: StatementParser, passage: StatementPassage) -> Iterator[str]:
    """Yield the organs that a passage is about, named, implied by its own findings, or shared with its neighbours."""
    implied = implied_organs(parser, passage.own)
    shared = [name for term in passage.sites if term.mention for name in term.mention.names]
    if implied and not passage.names_site:
        if not any(parser.vocabulary.related(name, organ) for name in shared for organ in implied):
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
    terms = _qualities_stated(passage)
    findings = [term for term in terms if term.kind == "finding" and term.entry is not None]
    findings = [term for term in findings if not term.attribute and not term.is_normality]
    devices = [term for term in passage.terms if term.mention and term.mention.device]
    if findings or devices:
        return _status_of_group(findings + devices)
    normality = {term.polarity == Polarity.NEGATED for term in terms if term.is_normality}
    if normality:
        return "normal" if False in normality else "abnormal"
    return _status_by_qualities(passage) if _has_subject(passage) else None


def _has_subject(passage: StatementPassage) -> bool:
    return passage.names_site or passage.has_verb or any(term.attribute for term in passage.own)


def _status_by_qualities(passage: StatementPassage) -> Status | None:
    """Return the status of a passage that only says how something is: "the diameter is increased", "smooth"."""
    qualities = [term for term in passage.terms if term.kind == "modifier" and not term.is_normality]
    changes = [term for term in qualities if term.key not in UNREMARKABLE and not _is_of_no_state(term)]
    if changes:
        return _status_of_group(changes)
    even = {term.polarity for term in qualities if term.key in UNREMARKABLE and not _is_of_no_state(term)}
    return ("abnormal" if even == {Polarity.NEGATED} else "normal") if even else None


def _is_of_no_state(term: Term) -> bool:
    return term.key in _OF_NO_STATE or (term.entry is not None and term.entry.modifier in _OF_NO_STATE)


def _status_by_unknown_words(passage: StatementPassage) -> Status | None:
    """Return the status of a passage that says something in words alone that the lexicon does not list.

    So do numbers: "several lymph nodes" are there.
    """
    terms = [term for term in passage.terms if term.kind == "finding" and term.entry is None and not term.attribute]
    terms = [term for term in terms if not term.key.endswith("li")]  # the stem of an adverb, which is no finding
    terms += [term for term in passage.terms if term.kind == "modifier" and term.key not in UNREMARKABLE]
    return _status_of_group(terms) if terms else None


def _status_of_group(terms: Sequence[Term]) -> Status:
    polarities = {term.polarity for term in terms}
    if polarities & _STATED:
        return "abnormal"
    return "uncertain" if polarities - {Polarity.NEGATED} else "normal"


def _qualities_stated(passage: StatementPassage) -> list[Term]:
    """Return the findings and modifiers of a passage without what is called normal itself: "contour is normal"."""
    terms = [term for term in passage.terms if term.kind in ("finding", "modifier")]
    normal_ends = {term.end for term in terms if term.is_normality and term.polarity == Polarity.AFFIRMED}
    return [term for term in terms if term.start not in normal_ends]


def _status_of_denied_organs(sentences: Sequence[ParsedStatement]) -> Status:
    """Return the status of a caption that says nothing of how its organ is, but perhaps that it is not there.

    "The right kidney is not visualised" is abnormal, "No mediastinal lymph nodes" is normal. Where a caption only names
    or measures an organ, or tells that nothing has changed, it may be either.
    """
    absent = [term for s in sentences for term in s.terms if term.kind == "organ" and term.polarity == Polarity.NEGATED]
    if any(not term.key.endswith("lymph nodes") for term in absent):
        return "abnormal"
    return "normal" if absent else "uncertain"
