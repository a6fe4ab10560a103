"""Does a caption follow from several statements of a report, where no single one carries it?

Each claim of the caption must be carried by statements that speak of the same thing (``members``): every term by one of
them, and meant there as in the caption. A qualifier must be said there of what it is said of in the caption
(``hosts``), and a denial must stand in one statement. Claims of their own (``claims``) may stand in different ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.usable_terms import is_whereabouts

from ..clause_matching import CaptionClause, CarriedClause, ClauseMatch, ClauseMatcher
from ..filing import FilingCheck
from ..omissions import LARGEST, omissions
from ..organs import OrganRelations
from ..refusals import REPEATED
from ..report_statements import ReadReport, ReportStatement
from .claims import Claim, about_each_organ, claims_of
from .hosts import host_keys, hosts_of, is_qualifier
from .members import Member, MemberFinder

MOST_STATEMENTS = 6
"""Statements, those that share most with the caption first, that a caption is looked for in together."""


class JoinedEvidence(NamedTuple):
    """The statements that carry a caption together, in the order of the report, and the share (0 to 1) they carry."""

    statements: tuple[ReportStatement, ...]
    share: float


class _Carrier(NamedTuple):
    """A segment of a member that carries a clause, or some of it, with the terms that it is used for."""

    member: Member
    match: ClauseMatch
    terms: frozenset[int]


_Found = tuple[list[_Carrier], list[ReportStatement]]
"""The segments that carry a claim, and the statements that are its evidence."""


class JoinedStatements:
    """Looks for captions in several statements of a report."""

    def __init__(
        self, parser: StatementParser, matcher: ClauseMatcher, filing: FilingCheck, relations: OrganRelations
    ) -> None:
        self._parser, self._matcher, self._filing = parser, matcher, filing
        self._members = MemberFinder(parser, matcher, relations)

    def find(self, report: ReadReport, organ: str, caption: str, keys: frozenset[str]) -> JoinedEvidence | None:
        """Return the statements that carry a caption about canonical ``organ`` together; None where none do.

        ``keys`` are those of the caption.
        """
        statements = _sharing(report, keys)
        if len(statements) < 2:
            return None
        claim = self._parser.parse(caption)
        claims = claims_of(self._matcher, claim)
        if not claims or not all(map(_says_something, claims)):
            return None
        groups = self._groups(report, statements, claim)
        used: dict[int, ReportStatement] = {}
        shares: list[float] = []
        for part in claims:
            found = self._found(report, part, claim, organ, groups)
            if not found:
                return None
            for carriers, part_statements in found:
                used.update((statement.number, statement) for statement in part_statements)
                shares.append(sum(carrier.match.share for carrier in carriers) / len(carriers))
        if len(used) < 2:
            return None  # whether one statement carries it has been decided
        return JoinedEvidence(tuple(used[number] for number in sorted(used)), sum(shares) / len(shares))

    def _groups(
        self, report: ReadReport, statements: Sequence[ReportStatement], caption: ParsedStatement
    ) -> list[list[Member]]:
        """Return for each statement the members of what it speaks of, itself first."""
        heads = frozenset(
            key
            for term in caption.terms
            if term.kind == "finding" and term.entry is not None and not is_qualifier(caption, term)
            for key in host_keys(term)
        )
        groups = []
        for first in statements:
            others = [statement for statement in statements if statement is not first]
            segments = range(len(first.parse.segments))
            group = [Member(first, first.parse, tuple(segments), first.context, frozenset(segments))]
            group += self._members.referring(report, first, others)
            group += _unlinked(self._members.following(report, first), group)
            group += _unlinked(self._members.repeating(report, first, others, heads), group)
            groups.append(group)
        return groups

    def _found(
        self,
        report: ReadReport,
        claim: Claim,
        caption: ParsedStatement,
        organ: str,
        groups: Sequence[Sequence[Member]],
    ) -> list[_Found]:
        """Return what carries a claim: as a whole, or else about each of the organs that one of its names means."""
        whole = self._carriers_of_claim(report, claim, caption, organ, groups)
        if whole is not None:
            return [whole]
        apart = [self._carriers_of_claim(report, part, caption, organ, groups) for part in about_each_organ(claim)]
        return [found for found in apart if found is not None] if all(apart) else []

    def _carriers_of_claim(
        self,
        report: ReadReport,
        claim: Claim,
        caption: ParsedStatement,
        organ: str,
        groups: Sequence[Sequence[Member]],
    ) -> _Found | None:
        """Return the segments that carry all clauses of a claim, members of one group, with their statements."""
        for group in groups:
            carriers: list[_Carrier] = []
            for clause in claim.clauses:
                some = self._carriers(clause, claim, caption, group)
                if not some:
                    break
                carriers += some
            else:
                if _is_linked(carriers, group[0]) and self._holds(carriers, caption, organ):
                    return carriers, _evidence(report, carriers, group[0])
        return None

    def _carriers(
        self, clause: CaptionClause, claim: Claim, caption: ParsedStatement, group: Sequence[Member]
    ) -> list[_Carrier]:
        """Return the segments that carry a clause together, the one that carries most first; nothing without any."""
        required = frozenset(id(required.term) for required in clause.required)
        offers = [
            (member, self._matcher.match_segment(clause, member.parse.text, index, member.context))
            for member in group
            for index in member.segments
        ]
        offers.sort(key=lambda offer: (len(offer[1].mismatches), -offer[1].share))
        carriers: list[_Carrier] = []
        missing = required
        for member, match in offers:
            lacking = frozenset(id(term) for mismatch, term in match.mismatches if not _is_the_largest(member, term))
            brings = missing - lacking
            if not missing:
                break
            if not brings or any(mismatch is REPEATED for mismatch, _ in match.mismatches):
                continue
            if any(carrier.member.statement is member.statement for carrier in carriers):
                continue  # whether one statement carries it has been decided
            if carriers and clause.denied:
                continue
            if member.largest and not _says_largest(clause):
                continue
            if any(mismatch.weight > 0 for mismatch, term in match.mismatches if id(term) in required):
                return []  # it says the opposite of a part of the clause, of the same thing
            carriers.append(_Carrier(member, match, brings))
            missing -= brings
        is_joined = len(carriers) > 1 or any(carrier.member.refers for carrier in carriers)
        if missing or (is_joined and not all(_says_it_of_the_same(carrier, claim, caption) for carrier in carriers)):
            return []
        return carriers

    def _holds(self, carriers: Sequence[_Carrier], caption: ParsedStatement, organ: str) -> bool:
        """Tell whether the caption leaves nothing off that turns the meaning, and is filed under the right organ."""
        filed = False
        by_statement: dict[int, list[_Carrier]] = {}
        for carrier in carriers:
            by_statement.setdefault(carrier.member.statement.number, []).append(carrier)
        for same in by_statement.values():
            carried = [CarriedClause(carrier.match.clause.clause, carrier.match.segment) for carrier in same]
            member = same[0].member
            if any(True for _ in omissions(carried, caption, member.parse)):
                return False
            causes = self._filing.causes(carried, member.parse, organ, member.context)
            filed = filed or not any(True for _ in causes)
        return filed


def _evidence(report: ReadReport, carriers: Sequence[_Carrier], first: Member) -> list[ReportStatement]:
    """Return the statements of carriers with those that name what they go on about."""
    statements = [carrier.member.statement for carrier in carriers]
    if any(carrier.member.refers for carrier in carriers):
        statements.append(first.statement)
    for carrier in carriers:
        if carrier.match.uses_context and carrier.member.statement.anchor is not None:
            statements.append(report.statements[carrier.member.statement.anchor])
    return statements


def _unlinked(members: Sequence[Member], group: Sequence[Member]) -> list[Member]:
    """Return the members of statements that are not in a group yet."""
    numbers = {member.statement.number for member in group}
    return [member for member in members if member.statement.number not in numbers]


def _sharing(report: ReadReport, keys: frozenset[str]) -> list[ReportStatement]:
    """Return the statements that share anything with a caption, those that share most first."""
    shared = [
        (len(keys & statement.keys), -statement.number)
        for statement in report.statements
        if not statement.heading and keys & statement.keys
    ]
    shared.sort(reverse=True)
    return [report.statements[-number] for _, number in shared[:MOST_STATEMENTS]]


def _says_it_of_the_same(carrier: _Carrier, claim: Claim, caption: ParsedStatement) -> bool:
    """Tell whether a segment says the qualifiers that it carries of what the caption says them of."""
    statement, clause = carrier.member.parse, carrier.match.clause
    for required in clause.required:
        term = required.term
        if id(term) not in carrier.terms or not is_qualifier(caption, term):
            continue
        hosts = hosts_of(caption, clause.clause.segment, term) or _heads(claim)
        offers = [offer for offer in carrier.match.evidence.terms if _may_stand_for(offer, term)]
        there = [
            hosts_of(statement, segment, offer)
            for offer in offers
            for segment in statement.segments
            if offer in segment.terms
        ]
        if not any(hosts & keys or not keys for keys in there):
            return False
    return True


def _is_linked(carriers: Sequence[_Carrier], first: Member) -> bool:
    """Tell whether all carriers speak of the same of what the first statement of their group speaks of."""
    segments = {carrier.match.segment for carrier in carriers if carrier.member is first}
    return all(segments <= carrier.member.linked for carrier in carriers)


def _says_something(claim: Claim) -> bool:
    """Tell whether a claim says more than where."""
    terms = [required.term for clause in claim.clauses for required in clause.required]
    return any(term.kind in ("finding", "modifier", "measure") and not is_whereabouts(term) for term in terms)


def _heads(claim: Claim) -> frozenset[str]:
    """Return the keys of the things that the clauses of a claim name."""
    return frozenset(
        key
        for clause in claim.clauses
        for term in clause.clause.segment.terms
        if term.kind in ("finding", "organ") and not term.attribute
        for key in host_keys(term)
    )


def _may_stand_for(offer: Term, term: Term) -> bool:
    if term.measure is not None:
        return offer.measure is not None and offer.measure.kind == term.measure.kind
    return offer.key == term.key or bool({offer.key, *offer.parts} & {term.key, *term.parts})


def _says_largest(clause: CaptionClause) -> bool:
    """Tell whether a clause speaks of the largest of several: "the largest 6 mm", "up to 6 mm"."""
    terms = clause.clause.terms
    return any(term.key == LARGEST or (term.measure and term.measure.bound == "≤") for term in terms)


def _is_the_largest(member: Member, term: Term) -> bool:
    """Tell whether a size "up to" which things are is that of the largest of them."""
    if not member.largest or term.measure is None or term.measure.bound != "≤":
        return False
    exact = term.measure._replace(bound="")
    measures = [offer.measure for offer in member.parse.terms if offer.measure and offer.measure.kind == exact.kind]
    return any(measure.carries(exact) for measure in measures)
