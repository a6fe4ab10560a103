"""Terms of a statement: each name, number, phrase and word that says something, once, and how it is meant."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from .assertion import Polarity, Scopes
from .imaging_words import ImagingName, window_heading
from .lexicon.lexicon import LexiconEntry, PhraseMatch
from .mentions import OrganMention
from .numbers.measure import Measure
from .numbers.measurement_words import NAMES_OF_AXES
from .numbers.scores import read_scores
from .parsed_statement import Kind, Term
from .past import COMPARISON, comparisons
from .time.implied_past import without_implied_past
from .time.time_changes import read_changes
from .tokens import Token, stem
from .word_lists import (
    ALTERNATIVES,
    ARTICLES_BEFORE_NORMAL,
    ATTRIBUTE_STEMS,
    DEFINITE_ARTICLES,
    DEPARTURES,
    FUNCTION_WORDS,
    PLACE_OPENERS,
    POSITION_STEMS,
    SIDES,
    VERBS,
)

_PREVIOUS = LexiconEntry(key="time:previous", modifier="time")
"""What a date says of a finding that was seen on that day."""
_LONGEST_HEADING = 8
"""Tokens before a colon that may be a heading."""
# How a word that denies a finding ("nondilated") means it, by how the word is meant.
_REVERSED = {Polarity.AFFIRMED: Polarity.NEGATED, Polarity.NEGATED: Polarity.AFFIRMED}
# Phrases of the lexicon with one of these flags say nothing of how an organ is.
_SILENT_FLAGS = frozenset(("reporting", "scope_end"))
_ATTRIBUTE_FLAGS = frozenset(("attribute", "limitation", "history", "recommendation", "scope_end", "exception"))


def read_terms(
    tokens: Sequence[Token],
    stems: Sequence[str],
    mentions: Sequence[OrganMention],
    measures: Sequence[Measure],
    matches: Sequence[PhraseMatch],
    scopes: Scopes,
    imaging: Sequence[ImagingName] = (),
) -> list[Term]:
    """Return the terms of a statement in order, with their polarity.

    Organs come before measures, these before phrases of the lexicon, and these before single words: a token that one
    of them covers is not read again.
    """
    terms = _gathered(tokens, stems, mentions, measures, matches, scopes, imaging)
    for term in terms:
        if term.entry is not None and term.is_normality and _is_departed_from(tokens, term.start):
            term.entry, term.key = None, "departure"
        term.attribute = _is_attribute(term)
        if term.kind not in ("hedge", "negation"):
            term.polarity = scopes.polarity[term.start]
            if term.entry is not None and term.entry.denied:
                term.polarity = _REVERSED.get(term.polarity, term.polarity)
    terms.sort(key=attrgetter("start", "end"))
    if scopes.cues:
        _affirm_presupposed(tokens, terms)
    terms = without_implied_past(tokens, _without_repeated_heading(tokens, terms))
    read_changes(tokens, terms)
    read_scores(tokens, terms)
    if not ALTERNATIVES.isdisjoint([token.word for token in tokens]):
        _doubt_alternatives(tokens, terms)
    return terms


def _gathered(
    tokens: Sequence[Token],
    stems: Sequence[str],
    mentions: Sequence[OrganMention],
    measures: Sequence[Measure],
    matches: Sequence[PhraseMatch],
    scopes: Scopes,
    imaging: Sequence[ImagingName] = (),
) -> list[Term]:
    """Return the terms, not in order and without polarity."""
    covered, words = [False] * len(tokens), [token.word for token in tokens]
    terms: list[Term] = []
    for mention in mentions:
        terms.append(Term("organ", mention.start, mention.end, mention.names[0], mention=mention))
        if not mention.finding:
            _cover(covered, mention.start, mention.end)
    for measure in measures:
        if not any(covered[measure.start : measure.end]):
            terms.append(Term("measure", measure.start, measure.end, measure.kind, measure=measure))
            if measure.kind == "date" and measure.role == "earlier":
                terms.append(Term("modifier", measure.start, measure.end, _PREVIOUS.key, entry=_PREVIOUS))
            for index in range(measure.start, measure.end):
                covered[index] = not (measure.axes and tokens[index].word in NAMES_OF_AXES)  # a caption may name one
    for name in imaging:
        terms.extend(_imaging_term(index, stems[index]) for index in range(name.start, name.end))
        _cover(covered, name.start, name.end)
    for start, end in comparisons(tokens, stems):
        if not any(covered[start:end]):
            terms.append(Term("finding", start, end, COMPARISON.key, entry=COMPARISON))
            _cover(covered, start, end)
    for index in range(window_heading(tokens)):
        if not covered[index] and tokens[index].word not in FUNCTION_WORDS:
            terms.append(_imaging_term(index, stems[index]))
        covered[index] = True
    for at in [at for at, word in enumerate(words) if word == "both"]:
        if _joins_words(tokens, at, covered):
            covered[at] = True
    for match in matches:
        term = _phrase_term(match, stems, covered)
        if term is not None:
            terms.append(term)
        covered[match.start : match.end] = [True] * (match.end - match.start)
    for start, (end, _) in scopes.cues.items():
        if not any(term.start == start and term.kind in ("hedge", "negation") for term in terms):
            terms.append(Term("negation", start, end, "not"))
        _cover(covered, start, end)
    terms.extend(
        _word_term(index, tokens[index], stems[index])
        for index, word in enumerate(words)
        if not covered[index] and word[0].isalnum() and word not in FUNCTION_WORDS
        if not (word == "i" and not VERBS.isdisjoint(words[index + 1 : index + 2]))  # who reads
    )
    return terms


def _cover(covered: list[bool], start: int, end: int) -> None:
    covered[start:end] = [True] * (end - start)


def _joins_words(tokens: Sequence[Token], at: int, covered: Sequence[bool]) -> bool:
    """Tell whether "both" joins two words that are no sides of anything: "in both the axial and coronal planes"."""
    following = [index for index in range(at + 1, min(at + 4, len(tokens))) if tokens[index].word != "the"][:2]
    if len(following) < 2 or tokens[following[1]].word != "and":
        return False
    return not covered[following[0]] and stem(tokens[following[0]].word) not in POSITION_STEMS


def _phrase_term(match: PhraseMatch, stems: Sequence[str], covered: Sequence[bool]) -> Term | None:
    """Return the term of a phrase of the lexicon; None where it says nothing, or nothing that is not covered yet."""
    entry = match.entry
    if entry.hedge:
        return Term("hedge", match.start, match.end, entry.key, entry=entry)
    if entry.negation:
        return Term("negation", match.start, match.end, entry.key, entry=entry)
    if not _SILENT_FLAGS.isdisjoint(entry.flags) and not entry.modifier and "normality" not in entry.flags:
        return None
    if False not in covered[match.start : match.end]:
        return None
    if entry.key == "extent:bilateral":
        return Term("side", match.start, match.end, "side:both")
    parts: tuple[str, ...] = ()
    if entry.words:
        free = {stems[index] for index in range(match.start, match.end) if not covered[index]}
        parts = tuple(part for word, part in zip(entry.words, entry.parts, strict=True) if word in free)
    kind: Kind = "modifier" if entry.modifier else "finding"
    return Term(kind, match.start, match.end, entry.key, parts=parts, entry=entry)


def _imaging_term(index: int, stem: str) -> Term:
    """Return the term of a word that names a phase or a sequence: to be found in the evidence, but no finding."""
    return Term("finding", index, index + 1, stem, entry=LexiconEntry(key=stem, flags={"attribute"}))


def _word_term(index: int, token: Token, stem: str) -> Term:
    """Return the term of a word that stands in no phrase: a side, or a finding under its stem."""
    if token.word in SIDES:
        return Term("side", index, index + 1, f"side:{SIDES[token.word]}")
    return Term("finding", index, index + 1, stem)


def _is_departed_from(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether "normal" at ``at`` is departed from: "reversal of the normal curvature", "larger than normal"."""
    before = [token.word for token in tokens[max(0, at - 3) : at] if token.word not in ARTICLES_BEFORE_NORMAL]
    return bool(before) and before[-1] in DEPARTURES


def _is_attribute(term: Term) -> bool:
    if term.kind != "finding" or term.is_normality:
        return False
    return term.key in ATTRIBUTE_STEMS or (term.entry is not None and not _ATTRIBUTE_FLAGS.isdisjoint(term.entry.flags))


def _without_repeated_heading(tokens: Sequence[Token], terms: list[Term]) -> list[Term]:
    """Return the terms without findings of a heading that its text names again: "LYMPHADENOPATHY: No adenopathy".

    Where the text is a bare denial ("Pleural effusion: none"), it denies the findings of the heading.
    """
    colon = next((index for index, token in enumerate(tokens) if token.word == ":"), 0)
    if not 0 < colon <= _LONGEST_HEADING:
        return terms
    body = [term for term in terms if term.start > colon]
    if body and body[0].kind == "negation" and not any(term.kind in ("finding", "organ") for term in body):
        for term in terms:
            if term.start < colon and term.kind in ("finding", "modifier"):
                term.polarity = Polarity.NEGATED
    repeated = {term.key for term in terms if term.start > colon and term.kind == "finding"}
    return [term for term in terms if term.start > colon or term.kind != "finding" or term.key not in repeated]


def _affirm_presupposed(tokens: Sequence[Token], terms: Sequence[Term]) -> None:
    """Let no denial turn round what a definite place is said to be: "no stone within the collapsed bladder".

    The place is known to be so; what is denied is another finding, which stands before it.
    """
    for organ in terms:
        if organ.mention is None or organ.polarity != Polarity.NEGATED:
            continue
        article = next((at for at in range(organ.end - 1, -1, -1) if tokens[at].word in DEFINITE_ARTICLES), 0)
        if not article or tokens[article - 1].word not in PLACE_OPENERS:
            continue
        inside = [term for term in terms if article <= term.start and term.end <= organ.end]
        if any(term.kind in ("negation", "hedge", "measure") for term in inside) or not _are_adjacent(inside, article):
            continue
        if any(term.end >= article and term.start < article for term in terms if term.kind in ("negation", "hedge")):
            continue
        if any(term.kind == "finding" and term.polarity == Polarity.NEGATED for term in terms if term.end < article):
            for term in inside:
                if term.kind in ("finding", "modifier"):
                    term.polarity = Polarity.AFFIRMED


def _are_adjacent(terms: Sequence[Term], article: int) -> bool:
    """Tell whether terms follow an article, and each other, without a word between them."""
    end = article + 1
    for term in terms:
        if term.start > end:
            return False
        end = max(end, term.end)
    return True


def _doubt_alternatives(tokens: Sequence[Token], terms: Sequence[Term]) -> None:
    """Let two findings joined by "or" be affirmed by neither, since one of them is there: "atelectasis or fibrosis"."""
    for at, token in enumerate(tokens):
        if token.word not in ALTERNATIVES:
            continue
        before = next((term for term in reversed(terms) if term.end <= at), None)
        after = next((term for term in terms if term.start > at and term.kind != "modifier"), None)
        if before and after and before.end >= at - 1 and _is_named_finding(before) and _is_named_finding(after):
            for term in (before, after):
                if term.polarity == Polarity.AFFIRMED:
                    term.polarity = Polarity.ALTERNATIVE


def _is_named_finding(term: Term) -> bool:
    entry = term.entry
    return term.kind == "finding" and entry is not None and not entry.flags & {"attribute", "normality"}
