"""What each quality and place of a segment belongs to: in "a small nodule with a large cavity" the cavity is large.

A quality before a noun belongs to that noun. One behind it ("measuring 5 mm", "in the lower lobe") may belong to each
noun before it that has no such quality of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from ..parsed_statement import ParsedStatement, Segment, Term
from ..tokens import Token
from ..word_lists import COPULAS, DETERMINERS, FRAME_OPENERS
from .quality_kinds import is_whereabouts, rivalry

PLACES = frozenset(("site", "whereabouts"))
"""Kinds of qualities that say where something is."""
_OF_ADJECTIVES_TOO = frozenset(("severity", "extent", "density", "morphology"))
"""Kinds of qualities that may qualify an adjective as well as its noun: "mildly dilated loops"."""


@dataclass(slots=True, eq=False)
class _Phrase:
    """Terms with no word between them, and the noun that they are about, their ``head``; None where there is none.

    ``predicate``: behind "is". ``of``: behind "of", so that it shares what the phrase before says of it.
    """

    predicate: bool = False
    of: bool = False
    terms: list[Term] = field(default_factory=list)
    head: Term | None = None


def quality_kind(term: Term) -> str | None:
    """Return the kind of quality that a term states of what it belongs to; None for a term that states none."""
    if term.mention:
        return None if term.mention.place else "site"
    if term.kind == "side":
        return "site"
    return "whereabouts" if is_whereabouts(term) else rivalry(term)


class Attachments(NamedTuple):
    """The ``heads`` of a statement (findings, or else organs), and of its qualities the heads they may belong to.

    A quality of a segment without any head has no ``owners``.
    """

    heads: tuple[Term, ...]
    owners: Mapping[Term, Sequence[Term]]


def attachments_of(statement: ParsedStatement) -> Attachments:
    """Return the heads of a statement, and which of them each of its qualities may belong to."""
    return _cached_attachments(statement)


@lru_cache(maxsize=2_048)
def _cached_attachments(statement: ParsedStatement) -> Attachments:
    heads: list[Term] = []
    owners: dict[Term, list[Term]] = {}
    for segment in statement.segments:
        phrases = _phrases(statement, segment)
        heads += [phrase.head for phrase in phrases if phrase.head]
        owners.update(_attachments_in(phrases))
    return Attachments(tuple(heads), owners)


def _attachments_in(phrases: Sequence[_Phrase]) -> dict[Term, list[Term]]:
    """Return the heads that each quality of one segment may belong to."""
    attachments: dict[Term, list[Term]] = {}
    latest: dict[str, Term] = {}  # of each kind of quality, in the phrases before
    heads = [phrase.head for phrase in phrases if phrase.head]
    if not any(may_head(term) and _is_known(term) for phrase in phrases for term in phrase.terms):
        return {}
    for at, phrase in enumerate(phrases):
        kinds: dict[str, Term] = {}
        for term in phrase.terms:
            kind = quality_kind(term)
            if kind is None and not (term.kind == "finding" and phrase.head and term.start < phrase.head.start):
                continue
            if kind is None or _is_premodifier(term, kind, phrase.head):
                attachments[term] = _heads_of_premodifier(term, kind, phrases, at)
                kinds |= {kind: term} if kind else {}
                continue
            kinds[kind] = term
            before = [head for head in heads if head.start < term.start]
            rival = latest.get(kind)
            if rival in attachments and before:
                behind = [head for head in before if head.start > rival.start]
                sure = [head for head in behind if _is_known(head)]  # no "craniocaudal" or the like
                free = [head for head in sure if head not in attachments[rival]]
                before = free or sure[-1:] or [*(head for head in attachments[rival] if head is not term), *behind]
            if owners := [*before, *_part(phrases, at)] or _findings_before_next(kind, phrases[at + 1 :]):
                attachments[term] = owners
        latest.update(kinds)
    inside = {phrase.head: organ for phrase in phrases if phrase.head and (organ := _organ_inside(phrase))}
    for term, owners in attachments.items():
        attachments[term] = [*owners, *(inside[head] for head in owners if head in inside and inside[head] is not term)]
    return attachments


def _organ_inside(phrase: _Phrase) -> Term | None:
    """Return the organ within the name of a finding: what is said of an "enlarged spleen" is said of the spleen."""
    head = phrase.head
    if head is None or head.mention:
        return None
    return next((term for term in phrase.terms if term.mention and may_head(term) and term.end <= head.end), None)


def _is_premodifier(term: Term, kind: str, head: Term | None) -> bool:
    """Tell whether a quality stands before the head that it belongs to. A side before an organ is none."""
    if head is None or term is head or term.start > head.start:
        return False
    return not (head.mention and kind in PLACES)


def _phrases(statement: ParsedStatement, segment: Segment) -> list[_Phrase]:
    phrases: list[_Phrase] = []
    end = segment.start
    for term in segment.terms:
        if term.kind in ("hedge", "negation"):
            continue  # its words part the phrases beside it
        between = [token.word for token in statement.tokens[end : term.start] if _parts_phrases(statement.text, token)]
        if not phrases or between:
            phrases.append(_Phrase(bool(phrases) and not COPULAS.isdisjoint(between), between[:1] == ["of"]))
        phrases[-1].terms.append(term)
        end = max(end, term.end)
    for phrase in phrases:
        phrase.head = _head(statement, phrase.terms)
    return phrases


def _parts_phrases(text: str, token: Token) -> bool:
    """Tell whether a token without a meaning of its own ends a phrase: a word, or a dash with a space before it."""
    return token.word[0].isalpha() or text[token.start - 1 : token.start].isspace()


def _head(statement: ParsedStatement, terms: Sequence[Term]) -> Term | None:
    """Return what a phrase is about: its last noun if the lexicon has it, or else its organ, a noun, a participle."""
    findings = [term for term in terms if may_head(term) and term.kind == "finding"]
    findings = [term for term in findings if statement.tokens[term.start].word not in FRAME_OPENERS]  # "in place"
    nouns = [term for term in findings if not _is_verbal(statement, term)]
    organs = [term for term in terms if may_head(term) and term.mention]
    groups = (nouns if nouns and nouns[-1].entry else (), organs, nouns, findings)  # "nodal chains" are lymph nodes
    return next((group[-1] for group in groups if group), None)


def _is_known(head: Term) -> bool:
    """Tell whether a head is an organ or a finding that the lexicon lists."""
    return head.mention is not None or head.entry is not None


def _is_verbal(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a finding is a participle or an adverb: "dilated", "displacing the", but no "thickening of the"."""
    word = statement.tokens[term.end - 1].word
    following = statement.tokens[term.end].word if term.end < len(statement.tokens) else ""
    return word.endswith(("ed", "ly")) or (word.endswith("ing") and (term.entry is None or following in DETERMINERS))


def may_head(term: Term) -> bool:
    """Tell whether a term can be what qualities and places belong to: a finding, or an organ that is no place."""
    if term.mention:
        return not term.mention.adjective and not term.mention.place
    return term.kind == "finding" and not term.attribute and not term.is_normality and not is_whereabouts(term)


def _heads_of_premodifier(quality: Term, kind: str | None, phrases: Sequence[_Phrase], at: int) -> list[Term]:
    """Return the heads that a quality in front of the head of phrase ``at`` belongs to."""
    phrase = phrases[at]
    heads = [phrase.head] if phrase.head else []
    if kind is None or kind in _OF_ADJECTIVES_TOO:
        heads = [term for term in phrase.terms if may_head(term) and term.start > quality.start] or heads
    heads = [*heads, *_part(phrases, at)]
    is_of_unknown = quality.measure and phrase.head and not _is_known(phrase.head)
    if phrase.predicate or is_of_unknown:  # "loops are mildly dilated", "a cyst of 5 cm axially"
        heads += [earlier.head for earlier in phrases[:at] if earlier.head]
    return heads


def _part(phrases: Sequence[_Phrase], at: int) -> list[Term]:
    """Return the head behind the "of" of a phrase, which shares its qualities: "a small amount of fluid"."""
    following = phrases[at + 1] if at + 1 < len(phrases) else None
    return [following.head] if following and following.of and following.head else []


def _findings_before_next(kind: str, phrases: Sequence[_Phrase]) -> list[Term]:
    """Return the findings up to the next quality of the same kind: "in the upper lobe a nodule with a cavity"."""
    heads: list[Term] = []
    for phrase in phrases:
        if any(quality_kind(term) == kind for term in phrase.terms):
            break
        heads += [phrase.head] if phrase.head and not phrase.head.mention else []
    return heads
