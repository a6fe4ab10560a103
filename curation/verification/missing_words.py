"""Which words that the evidence lacks may be in it under another name, so that only their meaning is in question.

A caption that is refused for such words alone may be put to a language model (``curation/llm/opinions.py``). A word is
one of them where the lexicon has no class for it, so that nothing is known that would speak against it: "scarring" of
"fibrotic bands". A grade, a size, a time, a denial, a doubt, a place, a side, a number or "normal" never is one: where
the evidence lacks it, it says something else.
"""

from __future__ import annotations

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.word_lists import (
    DENIALS_BEFORE,
    OPPOSED_BEGINNINGS,
    OPPOSED_ENDINGS,
    POSITION_STEMS,
    WHEREABOUTS_STEMS,
)

from .clause_matching import ClauseMatch
from .refusals import NO_QUALIFIER, NO_WORD, Mismatch

_SHORTEST, _COMPARED = 3, 6
"""The fewest letters of a word that another turns round, and the letters by which it is known in another form."""
_PLAIN_FLAGS = frozenset(("implied_organ", "finding"))
"""Flags of the lexicon that say nothing of denial, time, doubt or normality."""


def is_of_word(mismatch: Mismatch, term: Term) -> bool:
    """Tell whether a term is not in the evidence by its name, and is a finding or a quality without a class."""
    return mismatch in (NO_WORD, NO_QUALIFIER) and is_plain_word(term)


def is_plain_word(term: Term) -> bool:
    """Tell whether a term is a finding or a quality that has no class and no opposite: not "mild", "left" or "new"."""
    if term.kind not in ("finding", "modifier") or term.attribute or term.is_normality:
        return False
    if term.key in POSITION_STEMS or term.key in WHEREABOUTS_STEMS or any(map(str.isdigit, term.key)):
        return False
    entry = term.entry
    if entry is None:
        return True
    is_cue = entry.modifier is not None or entry.negation is not None or entry.hedge is not None
    return not is_cue and entry.flags <= _PLAIN_FLAGS


def may_be_renamed(match: ClauseMatch, claim: ParsedStatement) -> bool:
    """Tell whether the evidence may have the words that it lacks under other names, and nothing that speaks against it.

    It needs a finding or quality, meant as the missing one is, that the caption does not use. It may have no time and
    no exception that the caption has not, and where the caption denies, no word too many: all of them narrow a denial.
    """
    used = {required.term.key for required in match.clause.required}
    others = [
        offer
        for offer in match.evidence.terms
        if offer.kind in ("finding", "modifier", "measure") and offer.key not in used and not offer.attribute
    ]
    missing = [term for _, term in match.mismatches]
    if any(offer.entry is not None and offer.entry.modifier == "time" for offer in others):
        return False
    if _has_exception(match.evidence.statement) and not _has_exception(claim):
        return False
    if any(term.polarity == Polarity.NEGATED for term in missing):
        return _denies_no_less(match.evidence.statement, claim) and len(others) <= len(missing)
    return all(any(offer.polarity == term.polarity for offer in others) for term in missing)


def _has_exception(statement: ParsedStatement) -> bool:
    return bool(statement.exceptions)


def _denies_no_less(evidence: ParsedStatement, claim: ParsedStatement) -> bool:
    """Tell whether no cue of the evidence has a qualifier in it that the caption has not: "no suspicious"."""
    cues = [term for term in evidence.terms if term.kind == "negation"]
    with_qualifier = {
        cue.key for cue in cues if evidence.tokens[cue.start].word in DENIALS_BEFORE and cue.end - cue.start > 1
    }
    return with_qualifier <= {term.key for term in claim.terms}


def are_plain_words(parser: StatementParser, words: str) -> bool:
    """Tell whether words of a report name nothing but findings and qualities without a class, and affirm them."""
    terms = parser.parse(words).terms
    return bool(terms) and all(is_plain_word(term) and term.polarity == Polarity.AFFIRMED for term in terms)


def are_opposed(words: str, others: str) -> bool:
    """Tell whether a word of one text is a word of the other turned round: "irregular" of "regular"."""
    first, second = words.lower().split(), others.lower().split()
    return any(_is_reversal(word, other) or _is_reversal(other, word) for word in first for other in second)


def _is_reversal(word: str, other: str) -> bool:
    """Tell whether a word says the opposite of another by its beginning or its end: "hypodense", "airless"."""
    plain_forms = [
        replaced + word[len(beginning) :].lstrip("-")
        for beginning, replaced in OPPOSED_BEGINNINGS
        if word.startswith(beginning)
    ]
    if word.endswith(OPPOSED_ENDINGS):
        plain_forms.append(word[:-4].rstrip("-"))
    return any(len(plain) >= _SHORTEST and plain[:_COMPARED] == other[:_COMPARED] for plain in plain_forms)
