"""Passages of a statement: its clauses, cut at "with" and "without" where each side says something of its own.

In "The left adrenal gland is unremarkable with atrophy of the pancreas" the adrenal gland is normal and the pancreas is
not; in "Normal heart size with reduced motion" the same organ is both. What is said of an organ is looked for in the
passages about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ..assertion import Polarity
from ..parsed_statement import ParsedStatement, Segment, Term
from ..structure.clauses import Clause, clauses_of
from ..structure.quality_kinds import is_whereabouts
from ..word_lists import ACCOMPANIMENTS


@dataclass(frozen=True, slots=True, eq=False)
class StatementPassage:
    """Tokens ``[start, end)`` of a ``statement`` that say one thing, with their ``own`` terms.

    ``sites`` are the organs that it is about: those that it names, or else those that it shares with its neighbours.
    ``shared`` are the findings and qualities that it takes from them.
    """

    statement: ParsedStatement
    start: int
    end: int
    own: tuple[Term, ...]
    sites: tuple[Term, ...] = ()
    shared: tuple[Term, ...] = ()
    names_site: bool = False
    has_verb: bool = False

    @property
    def terms(self) -> tuple[Term, ...]:
        """What it says: its own terms, and the findings and qualities that it shares."""
        return self.own + self.shared


def passages_of(statement: ParsedStatement) -> tuple[StatementPassage, ...]:
    """Return the passages of a statement in order, without names before a colon and phrases that only frame it."""
    return _cached_passages(statement)


@lru_cache(maxsize=2_048)
def _cached_passages(statement: ParsedStatement) -> tuple[StatementPassage, ...]:
    clauses = [clause for clause in clauses_of(statement) if not clause.heading]
    return tuple(passage for clause in clauses for passage in passages_in(clause, statement))


@lru_cache(maxsize=4_096)
def passages_in(clause: Clause, statement: ParsedStatement) -> tuple[StatementPassage, ...]:
    """Return the passages of one clause. Only the first of them takes findings from other clauses."""
    return tuple(_passages_in(clause, statement))


def _passages_in(clause: Clause, statement: ParsedStatement) -> Iterator[StatementPassage]:
    segment = clause.segment
    taken = [] if clause.terms == segment.terms else [term for term in clause.terms if term not in segment.terms]
    shared = tuple([term for term in taken if term.mention is None or term.mention.device])
    sites = tuple(filter(_is_site, taken))
    sites = sites or _sites_among(tuple(segment.terms))  # "A nodule with a rim in the liver"
    start = segment.start
    for stop in [*_cuts(segment, statement), segment.end]:
        own = tuple([term for term in segment.terms if start <= term.start < stop])
        named_sites = _sites_among(own)
        sites = named_sites or sites
        if any(term.kind == "negation" for term in own) and any(
            term.polarity == Polarity.NEGATED for term in named_sites
        ):
            shared = tuple(replace(term, polarity=Polarity.NEGATED) for term in shared)  # "Aneurysm: none in the aorta"
        has_verb = segment.verb is not None and start <= segment.verb < stop
        yield StatementPassage(statement, start, stop, own, sites, shared, bool(named_sites), has_verb)
        start, shared = stop, ()


def _cuts(segment: Segment, statement: ParsedStatement) -> list[int]:
    """Return the tokens "with" and "without" of a segment that part two things said."""
    cuts: list[int] = []
    if ACCOMPANIMENTS.isdisjoint(statement.words):
        return cuts
    for at in range(segment.start + 1, segment.end):
        if statement.tokens[at].word not in ACCOMPANIMENTS:
            continue
        if any(term.start < at < term.end for term in segment.terms):
            continue  # "consistent with", "compared with"
        before = [term for term in segment.terms if (cuts[-1:] or [segment.start])[0] <= term.start < at]
        behind = [term for term in segment.terms if term.start >= at]
        if any(map(_says_something, before)) and any(map(_says_something, behind)):
            cuts.append(at)
    return cuts


def _says_something(term: Term) -> bool:
    """Tell whether a term can be all that is said: a finding or a quality, no property, place or size."""
    if term.mention is not None:
        return term.mention.device
    return term.kind in ("finding", "modifier") and not term.attribute and not is_whereabouts(term)


def _is_site(term: Term) -> bool:
    return term.mention is not None and not term.mention.place and not term.mention.device


def _sites_among(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return the organs that terms are about; one that encloses others only where it is the only one."""
    sites = tuple(filter(_is_site, terms))
    inner = tuple([term for term in sites if term.mention and not term.mention.container])
    return inner or sites
