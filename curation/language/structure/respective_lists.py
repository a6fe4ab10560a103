"""Lists that are told apart and belong together member by member: "the right and left kidneys measure 10 and 8 cm,
respectively".

The segments that hold such lists are replaced: one for each member, with what stands around the lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from ..parsed_statement import Segment, Term
from ..tokens import Token
from ..word_lists import POSITION_STEMS, SENTENCE_BREAKS, SIDES

RESPECTIVELY = "respectively"

_Members = list[list[Term]]
"""A list in a statement: the terms of each of its members, most often one."""


def pair_respective_lists(segments: list[Segment], tokens: Sequence[Token]) -> list[Segment]:
    """Return the segments of a statement, those with lists that "respectively" pairs as one segment for each pair."""
    words = [token.word for token in tokens]
    if RESPECTIVELY not in words:
        return segments
    at = words.index(RESPECTIVELY)
    breaks = [index for index, token in enumerate(tokens) if token.word in SENTENCE_BREAKS]
    first = max((index for index in breaks if index < at), default=-1)
    last = min((index for index in breaks if index > at), default=len(tokens))
    within = [number for number, segment in enumerate(segments) if first < segment.start and segment.end <= last]
    lists = _lists([segments[number] for number in within], tokens, at)
    if len(lists) < 2:
        return segments
    members = [term for members in lists for terms in members for term in terms]
    places = {term.start for term in members}
    having = [number for number in within if any(term.start in places for term in segments[number].terms)]
    replaced = segments[having[0] : having[-1] + 1]
    around = [term for segment in replaced for term in segment.terms if term.start not in places]
    paired = [
        Segment(
            replaced[0].start,
            replaced[-1].end,
            "and" if number else replaced[0].joiner,
            sorted([*around, *(term for members in pair for term in members)], key=lambda term: term.start),
            next((segment.verb for segment in replaced if segment.verb is not None), None),
        )
        for number, pair in enumerate(zip(*lists, strict=True))
    ]
    return [*segments[: having[0]], *paired, *segments[having[-1] + 1 :]]


def _lists(segments: Sequence[Segment], tokens: Sequence[Token], at: int) -> list[_Members]:
    """Return the lists of as many members as that nearest to "respectively" at token ``at``; none without a second."""
    placed = [(term, number) for number, segment in enumerate(segments) for term in segment.terms]
    runs = [_members(run, tokens) for kind, run in groupby(placed, key=lambda pair: _kind(pair[0])) if kind]
    runs = [run for run in runs if len(run) > 1]
    before = [run for run in runs if run[-1][-1].end <= at]
    nearest = before[-1] if before else next(iter(runs), None)
    if nearest is None:
        return []
    alike = [run for run in runs if len(run) == len(nearest)]
    return alike if len(alike) > 1 else [*_listed_findings(segments, nearest), nearest]


def _kind(term: Term) -> str | None:
    """Return which list a term may be a member of; None for one of no list."""
    if term.measure:
        return term.measure.kind
    if term.mention:
        return None if term.mention.place or term.mention.container else "site"
    if term.kind == "side":
        return "site"
    if term.key in POSITION_STEMS:
        return "whereabouts"
    return term.entry.modifier if term.entry else None


def _members(run: Iterable[tuple[Term, int]], tokens: Sequence[Token]) -> _Members:
    """Return the members of a run of terms, one in each segment; a pair of organs is two."""
    members: _Members = []
    segment = -1
    for term, number in run:
        if len(names := _names_in_order(term, tokens)) > 1:
            members += [[_named(term, name)] for name in names]
        elif number == segment and members:
            members[-1].append(term)
        else:
            members.append([term])
        segment = number
    return members


def _names_in_order(term: Term, tokens: Sequence[Token]) -> list[str]:
    """Return the organs of a mention that names two sides, in the order in which it does: "right and left kidneys"."""
    mention = term.mention
    if mention is None or mention.pair is None or len(mention.names) < 2:
        return []
    sides = [SIDES.get(token.word) for token in tokens[term.start : term.end]]
    return [mention.pair[0 if side == "left" else 1] for side in sides if side in ("left", "right")]


def _named(term: Term, name: str) -> Term:
    assert term.mention is not None
    return replace(term, key=name, mention=replace(term.mention, names=(name,), plural=False))


def _listed_findings(segments: Sequence[Segment], beside: _Members) -> Iterator[_Members]:
    """Yield the list of findings, with the qualities before them, that has as many members as another."""
    taken = {term.start for members in beside for term in members}
    found: _Members = []
    for segment in segments:
        finding = next((term for term in segment.findings if not term.attribute and term.start not in taken), None)
        if finding is not None:
            found.append([term for term in segment.terms if term.end <= finding.end and term.start not in taken])
    if len(found) == len(beside):
        yield found
