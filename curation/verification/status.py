"""Normal, abnormal or uncertain: what a caption says of its organ."""

from __future__ import annotations

from collections.abc import Sequence

from curation.caption import Status
from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term

# Keys of qualities that are no change: beside no other finding they make a caption normal.
UNREMARKABLE = frozenset(
    ("time:stable", "density:homogeneous", "morphology:regular", "morphology:smooth", "extent:symmetric")
)
# A finding that is meant so is there.
_STATED = {Polarity.AFFIRMED, Polarity.ATTRIBUTED, Polarity.ALTERNATIVE, Polarity.EARLIER}


def status_of(*sentences: ParsedStatement) -> Status:
    """Return the status of a caption of one or more sentences.

    A finding that is affirmed makes it abnormal, one that is only suspected uncertain. Normal is what is stated as
    unremarkable or denied. A word the lexicon does not know counts as a finding only where nothing is called normal.
    """
    terms = [term for sentence in sentences for term in _statements_of(sentence)]
    devices = [term for sentence in sentences for term in sentence.terms if term.mention and term.mention.device]
    normal = any(term.is_normality and term.polarity != Polarity.NEGATED for term in terms)
    for group in (_findings(terms, normal) + devices, _qualities(terms, normal)):
        polarities = {term.polarity for term in group}
        if polarities & _STATED:
            return "abnormal"
        if polarities - {Polarity.NEGATED}:
            return "uncertain"
        if polarities:
            return "normal"
    if any(term.is_normality and term.polarity == Polarity.NEGATED for term in terms) and not normal:
        return "abnormal"
    return "abnormal" if any(_denies_its_organ(sentence) for sentence in sentences) else "normal"


def _statements_of(sentence: ParsedStatement) -> list[Term]:
    """Return the findings and modifiers of a sentence, without its heading ("LYMPHADENOPATHY: none").

    What is called normal itself ("contour is normal": the contour) is left out.
    """
    headed = (s.start for s in sentence.segments if s.joiner == ":" and s.terms and not _in_brackets(sentence, s.start))
    start = max(headed, default=0)
    terms = [term for term in sentence.terms if term.kind in ("finding", "modifier") and term.start >= start]
    normal_ends = {term.end for term in terms if term.is_normality and term.polarity == Polarity.AFFIRMED}
    return [term for term in terms if term.start not in normal_ends]


def _in_brackets(sentence: ParsedStatement, at: int) -> bool:
    """Tell whether brackets are open at a token, so that a colon before it names an image: "(series 3: image 44)"."""
    words = [token.word for token in sentence.tokens[:at]]
    return words.count("(") > words.count(")") or words.count("[") > words.count("]")


def _denies_its_organ(sentence: ParsedStatement) -> bool:
    """Tell whether an organ is itself denied: "the right kidney is not visualised"."""
    absent = [term for term in sentence.terms if term.kind == "organ" and term.polarity == Polarity.NEGATED]
    return any(not term.key.endswith("lymph nodes") for term in absent) and not any(
        term.kind in ("finding", "modifier") and term.polarity == Polarity.NEGATED for term in sentence.terms
    )


def _findings(terms: Sequence[Term], normal: bool) -> list[Term]:
    """Return what is found.

    Words that the lexicon does not list count only where it lists none of them and nothing is called normal.
    """
    findings = [term for term in terms if term.kind == "finding" and not term.attribute and not term.is_normality]
    listed = [term for term in findings if term.entry is not None]
    if listed or normal:
        return listed
    return [term for term in findings if not term.key.endswith("li")]  # the stem of an adverb, which is no finding


def _qualities(terms: Sequence[Term], normal: bool) -> list[Term]:
    """Return changes and grades that stand alone: "the diameter is increased". Beside "normal" they qualify it."""
    if normal:
        return []
    return [term for term in terms if term.kind == "modifier" and term.key not in UNREMARKABLE]
