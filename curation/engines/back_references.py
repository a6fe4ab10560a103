"""Statements that refer to one before them, worded so that they stand alone: "It is calcified", of a nodule, becomes
"The nodule is calcified".

What a reference means is worked out as the verifier does (``verification/joined/references.py``). Where that is not
certain, nothing is said of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.structure.clauses import clauses_of
from curation.language.structure.ellipses import (
    ELLIPTICAL,
    ELLIPTICAL_BEHIND_ARTICLE,
    OBJECTS,
    POINTING,
    ends_in_pronoun,
    is_expletive,
    names_no_place,
    opening,
    opens_with_ellipsis,
)
from curation.language.structure.reference_words import (
    DEMONSTRATIVES,
    GENERAL_FINDING_STEMS,
    PART_NOUN_STEMS,
    PLACE_NOUN_STEMS,
    POSSESSIVES,
    PRONOUNS,
)
from curation.language.tokens import stem
from curation.language.word_lists import EXAMINATION_STEMS, PLACE_OPENERS
from curation.verification.joined.hosts import is_adjective
from curation.verification.joined.references import Antecedent, Reference, antecedent, references, resolved
from curation.verification.organs import implied_organs
from curation.verification.report_statements import ReadReport, ReportStatement

_SUPERLATIVES = frozenset("largest biggest".split())
_SIGNS = PRONOUNS | DEMONSTRATIVES | POSSESSIVES | _SUPERLATIVES | ELLIPTICAL | ELLIPTICAL_BEHIND_ARTICLE
_SIGNS |= OBJECTS | {"none", "similar"}
# "The effusion persists despite this" says as much without its last words.
_DESPITE_THIS = re.compile(
    r",? (?:despite|notwithstanding|in spite of|because of|as a result of) (?:this|these|that|it)(?=[.;]?$)",
    re.IGNORECASE,
)
# Nouns that mean all that was said: "these findings are consistent with …" says as much without "these".
_OF_ALL_SAID = re.compile(
    r"^(?:this|these|those|the above)\s+(?=(?:findings?|appearances?|features?|changes|constellation)\b)", re.IGNORECASE
)
# "This patient", "on this examination" refer to nothing that was said.
_NOUNS_OF_TODAY = EXAMINATION_STEMS | frozenset(map(stem, "patient time age setting context case phase today".split()))
_SUBJECTS = (PRONOUNS | DEMONSTRATIVES | POSSESSIVES) - {"that"}
_OF_THESE = re.compile(r"^((?:the|one|some|most|several|many|two|all) (?:\w+ )?of) (?:these|those) ", re.IGNORECASE)
_OF_SEVERAL = re.compile(r"(?:some|most|several|many|two|all)\b", re.IGNORECASE)
_OF_THESE_ALONE = re.compile(r" of (?:these|those|them|which)\b(?! \w)", re.IGNORECASE)
_DETERMINER = re.compile(r"^(?:its|their|this|that|these|those) ", re.IGNORECASE)


class StandingAlone(NamedTuple):
    """A statement as it reads by itself, and the organs that it goes on about."""

    text: str
    organs: tuple[str, ...]


def may_refer_back(statement: ParsedStatement) -> bool:
    """Return whether a statement has a word by which it may refer to one before it."""
    return not _SIGNS.isdisjoint(statement.words) or (bool(statement.tokens) and statement.tokens[0].word == "that")


def standing_alone(report: ReadReport, statement: ReportStatement, parser: StatementParser) -> StandingAlone | None:
    """Return a statement with what it refers to in the place of its pronouns; None where that is nothing certain."""
    parse, organs = statement.parse, statement.context
    if _DESPITE_THIS.search(parse.text):
        return StandingAlone(_DESPITE_THIS.sub("", parse.text), organs)
    if of_these := _OF_THESE.search(parse.text):
        if not _OF_SEVERAL.match(of_these[1]):
            organs = _of_both_sides(organs, parser)
        return StandingAlone(_OF_THESE.sub(r"\1 the ", parse.text), organs)  # "the largest of these nodules"
    if _OF_ALL_SAID.match(parse.text):
        text = _OF_ALL_SAID.sub("", parse.text)
        return StandingAlone(text[:1].upper() + text[1:], organs)
    if opens_with_ellipsis(parse) or ends_in_pronoun(parse):
        return None
    links = (link for link in references(parse) if not _is_named_before(parse, link))
    back = [reference for reference in links if _needs_antecedent(parse, reference)]
    if not back:
        return StandingAlone(parse.text, organs)
    if len(back) > 1:
        return None
    if not _is_noun(parse, back[0]):
        return None
    meant = antecedent(report, statement, back[0])
    if meant is not None and (_differ_in_number(parse, back[0], meant) or _points_at_organ(parse, back[0], meant)):
        return None
    if meant is None:
        return _of_own_place(parse, back[0], organs) or _of_organ(report, statement, back[0])
    organs = tuple(_organs_of(meant, parser)) or meant.statement.context
    if _is_uncertain(meant, organs, parser) or (back[0].largest and _is_in_several_places(meant)):
        return None
    if back[0].largest:
        organs = _of_both_sides(organs, parser)
    return StandingAlone(_with_name(resolved(parse, back[0], meant), back[0], meant), organs)


def _of_both_sides(organs: tuple[str, ...], parser: StatementParser) -> tuple[str, ...]:
    """Return the two sides of an organ as one, for what is on one of them: the largest of the nodules in both lungs."""
    pair = parser.organ_finder.pair_of(organs[0]) if len(organs) == 2 else None
    if pair is None or set(pair) != set(organs):
        return organs
    return tuple(name for name in parser.vocabulary.organs[organs[0]].parents if parser.vocabulary.sided(name) == pair)


def refers_back(caption: ParsedStatement) -> bool:
    """Return whether a caption refers to what it does not name itself."""
    return may_refer_back(caption) and (
        opens_with_ellipsis(caption)
        or _opens_with_pronoun(caption)
        or ends_in_pronoun(caption)
        or names_no_place(caption)
        or any(_needs_antecedent(caption, link) and not _is_named_before(caption, link) for link in references(caption))
    )


def _opens_with_pronoun(caption: ParsedStatement) -> bool:
    """Return whether the subject of a caption is "it" or "this", or a thing of it: "its neck"."""
    words = opening(caption)
    if is_expletive(words):
        return False
    is_of_today = len(words) > 1 and stem(words[1]) in _NOUNS_OF_TODAY
    return bool(words) and words[0] in _SUBJECTS and not is_of_today


def _needs_antecedent(statement: ParsedStatement, reference: Reference) -> bool:
    """Return whether a reference says nothing by itself; "the lesion" behind the name of its organ does."""
    if not _NOUNS_OF_TODAY.isdisjoint(statement.stems[reference.start : reference.end]):
        return False
    if is_expletive([token.word for token in statement.tokens[reference.start : reference.start + 8]]):
        return False
    is_possessive = statement.tokens[reference.start].word in POSSESSIVES
    behind = [token.word for token in statement.tokens[reference.end : reference.end + 2]]
    is_named = behind[:1] == ["of"] and behind[1:] not in POINTING  # "the largest of the nodules"
    return not (reference.largest and is_named) and (reference.is_bare or reference.points or is_possessive)


def _is_noun(statement: ParsedStatement, reference: Reference) -> bool:
    """Return whether the words of a reference end in a noun: in "This involves the liver" none follows "this"."""
    if reference.is_bare or reference.noun in GENERAL_FINDING_STEMS | PART_NOUN_STEMS | PLACE_NOUN_STEMS:
        return True
    terms = [term for term in statement.terms if reference.start < term.start < reference.end]
    return bool(terms) and (terms[-1].mention is not None or terms[-1].entry is not None)


def _of_own_place(parse: ParsedStatement, reference: Reference, organs: tuple[str, ...]) -> StandingAlone | None:
    """Return a statement without "this", where it says itself in which organ that is: "This lesion in the liver"."""
    behind = [token.word for token in parse.tokens[reference.end : reference.end + 1]]
    is_placed = bool(parse.segments[reference.segment].sites) and not PLACE_OPENERS.isdisjoint(behind)
    if reference.start or reference.is_bare or not is_placed:
        return None
    text = parse.text[parse.tokens[1].start :]
    return StandingAlone(text[:1].upper() + text[1:], organs)


def _of_organ(report: ReadReport, statement: ReportStatement, reference: Reference) -> StandingAlone | None:
    """Return a statement about the one organ of the statement before it, which finds nothing there.

    "No mass in the liver. It is normal in size." is about the liver, and so is "Its contours are smooth".
    """
    parse, organs = statement.parse, statement.context
    text, tokens = parse.text, parse.tokens
    if not organs or statement.anchor is None or reference.segment:
        return None
    behind = text[tokens[reference.start].end :].lstrip()
    if tokens[reference.start].word in POSSESSIVES and reference.noun not in PART_NOUN_STEMS:
        return StandingAlone(text[: tokens[reference.start].start] + behind, organs)
    before = report.statements[statement.number - 1]
    is_of_organ = tokens[reference.start].word in PRONOUNS and before.organs == organs
    if not is_of_organ or not all(map(_finds_nothing, before.parse.terms)) or len(organs) > 1:
        return None
    return StandingAlone(f"The {organs[0]} {behind}", organs)


def _is_uncertain(meant: Antecedent, organs: Sequence[str], parser: StatementParser) -> bool:
    """Return whether what is meant is named by a mere adjective, or may be in one of several organs."""
    parse = meant.statement.parse
    is_density = parse.tokens[meant.term.end - 1].word.endswith(("dense", "intense"))
    if meant.term.kind == "finding" and (is_density or is_adjective(parse, meant.term)):
        return True
    pair = parser.organ_finder.pair_of(organs[0]) if organs else None
    return len(organs) > 1 and set(organs) != set(pair or ())


def _is_in_several_places(meant: Antecedent) -> bool:
    """Return whether several are meant that are listed by their places: "paratracheal and subcarinal nodes"."""
    placed = [segment for segment in meant.statement.parse.segments if segment.sites]
    is_label = len(placed) > 1 and placed[0].silent and placed[1].joiner == ":"
    return len(placed) > 1 + is_label


def _differ_in_number(statement: ParsedStatement, reference: Reference, meant: Antecedent) -> bool:
    """Return whether "it" would mean several things, or "they" one."""
    word = statement.tokens[reference.start].word
    last = meant.statement.parse.tokens[meant.term.end - 1].word
    is_plural = meant.statement.parse.is_plural(meant.term) or last.endswith(("li", "ii", "ci", "bi"))
    if not reference.is_bare or reference.largest or word not in _SUBJECTS:
        return False
    return is_plural if word in ("it", "this") else not is_plural


def _points_at_organ(statement: ParsedStatement, reference: Reference, meant: Antecedent) -> bool:
    """Return whether a bare "this" would mean an organ: it means what was found, or all that was said."""
    mention = meant.term.mention
    is_bare = reference.is_bare and statement.tokens[reference.start].word in DEMONSTRATIVES
    return is_bare and mention is not None and not mention.finding


def _finds_nothing(term: Term) -> bool:
    return term.kind != "finding" or term.attribute or term.is_normality or term.polarity == Polarity.NEGATED


def _is_named_before(caption: ParsedStatement, reference: Reference) -> bool:
    """Return whether a segment before a reference names a finding or an organ, of which it may be said."""
    segments = caption.segments[: reference.segment + 1]
    before = [segment for segment, following in pairwise(segments) if following.joiner != ":"]  # no label
    return any(segment.sites or any(not term.attribute for term in segment.findings) for segment in before)


def _organs_of(meant: Antecedent, parser: StatementParser) -> Iterator[str]:
    """Yield the organs that the thing which is meant is in, or is."""
    if meant.term.mention:
        yield from meant.term.mention.names
        return
    organs: dict[str, None] = {}
    for clause in clauses_of(meant.statement.parse):
        if meant.term in clause.terms:
            for term in clause.terms:
                if term.mention and not term.mention.place and not term.mention.container:
                    organs.update(dict.fromkeys(term.mention.names))
            if not organs:
                organs.update(dict.fromkeys(implied_organs(parser, clause.terms)))
    yield from organs


def _with_name(text: str, reference: Reference, meant: Antecedent) -> str:
    """Return a statement with "the" before the name that took the place of a pronoun, and one "largest" of many.

    The name has the side and the organ that stand before it: "the right pleural effusion".
    """
    parse, term = meant.statement.parse, meant.term
    name = full_name = parse.text_of(term)
    start = next((t.start for t in parse.terms if t.mention and t.start < term.start <= t.end < term.end), term.start)
    if start < term.start:
        full_name = parse.text_between(start, term.end)
    if not full_name[1:2].isupper():
        full_name = full_name[:1].lower() + full_name[1:]
    if reference.largest:
        text = text.replace(f"est {name}", f"est {_singular(full_name)}", 1)
        return _OF_THESE_ALONE.sub("", text, count=1)
    if reference.noun:
        return _DETERMINER.sub("The ", text)  # "The neck of the hernia", "The mass encases the vein"
    return (
        text.replace(name, f"the {full_name}", 1)
        if not text.startswith(name)
        else f"The {full_name}{text[len(name) :]}"
    )


def _singular(noun: str) -> str:
    """Return a plural noun in the singular: "masses", "calcifications"."""
    endings = (
        ("stases", "stasis"),
        ("sses", "ss"),
        ("ies", "y"),
        ("foci", "focus"),
        ("xes", "x"),
        ("ss", "ss"),
        ("s", ""),
    )
    return next((noun[: -len(many)] + one for many, one in endings if noun.lower().endswith(many)), noun)
