"""Does a caption place a finding where its evidence says that it is not: "cysts of the liver sparing the caudate lobe"?

What is spared stands behind "sparing", "none of which", "does not involve", or before "is spared", "being free".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from curation.caption import Reason
from curation.language.assertion import Polarity
from curation.language.denial_words import INVOLVEMENT_STEMS, SPARED_WORDS, SPARING_STEM
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.word_lists import CLAUSE_ENDS, COPULAS

from ..refusals import RefusalCause

_ENDS = CLAUSE_ENDS | frozenset((",", ";", ".", ":"))
_BEFORE_SPARED = COPULAS | frozenset(("being",))
# Besides the stem of "sparing", what is spared stands beside one of these.
_WORDS_OF_SPARING = SPARED_WORDS | frozenset(("none", "not"))
_REFERENCES = frozenset(("which", "them", "these", "whom", "those"))


def placed_in_spared_parts(caption: ParsedStatement, statement: ParsedStatement) -> Iterator[RefusalCause]:
    """Yield a cause for what a caption names as a place of a finding, and its evidence only as spared by it."""
    zones = list(_zones(statement))
    if not zones or _names_sparing(caption) or any(_denies(term) for term in caption.terms):
        return
    inside = [term for term in statement.terms if any(start <= term.start < end for start, end in zones)]
    outside = _places([term for term in statement.terms if term not in inside], statement)
    spared = _places(inside, statement) - outside
    if not any(_is_finding(term) and term not in inside for term in statement.terms):
        spared = _places(inside, statement)
    for term in caption.terms:
        if not spared.isdisjoint(_places([term], caption)):
            yield RefusalCause(Reason.NEGATION, f"“{caption.text_of(term)}” is spared in the evidence")


def _zones(statement: ParsedStatement) -> Iterator[tuple[int, int]]:
    """Yield the tokens ``[start, end)`` that name what is spared."""
    stems = statement.stems
    if SPARING_STEM not in stems and _WORDS_OF_SPARING.isdisjoint(statement.words):
        return
    words = [token.word for token in statement.tokens]
    for at, word in enumerate(words):
        if word in SPARED_WORDS and at and words[at - 1] in _BEFORE_SPARED:
            start = _start_of_clause(statement, at)
            ends = _end_of_clause(words, at) == at + 1
            if ends and any(_is_finding(term) and term.end <= start for term in statement.terms):
                yield start, at
        elif stems[at] == SPARING_STEM:
            before = [term.start for term in statement.terms if term.end == at and (term.mention or term.attribute)]
            yield min([*before, at]), _end_of_clause(words, at + 1)
        elif word == "none" and words[at + 1 : at + 2] == ["of"] and _REFERENCES.intersection(words[at + 2 : at + 3]):
            yield at, _end_of_clause(words, at + 3)
        elif word == "not" and INVOLVEMENT_STEMS.intersection(stems[at + 1 : at + 2]):
            if at and words[at - 1] in COPULAS:
                yield _start_of_clause(statement, at), at
            else:
                yield at, _end_of_clause(words, at + 2)


def _start_of_clause(statement: ParsedStatement, at: int) -> int:
    """Return where the clause of a word begins; a relative clause is about the last organ before its comma."""
    words = [token.word for token in statement.tokens[:at]]
    start = next((index + 1 for index in range(at - 1, -1, -1) if words[index] in _ENDS), 0)
    if start and words[start] == "which":
        return max((term.start for term in statement.terms if term.mention and term.end < start), default=start)
    return start


def _end_of_clause(words: Sequence[str], start: int) -> int:
    return next((index for index in range(start, len(words)) if words[index] in _ENDS), len(words))


def _names_sparing(statement: ParsedStatement) -> bool:
    """Tell whether a caption says itself that something is spared."""
    return SPARING_STEM in statement.stems or any(token.word in SPARED_WORDS for token in statement.tokens)


def _denies(term: Term) -> bool:
    return term.kind == "negation" or term.polarity == Polarity.NEGATED


def _is_finding(term: Term) -> bool:
    return term.kind == "finding" and not term.attribute and term.entry is not None


def _places(terms: Iterable[Term], statement: ParsedStatement) -> set[str]:
    """Return the organs and other words, with their stems, that tell where something is."""
    places: set[str] = set()
    for term in terms:
        is_word = term.kind == "finding" and term.aspect is None and (term.attribute or term.entry is None)
        if term.mention:
            places.update(term.mention.names)
        if term.mention or is_word:
            places.update(statement.stems[term.start : term.end])
    return places
