"""What a statement refers back to: "It measures 5 mm", "The largest is calcified", "Stranding around this loop".

A reference is a pronoun, a noun with "this" or "these", or a noun with "the" that opens its clause and names no organ.
What it refers to stands in a statement before it. Where two things could be meant, none is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.reference_words import (
    DEMONSTRATIVES,
    DETERMINERS,
    GENERAL_FINDING_STEMS,
    PART_NOUN_STEMS,
    PHRASE_ENDS,
    PLACE_NOUN_STEMS,
    POSSESSIVES,
    PRONOUNS,
)
from curation.language.tokens import stem
from curation.language.word_lists import VERBS

from ..answers import Spans
from ..omissions import LARGEST
from ..report_statements import ReadReport, ReportStatement
from .hosts import is_adjective

FARTHEST_REFERENCE = 4
"""Statements back in which the noun of a reference is looked for. A pronoun refers to the statement right before it."""
_PLACE_PREPOSITIONS = frozenset(("at", "in", "within"))
_OPENERS = frozenset((*PRONOUNS, *DEMONSTRATIVES, *POSSESSIVES, "the"))
_VERBS_OF_PLACE = frozenset("involves occupies lies arises projects abuts replaces".split())
_PHRASE_ENDS = PHRASE_ENDS | DETERMINERS  # "In the right upper lobe a nodule" has two phrases
_NOUN_PHRASE_ENDS = _PHRASE_ENDS | VERBS | _VERBS_OF_PLACE


class Reference(NamedTuple):
    """Words ``[start, end)`` of segment ``segment`` that refer back, as a noun phrase.

    ``keys`` are those of its findings, of the words of its organs, and of its noun, which is ``noun``; there are none
    in a pronoun. ``largest``: it means the largest of several. ``points``: it says "this" or "these". ``opens``: its
    clause is about it.
    """

    start: int
    end: int
    segment: int
    keys: frozenset[str]
    noun: str
    largest: bool
    points: bool
    opens: bool

    @property
    def is_bare(self) -> bool:
        """Whether it has no noun: "it", "the largest"."""
        return not self.noun


class Antecedent(NamedTuple):
    """The statement that a reference refers to, and the term of it that names what is meant."""

    statement: ReportStatement
    term: Term


def references(statement: ParsedStatement) -> tuple[Reference, ...]:
    """Return the references of a statement in order."""
    return _cached_references(statement)


@lru_cache(maxsize=2_048)
def _cached_references(statement: ParsedStatement) -> tuple[Reference, ...]:
    return tuple(
        reference
        for index, segment in enumerate(statement.segments)
        for reference in _references_of(statement, index, segment)
    )


def _references_of(statement: ParsedStatement, index: int, segment: Segment) -> Iterator[Reference]:
    tokens = statement.tokens
    for at in range(segment.start, segment.end):
        word = tokens[at].word
        if word not in _OPENERS:
            continue
        opens = _opens_clause(statement, segment, at)
        if word in PRONOUNS and opens:
            if at + 1 < segment.end and tokens[at + 1].word in VERBS and not _reports(statement, at):
                yield Reference(at, at + 1, index, frozenset(), "", largest=False, points=False, opens=True)
        elif word in DEMONSTRATIVES or (opens and (word == "the" or word in POSSESSIVES)):
            reference = _noun_phrase(statement, index, segment, at, opens)
            if reference is not None:
                yield reference


def _noun_phrase(statement: ParsedStatement, index: int, segment: Segment, start: int, opens: bool) -> Reference | None:
    """Return the reference that the article or the demonstrative at ``start`` opens; None where it is none."""
    tokens = statement.tokens
    end = start + 1
    while end < segment.end and tokens[end].word not in _NOUN_PHRASE_ENDS:
        end += 1
    terms = [term for term in segment.terms if start < term.start < end]
    nouns = [term for term in terms if term.kind in ("finding", "organ")]
    word = tokens[start].word
    largest = any(term.key == LARGEST for term in terms)
    if not nouns:
        is_pronoun = end == start + 1 and word in DEMONSTRATIVES and opens and end < segment.end
        is_pronoun = is_pronoun and tokens[end].word in VERBS
        if not (largest or is_pronoun):
            return None
        return Reference(start, end, index, frozenset(), "", largest, word in DEMONSTRATIVES, opens)
    head = nouns[-1]
    if head.mention and not head.mention.finding and not _is_part(statement, head):
        if word not in DEMONSTRATIVES:
            return None  # "The liver" names an organ
    keys = {key for term in nouns for key in _keys(statement, term)}
    return Reference(start, end, index, frozenset(keys), head.key, largest, word in DEMONSTRATIVES, opens)


def _is_part(statement: ParsedStatement, term: Term) -> bool:
    return any(word in PART_NOUN_STEMS for word in statement.stems[term.start : term.end])


def _keys(statement: ParsedStatement, term: Term) -> Iterator[str]:
    """Yield the key of a noun and those of its parts; of an organ the stems of its words."""
    yield term.key
    if term.mention:
        yield from statement.stems[term.start : term.end]
    yield from term.parts


def _opens_clause(statement: ParsedStatement, segment: Segment, at: int) -> bool:
    """Tell whether nothing but adverbs stands before a token in its segment: "Again, this lesion …"."""
    before = statement.tokens[segment.start : at]
    return not any(term.start < at for term in segment.terms) and len(before) <= 2


def _reports(statement: ParsedStatement, at: int) -> bool:
    """Tell whether "it" stands for no thing: "It is noted that …"."""
    return any(token.word == "that" for token in statement.tokens[at + 1 : at + 6])


def antecedent(report: ReadReport, statement: ReportStatement, reference: Reference) -> Antecedent | None:
    """Return what a reference of a statement refers to; None where that is nothing, or not certain."""
    meant: Antecedent | None = None
    for number in range(statement.number - 1, max(-1, statement.number - 1 - FARTHEST_REFERENCE), -1):
        earlier = report.statements[number]
        if earlier.section != statement.section or earlier.heading:
            break
        goes_on = any(link.opens for link in references(earlier.parse))  # it is itself about what stands before it
        term = _meant(earlier.parse, reference)
        if term is not None and not goes_on:
            if meant is not None:
                return None  # "The lesion", behind two of them
            meant = Antecedent(earlier, term)
        if (meant is not None and (reference.is_bare or reference.points)) or (reference.is_bare and not goes_on):
            break
    return meant


def resolved(statement: ParsedStatement, reference: Reference, meant: Antecedent) -> str:
    """Return a statement in which the name of what a reference means stands beside it, or for a pronoun in its place.

    "It measures 5 mm" becomes "nodule measures 5 mm", "The neck is narrow" "The neck of hernia is narrow".
    """
    text, tokens = statement.text, statement.tokens
    name = meant.statement.parse.text_of(meant.term)
    first, last = tokens[reference.start].start, tokens[reference.end - 1].end
    if reference.is_bare:
        if reference.largest:
            return f"{text[:last]} {name}{text[last:]}"
        return f"{text[:first]}{name}{text[last:]}"
    if reference.noun in GENERAL_FINDING_STEMS and meant.term.key not in reference.keys:
        terms = reversed(statement.segments[reference.segment].terms)
        head = next(term for term in terms if term.key == reference.noun and term.start < reference.end)
        return f"{text[: tokens[head.start].start]}{name}{text[tokens[head.end - 1].end :]}"
    if reference.noun in PLACE_NOUN_STEMS:
        before = tokens[reference.start - 1] if reference.start else None
        first = before.start if before is not None and before.word in _PLACE_PREPOSITIONS else first
        return f"{text[:first]}in the {name}{text[last:]}"
    if reference.noun in PART_NOUN_STEMS and meant.term.key not in reference.keys:
        return f"{text[:last]} of {name}{text[last:]}"
    organ = _organ_behind(meant.statement.parse, meant.term)
    if organ is not None:
        return f"{text[:last]} of {meant.statement.parse.text_of(organ)}{text[last:]}"
    return text


def _organ_behind(statement: ParsedStatement, term: Term) -> Term | None:
    """Return the organ that an unlisted noun is a piece of: "a loop of jejunum"."""
    if term.kind != "finding" or term.entry is not None or statement.tokens[term.end : term.end + 1] == []:
        return None
    if statement.tokens[term.end].word != "of":
        return None
    return next((other for other in statement.terms if other.start >= term.end and other.mention), None)


def _meant(earlier: ParsedStatement, reference: Reference) -> Term | None:
    """Return the term that names what a reference means in an earlier statement; None where that is none, or two."""
    things = [term for term in earlier.terms if _is_thing(term)]
    if reference.largest:
        things = [term for term in things if earlier.is_plural(term)]
    if reference.is_bare:
        findings = [term for term in things if _is_listed_finding(term) and not is_adjective(earlier, term)]
        meant = findings or things
    elif reference.noun in PLACE_NOUN_STEMS:
        meant = [term for term in things if term.mention]
    else:
        meant = [term for term in things if reference.keys.intersection(_keys(earlier, term))]
        if not meant and (reference.noun in GENERAL_FINDING_STEMS or reference.noun in PART_NOUN_STEMS):
            meant = [term for term in things if _is_listed_finding(term) and not is_adjective(earlier, term)]
    if not meant or _have_several_places(earlier, meant):
        return None
    return meant[0]


def names_several_places(statement: ParsedStatement) -> bool:
    """Tell whether a statement has findings in two segments, each with a place of its own."""
    return _have_several_places(statement, [term for term in statement.terms if _is_listed_finding(term)])


def _have_several_places(statement: ParsedStatement, things: Sequence[Term]) -> bool:
    """Tell whether things stand in two segments, each with a place of its own."""
    placed = [
        segment
        for segment in statement.segments
        if segment.organs and any(term.start == thing.start for thing in things for term in segment.terms)
    ]
    return len(placed) > 1


def _is_thing(term: Term) -> bool:
    """Tell whether a term names a thing that is there, or may be: a finding or an organ."""
    is_name = term.kind == "organ" or (term.kind == "finding" and not term.attribute and not term.is_normality)
    return is_name and term.polarity != Polarity.NEGATED


def _is_listed_finding(term: Term) -> bool:
    return term.kind == "finding" and term.entry is not None


def general_key(key: str) -> bool:
    """Tell whether the key of a finding is that of a general one: lesion, mass, nodule."""
    return key in GENERAL_FINDING_STEMS or stem(key) in GENERAL_FINDING_STEMS


def referred_segments(statement: ParsedStatement, reference: Reference) -> Sequence[int]:
    """Return the segments of a statement that are about what a reference means.

    That is its own segment and, where it opens it, those that go on without an organ of their own.
    """
    indexes = [reference.segment]
    if reference.opens:
        for index in range(reference.segment + 1, len(statement.segments)):
            segment = statement.segments[index]
            if segment.sites or any(link.segment == index for link in references(statement)):
                break
            indexes.append(index)
    return indexes


def refers_back(sentence: ParsedStatement) -> bool:
    """Tell whether a sentence of a caption says nothing without the one before it: "It is calcified", "Unchanged"."""
    if any(reference.opens for reference in references(sentence)):
        return True
    named = [term for term in sentence.terms if term.mention or (_is_listed_finding(term) and not term.attribute)]
    return all(term.mention is None and is_adjective(sentence, term) for term in named)


def goes_on_about(report: ReadReport, spans: Spans, earlier: Spans) -> bool:
    """Tell whether the statement that ends some passages goes on about one of those that ``earlier`` ends with."""
    statement = _statement_of(report, spans)
    before = _statement_of(report, earlier)
    if statement is None or before is None or statement is before:
        return statement is before
    while statement.number > before.number:
        following = _anchor(report, statement)
        if following is None or following is before:
            return following is before
        statement = following
    return False


def _statement_of(report: ReadReport, spans: Spans) -> ReportStatement | None:
    return next((statement for statement in report.statements if spans and statement.end == spans[-1][1]), None)


def _anchor(report: ReadReport, statement: ReportStatement) -> ReportStatement | None:
    """Return the earlier statement that a statement refers to, or whose organ it goes on about."""
    for reference in references(statement.parse):
        meant = antecedent(report, statement, reference)
        if meant is not None:
            return meant.statement
    return report.statements[statement.anchor] if statement.anchor is not None else None
