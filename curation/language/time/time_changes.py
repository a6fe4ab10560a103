"""Changes between two days, in whatever words: "larger than before" and "has increased in size" are an increase.

"Larger" alone compares with another finding or with what is usual, and so may "increased in size". A word for the time
beside them ("than before", "since the prior CT", "interval", "has") makes them a change.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..doubt_and_past_words import WORDS_OF_EARLIER_DAYS
from ..lexicon.lexicon import LexiconEntry
from ..parsed_statement import Term
from ..tokens import Token
from ..word_lists import CLAUSE_ENDS

_INCREASED = LexiconEntry(key="time:increased", modifier="time")
_DECREASED = LexiconEntry(key="time:decreased", modifier="time")
_COMPARED = {
    "size:larger": _INCREASED,
    "size:smaller": _DECREASED,
    "severity:more_pronounced": _INCREASED,
    "severity:less_pronounced": _DECREASED,
}
_OF_SIZE = ("larg", "bigger", "small", "grow", "grew", "shrink", "shrunk", "shrank", "enlarg")
"""Beginnings of words that tell a change in size."""
_CHANGES = frozenset((_INCREASED.key, _DECREASED.key))
_ENLARGED = "enlarg"
_ENLARGING = "enlarging"
_INTERVAL = "time:interval"
_COMPARISON = "comparison"
_PERFECT = frozenset(("has", "have", "had"))
_WORDS_BEFORE_A_CHANGE = 3
"""Words within which "has" stands before the change that it tells: "has slightly increased in size"."""


def read_changes(tokens: Sequence[Token], terms: list[Term]) -> None:
    """Give the terms that tell a change between two days its meaning, and mark those that only say so again.

    "Enlarging nodes" are enlarged and grow: the growth is added to ``terms``.
    """
    for term in list(terms):
        if term.entry is not None and term.key != _ENLARGED and tokens[term.start].word == _ENLARGING:
            growth = Term("modifier", term.start, term.start + 1, _INCREASED.key, term.polarity, entry=_INCREASED)
            terms.insert(terms.index(term), growth)
        if term.key in _COMPARED and _is_compared_in_time(tokens, term, terms):
            term.entry = _COMPARED[term.key]
            term.key = term.entry.key
        elif term.key == _ENLARGED and _tells_growth(tokens, term, terms):
            term.kind, term.entry, term.key = "modifier", _INCREASED, _INCREASED.key
            term.parts = (*term.parts, _ENLARGED)
        if term.key in _CHANGES and "size" not in term.parts and _names_size(tokens, term):
            term.parts = (*term.parts, "size")
    if any([term.key.startswith("time:") and term.key != _INTERVAL for term in terms]):
        for at, term in enumerate(terms):
            term.implied |= (
                term.key == _INTERVAL
                or (term.key == _COMPARISON and not _names_a_day(tokens, term))
                or _is_of_earlier_days(tokens, terms, at)
            )


def _names_size(tokens: Sequence[Token], term: Term) -> bool:
    return any(token.word.startswith(_OF_SIZE) for token in tokens[term.start : term.end])


def _names_a_day(tokens: Sequence[Token], term: Term) -> bool:
    return any(token.word[0].isdigit() for token in tokens[term.start : term.end])


def _tells_growth(tokens: Sequence[Token], term: Term, terms: Sequence[Term]) -> bool:
    """Tell whether a term that may only say that something is large says that it grew."""
    words = {token.word for token in tokens[term.start : term.end]}
    if _ENLARGING in words:
        return True
    is_increase = any(word.startswith("increas") for word in words)
    before = {token.word for token in tokens[max(0, term.start - _WORDS_BEFORE_A_CHANGE) : term.start]}
    return is_increase and (not _PERFECT.isdisjoint(before) or _is_compared_in_time(tokens, term, terms))


def _is_compared_in_time(tokens: Sequence[Token], term: Term, terms: Sequence[Term]) -> bool:
    """Tell whether the clause of a term names an earlier day: "than before", "interval", "compared to the prior"."""
    start = next((at + 1 for at in range(term.start - 1, -1, -1) if tokens[at].word in CLAUSE_ENDS), 0)
    end = next((at for at in range(term.end, len(tokens)) if tokens[at].word in CLAUSE_ENDS), len(tokens))
    inside = [at for at, other in enumerate(terms) if start <= other.start < end]
    return any(terms[at].key in (_INTERVAL, _COMPARISON) or _is_of_earlier_days(tokens, terms, at) for at in inside)


def _is_of_earlier_days(tokens: Sequence[Token], terms: Sequence[Term], at: int) -> bool:
    """Tell whether a word leads to an earlier day, or names one behind it: "than before", "than previously"."""
    term = terms[at]
    if term.key == "than":
        return term.end < len(tokens) and tokens[term.end].word in WORDS_OF_EARLIER_DAYS
    is_behind = term.start > 0 and tokens[term.start - 1].word in ("than", "as")
    return is_behind and tokens[term.start].word in WORDS_OF_EARLIER_DAYS
