"""Which statements of a report speak of the same thing, so that a caption may draw on them together.

Two do where one refers to the other ("It measures 5 mm"), or where another section, or the definite article, repeats
the same finding at the same site. Where a third could be meant just as well, they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.structure.quality_kinds import rivalry
from curation.language.word_lists import ADVICE_STEMS

from ..clause_matching import ClauseMatcher
from ..evidence import SegmentEvidence
from ..organs import OrganRelations
from ..report_statements import ReadReport, ReportStatement
from .hosts import host_keys
from .references import (
    Antecedent,
    Reference,
    antecedent,
    general_key,
    names_several_places,
    references,
    referred_segments,
    resolved,
)


class Member(NamedTuple):
    """A statement of a report with those of its segments that speak of one thing.

    ``parse`` is what it says where what it refers to is named, in place of "it" or "the lesion", and ``context`` the
    organs that it goes on about. ``linked`` are the segments of the first statement of its group that speak of the
    same; for that statement itself all. ``refers``: it names the thing by a reference. ``largest``: it is about the
    largest of several things.
    """

    statement: ReportStatement
    parse: ParsedStatement
    segments: tuple[int, ...]
    context: tuple[str, ...]
    linked: frozenset[int]
    refers: bool = False
    largest: bool = False


class MemberFinder:
    """Finds the statements that speak of the same thing as another."""

    def __init__(self, parser: StatementParser, matcher: ClauseMatcher, relations: OrganRelations) -> None:
        self._parser, self._matcher, self._relations = parser, matcher, relations

    def referring(self, report: ReadReport, first: ReportStatement, others: Iterable[ReportStatement]) -> list[Member]:
        """Return those of ``others`` that refer to ``first``."""
        members = []
        for statement in others:
            for reference in references(statement.parse):
                meant = antecedent(report, statement, reference)
                if meant is not None and meant.statement is first:
                    members.append(self._referring_member(statement, reference, meant))
                    break
        return members

    def _referring_member(self, statement: ReportStatement, reference: Reference, meant: Antecedent) -> Member:
        parse = self._parser.parse(resolved(statement.parse, reference, meant))
        if len(parse.segments) != len(statement.parse.segments):
            parse = statement.parse
        segments = tuple(referred_segments(statement.parse, reference))
        context = statement.context or meant.statement.organs or meant.statement.context
        segments_there = meant.statement.parse.segments
        at = next(index for index, segment in enumerate(segments_there) if meant.term in segment.terms)
        linked = _around(meant.statement.parse, at)
        return Member(statement, parse, segments, context, linked, refers=True, largest=reference.largest)

    def following(self, report: ReadReport, first: ReportStatement) -> list[Member]:
        """Return the statements right behind ``first`` that name no organ and go on about it, but those of advice."""
        if names_several_places(first.parse):
            return []
        linked = frozenset(range(len(first.parse.segments)))
        return [
            Member(statement, statement.parse, tuple(range(len(statement.parse.segments))), statement.context, linked)
            for statement in report.run_from(first.number)[1:]
            if ADVICE_STEMS.isdisjoint(statement.parse.stems)
        ]

    def repeating(
        self, report: ReadReport, first: ReportStatement, others: Iterable[ReportStatement], heads: frozenset[str]
    ) -> list[Member]:
        """Return those of ``others`` that repeat what ``first`` says of a finding among ``heads``, and no other."""
        members = []
        for statement in others:
            if statement.section != first.section or _is_definite(statement, heads):
                pairs = self._repeating_segments(report, first, statement, heads)
                for principal in sorted({principal for principal, _ in pairs}):
                    repeating = [index for at, index in pairs if at == principal]
                    segments = sorted({about for index in repeating for about in _around(statement.parse, index)})
                    linked = _around(first.parse, principal)
                    members.append(Member(statement, statement.parse, tuple(segments), statement.context, linked))
        return members

    def _repeating_segments(
        self, report: ReadReport, first: ReportStatement, other: ReportStatement, heads: frozenset[str]
    ) -> list[tuple[int, int]]:
        """Return the pairs of a segment of ``first`` and one of ``other`` that speak of the same finding."""
        pairs = []
        shared = _named(first, heads) & _named(other, heads)
        for index, evidence in self._segments_with(other, shared):
            repeating = (index, evidence)
            principals = [offer for offer in self._segments_with(first, shared) if self._is_same(offer[1], evidence)]
            if len(principals) == 1 and not self._has_rival(report, first, principals[0], other, repeating, shared):
                pairs.append((principals[0][0], index))
        return pairs

    def _segments_with(
        self, statement: ReportStatement, heads: frozenset[str]
    ) -> Iterator[tuple[int, SegmentEvidence]]:
        """Yield the segments of a statement that name one of the findings ``heads`` as there, or perhaps there."""
        for index, segment in enumerate(statement.parse.segments):
            if any(_names(term, heads) for term in segment.terms):
                yield index, self._matcher.evidence(statement.parse.text, index, statement.context)

    def agree(self, one: SegmentEvidence, other: SegmentEvidence) -> bool:
        """Tell whether two segments may speak of one thing: no sites, sides, sizes or grades that differ."""
        if _own_sites(one) and _own_sites(other) and not self._share_site(one, other):
            return False
        if one.sides and other.sides and not (one.sides & other.sides):
            return False
        return not _contradict(one.own_terms, other.own_terms)

    def _is_same(self, one: SegmentEvidence, other: SegmentEvidence) -> bool:
        """Tell whether two segments may name one finding: the same site, or one that holds it, and nothing differs."""
        if one.sides and other.sides and one.sides != other.sides:
            return False
        return self._share_site(one, other) and not _contradict(one.own_terms, other.own_terms)

    def _share_site(self, one: SegmentEvidence, other: SegmentEvidence) -> bool:
        """Tell whether the sites of two segments agree: all of the one are, or lie in, those of the other."""
        sites, others = _sites(one), _sites(other)
        return bool(sites and others) and (self._lie_in(sites, others) or self._lie_in(others, sites))

    def _lie_in(self, sites: Sequence[str], places: Sequence[str]) -> bool:
        covers = self._relations.covers
        return all(any(covers(place, site) for place in places) for site in sites)

    def _is_within(self, site: str, place: str) -> bool:
        return self._relations.covers(site, place) or self._relations.covers(place, site)

    def _has_rival(
        self,
        report: ReadReport,
        first: ReportStatement,
        principal: tuple[int, SegmentEvidence],
        other: ReportStatement,
        repeating: tuple[int, SegmentEvidence],
        heads: frozenset[str],
    ) -> bool:
        """Tell whether a segment of ``other`` may mean another finding of the report than that of ``first``."""
        for statement in report.statements:
            for at, rival in self._rivals_in(statement, heads):
                if (statement is first and at == principal[0]) or (statement is other and at == repeating[0]):
                    continue
                if statement in (first, other) and not statement.parse.segments[at].organs:
                    continue  # it goes on about the same: "nodule in the lingula, a suspicious lesion"
                if not (self._could_be(rival, repeating[1]) or self._could_be(rival, principal[1])):
                    continue
                is_repeated = statement.section not in (first.section, other.section)
                if not (is_repeated and self._is_same(rival, principal[1]) and self._is_same(rival, repeating[1])):
                    return True
        return False

    def _rivals_in(self, statement: ReportStatement, heads: frozenset[str]) -> Iterator[tuple[int, SegmentEvidence]]:
        """Yield the segments of a statement that have a finding of the kind of ``heads``."""
        if statement.heading:
            return
        general = any(map(general_key, heads))
        for index, segment in enumerate(statement.parse.segments):
            if any(_names(term, heads) or (general and _names_general(term)) for term in segment.terms):
                yield index, self._matcher.evidence(statement.parse.text, index, statement.context)

    def _could_be(self, rival: SegmentEvidence, evidence: SegmentEvidence) -> bool:
        """Tell whether a rival may be at the site that a segment states."""
        sites, others = _sites(rival), _sites(evidence)
        if rival.sides and evidence.sides and not (rival.sides & evidence.sides):
            return False
        return not sites or not others or any(self._is_within(site, place) for site in sites for place in others)


def _sites(evidence: SegmentEvidence) -> tuple[str, ...]:
    names = [name for term in evidence.organs if term.mention and not term.mention.place for name in term.mention.names]
    return tuple(dict.fromkeys(names)) or evidence.implied or evidence.context


def _around(statement: ParsedStatement, index: int) -> frozenset[int]:
    """Return a segment with those behind it that go on without an organ of their own."""
    last = index + 1
    while last < len(statement.segments) and not statement.segments[last].organs:
        last += 1
    return frozenset(range(index, last))


def _named(statement: ReportStatement, heads: frozenset[str]) -> frozenset[str]:
    """Return those of ``heads`` that a statement has, by the findings it names and by the words of their names."""
    return frozenset(key for term in statement.parse.terms if _names(term, heads) for key in host_keys(term))


def _names(term: Term, heads: frozenset[str]) -> bool:
    return term.kind == "finding" and term.polarity != Polarity.NEGATED and not heads.isdisjoint(host_keys(term))


def _own_sites(evidence: SegmentEvidence) -> bool:
    """Tell whether a segment names where it is, and does not only go on about an organ."""
    return any(term.mention and not term.mention.place for term in evidence.organs)


def _names_general(term: Term) -> bool:
    return term.kind == "finding" and term.polarity != Polarity.NEGATED and general_key(term.key)


def _is_definite(statement: ReportStatement, heads: frozenset[str]) -> bool:
    """Tell whether a statement is about a finding as one that is known: "The nodule in the lingula has grown"."""
    return any(link.opens and link.noun in heads for link in references(statement.parse))


def _contradict(one: Sequence[Term], other: Sequence[Term]) -> bool:
    """Tell whether two segments give a finding sizes, grades or counts that differ."""
    for term in one:
        kind = rivalry(term)
        rivals = [offer for offer in other if rivalry(offer) == kind] if kind else []
        if not rivals or kind == "side":
            continue
        if term.measure:
            if not any(
                offer.measure and (offer.measure.carries(term.measure) or term.measure.carries(offer.measure))
                for offer in rivals
            ):
                return True
        elif all(offer.key != term.key for offer in rivals) and kind in _ONE_OF_A_KIND:
            return True
    return False


_ONE_OF_A_KIND = frozenset(("severity", "size", "quantity", "density"))
