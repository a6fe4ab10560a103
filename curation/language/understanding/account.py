"""How much of a passage was understood: the words on which what it says rests, where we do not know them.

Every word of a statement is an organ, a finding, a qualifier, a cue or a measure; one that the lexicon does not list is
known too where it is a word of grammar or general English (``general_words.py``), says where, or names a finding by its
ending ("-itis"). Of the others it depends on their place whether they can turn what is said. They cannot

- as qualifiers of a finding that is known, affirmed or denied: "a ropy cyst" is a cyst, "no ropy cyst" no such cyst;
- beside what is called normal, larger or denser, as its subject or place: "the girth of the spleen is normal";
- of a device, which is there whatever becomes of it: "the tube is coiled".

They can, and the passage rests on them,

- where nothing else says anything: "the spleen is lopsided", "crossed displacement of the kidney";
- as a noun before "of" and a finding: "dispersal of the clot", and as its predicate: "the clot has dispersed";
- as a verb between an organ and a finding, where there is no other: "the liver lacks cysts";
- right before a word of normality, or beside it where no organ is named: "barely normal", "given the normal lipase";
- as the noun of a grade: "mild ropiness".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..assertion import Polarity
from ..denial_words import LISTED_ADJECTIVE_ENDINGS
from ..doubt_and_past_words import REASON_OPENERS
from ..parsed_statement import ParsedStatement, Term
from ..structure.quality_kinds import is_whereabouts
from ..tokens import stem
from ..word_lists import CLAUSE_ENDS, NEUTRAL_STEMS, REPORTING_STEMS, VERBS
from .general_words import (
    FINDING_ENDINGS,
    GENERAL_FINDING_STEMS,
    GENERAL_STEMS,
    HEIGHT_STEMS,
    NO_FINDINGS_BY_ENDING,
    PAST_AUXILIARIES,
    PERFECT_AUXILIARIES,
    PLACE_BEGINNINGS,
    PLACE_ENDINGS,
)
from .passages import StatementPassage

_KNOWN_STEMS = GENERAL_STEMS | NEUTRAL_STEMS | REPORTING_STEMS


class PassageAccount(NamedTuple):
    """What was understood of a passage.

    ``findings``: those that are known. ``unknown``: the words on which it rests and that we do not know.
    ``says_something``: it has a finding, a quality, a size, or an organ that is denied.
    """

    findings: tuple[Term, ...]
    unknown: tuple[Term, ...]
    says_something: bool

    @property
    def affirms_finding(self) -> bool:
        """Whether a finding is there, or may be."""
        return any(term.polarity != Polarity.NEGATED for term in self.findings)


@lru_cache(maxsize=4_096)
def account_of(passage: StatementPassage) -> PassageAccount:
    """Return what was understood of a passage."""
    statement = passage.statement
    unknown = tuple(term for term in passage.own if is_unknown_word(statement, term))
    findings = tuple(t for t in passage.terms if _is_known_finding(statement, t) or _is_finding_here(passage, t))
    unknown = tuple(term for term in unknown if term not in findings)
    findings += tuple(_high_or_low(passage))
    if unknown:
        findings = tuple(term for term in findings if not _only_qualifies(passage, term, unknown))
    says_something = bool(findings) or any(_says_something(term, alone=not unknown) for term in passage.terms)
    if unknown and says_something:
        unknown = tuple(term for term in unknown if _rests_on(passage, term, findings))
    return PassageAccount(findings, unknown, says_something)


def is_unknown_word(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a term is a word that we do not know."""
    if term.kind != "finding" or term.entry is not None or term.attribute or not term.key[0].isalpha():
        return False
    if term.key in _KNOWN_STEMS or is_whereabouts(term) or _is_known_finding(statement, term):
        return False
    word = statement.tokens[term.start].word
    is_place = word.startswith(PLACE_BEGINNINGS) and word.endswith(PLACE_ENDINGS)
    return not is_place and len(word) > 1 and not word[-1].isdigit()


def _is_known_finding(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a term is a finding that the lexicon lists, that its ending tells, or that anything may be."""
    if term.mention is not None:
        return term.mention.device or term.mention.finding
    if term.kind == "finding" and term.attribute and statement.tokens[term.start].word == "fatty":
        return term.end == len(statement.tokens) or statement.tokens[term.end].word in CLAUSE_ENDS  # "Liver: fatty"
    if term.kind != "finding" or term.attribute or term.is_normality:
        return False
    if term.entry is not None:
        return _NO_FINDING_FLAGS.isdisjoint(term.entry.flags)
    if term.key == DEPARTURE:
        return True
    word = statement.tokens[term.end - 1].word
    if term.key in GENERAL_FINDING_STEMS:
        if word != "change" or term.polarity != Polarity.NEGATED:
            return True  # "no change" compares, "no destructive change" does not
        return any(t.end == term.start and t.kind == "finding" and t.entry is not None for t in statement.terms)
    return word.endswith(FINDING_ENDINGS) and not word.endswith(NO_FINDINGS_BY_ENDING)


def _is_finding_here(passage: StatementPassage, term: Term) -> bool:
    """Tell whether a word is a finding in an organ of the passage: "opacified", of a sinus and not of a vessel."""
    organs = _FINDINGS_OF.get(term.key)
    if organs is None or term.entry is not None:
        return False
    mentions = [site.mention for site in passage.sites if site.mention]
    return any(not organs.isdisjoint((*mention.names, *mention.within)) for mention in mentions)


def _high_or_low(passage: StatementPassage) -> Iterator[Term]:
    """Yield the words that say of a property that it is high or low: "high signal"."""
    properties = {term.start for term in passage.own if term.attribute}
    for term in passage.own:
        if term.entry is None and term.key in HEIGHT_STEMS and term.end in properties:
            yield term


def _only_qualifies(passage: StatementPassage, term: Term, unknown: Sequence[Term]) -> bool:
    """Tell whether a listed word is an adjective of an unknown noun: "nonspecific ropiness" names no finding."""
    if term.entry is None or not term.entry.flags.isdisjoint(("finding", "implied_organ")):
        return False
    following = next((other for other in unknown if other.start == term.end), None)
    if following is None or (following.end < passage.end and _names_more(passage, following.end)):
        return False
    return passage.statement.tokens[term.end - 1].word.endswith(LISTED_ADJECTIVE_ENDINGS)


def _names_more(passage: StatementPassage, at: int) -> bool:
    """Tell whether a finding or a quality begins at a token."""
    return any(other.start == at and other.kind in ("finding", "modifier") for other in passage.own)


_NO_FINDING_FLAGS = frozenset(("pseudo_negation", "recommendation", "limitation", "history"))
"""Flags of phrases that say nothing of how an organ is: "no further", "is recommended"."""
HOLDING_AIR = frozenset(("paranasal sinuses", "mastoid air cells", "middle ears", "airways", "lungs"))
_FINDINGS_OF = {stem("opacified"): HOLDING_AIR}
"""Words that name a finding in some organs only."""
_BARE_GRADES = frozenset(
    f"severity:{grade}"
    for grade in ("minimal", "faint", "mild", "mild_to_moderate", "moderate", "moderate_to_severe", "marked", "severe")
)
"""Grades that say nothing of an organ without the finding that they grade: "Neural foramina: moderate"."""
DEPARTURE = "departure"
"""Key of a word of normality that is departed from: "above normal"."""


def _says_something(term: Term, alone: bool) -> bool:
    """Tell whether a term says how its organ is; one that is denied ``alone`` is not there: "no uterus"."""
    if term.mention is not None:
        is_absent = alone and term.polarity == Polarity.NEGATED and not term.mention.adjective
        return is_absent or term.key.endswith("lymph nodes")
    if term.kind == "modifier":
        return term.key not in _BARE_GRADES  # "mild" of what?
    return term.is_normality or term.kind == "measure"


def _rests_on(passage: StatementPassage, term: Term, findings: Sequence[Term]) -> bool:
    """Tell whether a passage that says something in words that we know rests on an unknown word of it all the same."""
    if any(finding.mention and finding.mention.device for finding in findings):
        return False
    if findings:
        return _governs(passage, term, findings)
    normal = [other for other in passage.terms if other.is_normality]
    if normal:
        return _turns_normality(passage, term, normal)
    if any(other.mention and other.key.endswith("lymph nodes") for other in passage.own):
        return False
    qualities = [other for other in passage.terms if other.kind == "modifier"]
    return not qualities or not passage.sites or _is_noun_of(passage, term, qualities)


def _governs(passage: StatementPassage, term: Term, findings: Sequence[Term]) -> bool:
    """Tell whether an unknown word says what became of a finding, or whether it is there."""
    tokens = passage.statement.tokens
    before = [finding for finding in findings if finding.end <= term.start]
    behind = [finding for finding in findings if finding.start >= term.end]
    if behind and not before and term.end < passage.end and tokens[term.end].word == "of":
        return True  # "dispersal of the clot"
    if before and not behind and _is_passive_or_perfect(passage, term):
        said = [other for other in passage.own if before[-1].end <= other.start < term.start]
        return not any(other.kind in ("modifier", "hedge", "negation") for other in said)
    if before or not behind or passage.has_verb:
        return False
    word = tokens[term.start].word
    organs = [other.end for other in passage.own if other.mention and not other.mention.adjective]
    return term.start in organs and word.endswith("s") and not word.endswith(("ss", "us", "is"))


def _is_passive_or_perfect(passage: StatementPassage, term: Term) -> bool:
    """Tell whether a word tells what has happened: "has dispersed", "was evacuated". "is bright" only describes."""
    tokens = passage.statement.tokens
    previous = tokens[term.start - 1].word if term.start > passage.start else ""
    return previous in PERFECT_AUXILIARIES or (previous in PAST_AUXILIARIES and tokens[term.start].word.endswith("ed"))


def _turns_normality(passage: StatementPassage, term: Term, normal: Sequence[Term]) -> bool:
    """Tell whether an unknown word may take back that something is normal, or make it a thing of its own."""
    tokens = passage.statement.tokens
    if all(other.polarity == Polarity.NEGATED for other in normal):
        return False
    if any(term.end == other.start for other in normal):
        is_behind_verb = any(tokens[index].word in VERBS for index in range(passage.start, term.start))
        return is_behind_verb or tokens[term.start].word.endswith("ly")
    if not passage.sites:
        return True
    if any(other.end == term.start and _is_apart(passage, other, term) for other in normal):
        return True
    before = [other.end for other in normal if other.end <= term.start]
    return bool(before) and any(tokens[index].word in VERBS for index in range(before[-1], term.start))


def _is_apart(passage: StatementPassage, normal: Term, term: Term) -> bool:
    """Tell whether a thing that is called normal is another than the organ: "…, given the normal lipase"."""
    if any(site.start >= term.end for site in passage.sites):
        return False  # "the normal girth of the spleen"
    words = [token.word for token in passage.statement.tokens[passage.start : normal.start]]
    return words[-1:] == ["the"] or not REASON_OPENERS.isdisjoint(words)


def _is_noun_of(passage: StatementPassage, term: Term, qualities: Sequence[Term]) -> bool:
    """Tell whether an unknown word stands behind a grade with nothing but other findings and grades between them."""
    inside = {index for other in passage.own if other.kind in ("finding", "modifier") for index in _tokens(other)}
    return any(
        quality.end <= term.start and inside.issuperset(range(quality.start, term.start)) for quality in qualities
    )


def _tokens(term: Term) -> range:
    return range(term.start, term.end)
