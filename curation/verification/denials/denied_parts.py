"""Denied parts of a statement: the terms of one segment that one cue denies, up to their head and behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.denial_words import (
    ADJECTIVE_ENDINGS,
    LISTED_ADJECTIVE_ENDINGS,
    NOT_NARROWING_STEMS,
    PHRASE_ENDS,
    RELATIVE_PRONOUNS,
)
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.word_lists import COORDINATORS, DENIALS, LIST_JOINERS, NOT_WORDS

# Members of a list that one qualifier may hold for are joined by these: "no acute bleed or infarct".
_PAIR_JOINERS = COORDINATORS | {"nor", "/"}


class Qualifier(NamedTuple):
    """Tokens ``[start, end)``, which narrow what is denied. ``term`` is None for a word of the cue ("no new")."""

    start: int
    end: int
    term: Term | None


class DeniedPart(NamedTuple):
    """The denied terms of segment number ``segment``, before what it shares with others is known.

    ``cue_words`` are the narrowing words of its cue; ``core`` has the terms up to the head, which is the last of them;
    ``after`` those behind. ``opens_list``: it begins with its cue. ``is_headless``: it only has qualifiers, of a head
    that the next segment has: "no new (or enlarging nodule)".
    """

    segment: int
    cue_words: tuple[Qualifier, ...]
    core: tuple[Term, ...]
    after: tuple[Term, ...]
    opens_list: bool
    is_headless: bool


def denied_parts(statement: ParsedStatement) -> tuple[DeniedPart, ...]:
    """Return the denied parts of a statement, in order."""
    return _cached_denied_parts(statement)


@lru_cache(maxsize=2_048)
def _cached_denied_parts(statement: ParsedStatement) -> tuple[DeniedPart, ...]:
    return tuple(_denied_parts(statement))


def _denied_parts(statement: ParsedStatement) -> Iterator[DeniedPart]:
    for index, segment in enumerate(statement.segments):
        cues = [term for term in segment.terms if term.kind == "negation"]
        starts = [cue.start for cue in cues if _denies_what_follows(cue, statement) and cue.start > segment.start]
        begin = segment.start
        for end in (*starts, segment.end):
            terms = [term for term in segment.terms if begin <= term.start < end and term.kind != "negation"]
            terms = list(_denied_terms(terms, statement))
            words = [word for cue in cues if begin <= cue.start < end for word in _narrowing_words(cue, statement)]
            if terms or words:
                cue = next((cue for cue in cues if cue.start == begin), None)
                core_end = _core_end(terms, statement, range(begin if cue is None else cue.end, end))
                core, after = _core_and_rest(terms, core_end, statement)
                is_headless = not after and all(_is_adjective(term, statement) for term in core)
                yield DeniedPart(index, tuple(words), core, after, cue is not None, is_headless)
            begin = end


def _denied_terms(terms: Sequence[Term], statement: ParsedStatement) -> Iterator[Term]:
    """Yield the denied terms, with those of a clause about them: "no nodule which is suspicious for metastasis"."""
    is_relative = False
    denied_end = 0
    for term in terms:
        if term.polarity == Polarity.NEGATED:
            denied_end = term.end
            yield term
        elif denied_end:
            between = statement.tokens[denied_end : term.start]
            is_relative = is_relative or any(token.word in RELATIVE_PRONOUNS for token in between)
            if is_relative and term.kind != "hedge":
                yield term


def _denies_what_follows(cue: Term, statement: ParsedStatement) -> bool:
    if cue.entry is not None:
        return cue.entry.negation == "before"
    return cue.end - cue.start == 1 and statement.tokens[cue.start].word in NOT_WORDS


def _narrowing_words(cue: Term, statement: ParsedStatement) -> Iterator[Qualifier]:
    """Yield the words of a cue that narrow what it denies: "new" of "no new"."""
    tokens = statement.tokens[cue.start : cue.end]
    if not any(token.word in DENIALS for token in tokens):
        return
    for at, token in enumerate(tokens, cue.start):
        if token.word.isalpha() and not only_reports(at, statement):
            yield Qualifier(at, at + 1, None)


def _core_end(terms: Sequence[Term], statement: ParsedStatement, tokens: range) -> int:
    """Return where what is said about the head of a phrase begins: at a preposition, a verb, "that".

    An "of" behind words that name nothing leads to the head: "no large amount of ascites".
    """
    first_head = next((term.start for term in terms if _may_be_head(term, statement)), tokens.stop)
    ends = (at for at in tokens if statement.tokens[at].word in PHRASE_ENDS)
    return next((at for at in ends if statement.tokens[at].word != "of" or at > first_head), tokens.stop)


def _core_and_rest(
    terms: Sequence[Term], core_end: int, statement: ParsedStatement
) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """Return the terms up to the head of a phrase, which is the last of them, and those behind it."""
    heads = [at for at, term in enumerate(terms) if term.start < core_end and _may_be_head(term, statement)]
    end = heads[-1] + 1 if heads else sum(term.start < core_end for term in terms)
    return tuple(terms[:end]), tuple(terms[end:])


def _may_be_head(term: Term, statement: ParsedStatement) -> bool:
    is_name = term.kind in ("organ", "finding")
    return is_name and not all(only_reports(at, statement) for at in range(term.start, term.end))


def only_reports(at: int, statement: ParsedStatement) -> bool:
    """Tell whether a token beside a denied finding only says that it was looked for: "visible", "evidence of"."""
    return not NOT_NARROWING_STEMS.isdisjoint((statement.stems[at], statement.tokens[at].word))


def _is_adjective(term: Term, statement: ParsedStatement) -> bool:
    word = statement.tokens[term.end - 1].word
    if term.kind == "finding":
        if term.entry is not None and "attribute" in term.entry.flags:
            return True  # "endplate or facet changes"
        endings = ADJECTIVE_ENDINGS if term.entry is None else LISTED_ADJECTIVE_ENDINGS
        return word.endswith(endings) and not word.endswith("eed")  # "bleed"
    if term.mention is not None:
        is_noun = term.mention.plural or term.key.endswith("lymph nodes")
        return not is_noun or (term.mention.station and word.endswith(ADJECTIVE_ENDINGS))
    return term.kind in ("modifier", "side")


def continues_list(segment: Segment) -> bool:
    """Tell whether a segment is the next member of a list, without a denial of its own."""
    has_own_denial = any(term.kind == "negation" and term.start == segment.start for term in segment.terms)
    return not has_own_denial and bool(segment.joiner) and LIST_JOINERS.issuperset(segment.joiner.split())


def are_listed(first: DeniedPart, second: DeniedPart, segments: Sequence[Segment]) -> bool:
    """Tell whether two parts may share a qualifier: they are joined by "or", "and" or a slash.

    A comma joins no more than the qualifiers of one head: "no new, enlarging nodule".
    """
    segment = segments[second.segment]
    if second.segment != first.segment + 1 or not continues_list(segment):
        return False
    if not _PAIR_JOINERS.isdisjoint(segment.joiner.split()):
        return True
    return first.is_headless and (first.opens_list or all(term.mention for term in first.core))
