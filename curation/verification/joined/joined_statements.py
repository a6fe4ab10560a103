"""Does a caption follow from several statements of a report, where no single one carries it?

Each claim of the caption must be carried by statements that speak of the same thing (``members``): every term by one of
them, and meant there as in the caption. A qualifier must be said there of what it is said of in the caption
(``hosts``), and a denial must stand in one statement. Claims of their own (``claims``) may stand in different ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from curation.language.parsed_statement import ParsedStatement
from curation.language.parser import StatementParser
from curation.language.structure.quality_kinds import is_whereabouts
from curation.language.word_lists import NEUTRAL_STEMS, POSITION_STEMS

from ..clause_matching import CarriedClause, ClauseMatcher
from ..filing import FilingCheck
from ..omissions import omissions
from ..organs import OrganRelations
from ..report_statements import ReadReport, ReportStatement
from .carriers import Carrier, are_offered, carriers_of, says_it_of_the_same, turns_round
from .claim_evidence import is_denied_of_another
from .claims import Claim, about_each_organ, about_each_side, claims_of
from .hosts import host_keys, is_qualifier
from .linked_claims import LINKING_STEMS
from .members import Member, MemberFinder

MOST_STATEMENTS = 6
"""Statements, those that share most with the caption first, that a caption is looked for in together."""

_SPELLED_ALIKE = 4
"""Letters at the beginning that two spellings of a word share."""


_SAYING_LITTLE = NEUTRAL_STEMS | POSITION_STEMS | LINKING_STEMS
"""Words that need not occur in a report for a caption to follow from it."""


class JoinedEvidence(NamedTuple):
    """The statements that carry a caption together, in the order of the report, and the share (0 to 1) they carry."""

    statements: tuple[ReportStatement, ...]
    share: float


_Found = tuple[list[Carrier], list[ReportStatement]]
"""The segments that carry a claim, and the statements that are its evidence."""


class JoinedStatements:
    """Looks for captions in several statements of a report."""

    def __init__(
        self, parser: StatementParser, matcher: ClauseMatcher, filing: FilingCheck, relations: OrganRelations
    ) -> None:
        self._parser, self._matcher, self._filing = parser, matcher, filing
        self._relations = relations
        self._members = MemberFinder(parser, matcher, relations)

    def find(self, report: ReadReport, organ: str, caption: str, keys: frozenset[str]) -> JoinedEvidence | None:
        """Return the statements that carry a caption about canonical ``organ`` together; None where none do.

        ``keys`` are those of the caption.
        """
        statements = _sharing(report, keys)
        if len(statements) < 2:
            return None
        claim = self._parser.parse(caption)
        if not self.occurs(report, caption):
            return None
        claims = claims_of(self._matcher, claim)
        if not claims or not all(map(_says_something, claims)):
            return None
        groups = [self._group(report, first, statements) for first in statements]
        members = [member for group in groups for member in group]
        if not all(are_offered(self._matcher, part, members) for part in claims):
            return None  # so most are settled, before it is asked which statements repeat each other
        self._add_repeating(report, groups, claim)
        used: dict[int, ReportStatement] = {}
        shares: list[float] = []
        for part in claims:
            found = self._found(report, part, claim, organ, groups)
            if not found:
                return None
            evidence = [statement for _, part_statements in found for statement in part_statements]
            if used and is_denied_of_another(evidence, used.values()):
                return None
            for carriers, part_statements in found:
                used.update((statement.number, statement) for statement in part_statements)
                shares.append(sum(carrier.match.share for carrier in carriers) / len(carriers))
        if len(used) < 2:
            return None  # whether one statement carries it has been decided
        if any(self._is_turned_round(part, used.values()) for part in claims):
            return None
        return JoinedEvidence(tuple(used[number] for number in sorted(used)), sum(shares) / len(shares))

    def occurs(self, report: ReadReport, caption: str) -> bool:
        """Tell whether all that a caption says occurs somewhere in a report; most that is invented does not."""
        return _occurs(self._parser.parse(caption), report)

    def _is_turned_round(self, claim: Claim, statements: Iterable[ReportStatement]) -> bool:
        """Tell whether a statement that carries some of a caption denies a claim of it, or affirms what it denies."""
        for clause in claim.clauses:
            for statement in statements:
                for index in range(len(statement.parse.segments)):
                    match = self._matcher.match_segment(clause, statement.parse.text, index, statement.context)
                    if turns_round(match) and not any(term.mention for _, term in match.mismatches):
                        return True
        return False

    def _group(self, report: ReadReport, first: ReportStatement, statements: Sequence[ReportStatement]) -> list[Member]:
        """Return the members of what a statement speaks of: itself first, what refers to it, and what goes on."""
        others = [statement for statement in statements if statement is not first]
        segments = range(len(first.parse.segments))
        group = [Member(first, first.parse, tuple(segments), first.context, frozenset(segments))]
        group += self._members.referring(report, first, others)
        return group + _unlinked(self._members.following(report, first), group)

    def _add_repeating(self, report: ReadReport, groups: Sequence[list[Member]], caption: ParsedStatement) -> None:
        """Add to each group the statements that repeat a finding of the caption that its first statement names."""
        heads = frozenset(
            key
            for term in caption.terms
            if term.kind == "finding" and term.entry is not None and not is_qualifier(caption, term)
            for key in host_keys(term)
        )
        statements = [group[0].statement for group in groups]
        for group in groups:
            first = group[0].statement
            others = [statement for statement in statements if statement is not first]
            group += _unlinked(self._members.repeating(report, first, others, heads), group)

    def _found(
        self,
        report: ReadReport,
        claim: Claim,
        caption: ParsedStatement,
        organ: str,
        groups: Sequence[Sequence[Member]],
    ) -> list[_Found]:
        """Return what carries a claim: as a whole, or else about each of the organs or sides that it means."""
        whole = self._carriers_of_claim(report, claim, caption, organ, groups)
        if whole is not None:
            return [whole]
        for parts in (about_each_organ(claim), about_each_side(self._matcher, claim)):
            apart = [self._carriers_of_claim(report, part, caption, organ, groups) for part in parts]
            if apart and all(apart):
                return [some for some in apart if some is not None]
        return []

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
            carriers: list[Carrier] = []
            for clause in claim.clauses:
                some = carriers_of(self._matcher, clause, group)
                if not some:
                    break
                carriers += some
            else:
                is_one = _is_linked(carriers, group[0]) and self._agree(carriers)
                is_one = is_one and self._say_it_of_the_same(carriers, claim, caption)
                if is_one and self._holds(carriers, _without_other_claims(caption, claim), organ):
                    return carriers, _evidence(report, carriers, group[0])
        return None

    def _say_it_of_the_same(self, carriers: Sequence[Carrier], claim: Claim, caption: ParsedStatement) -> bool:
        """Tell whether statements that carry a claim together say its qualifiers of what the caption says them of."""
        is_joined = len({carrier.member.statement.number for carrier in carriers}) > 1
        if not is_joined and not any(carrier.member.refers for carrier in carriers):
            return True
        return all(says_it_of_the_same(carrier, claim, caption) for carrier in carriers)

    def _agree(self, carriers: Sequence[Carrier]) -> bool:
        """Tell whether all segments that carry a claim may speak of one thing."""
        evidence = [carrier.match.evidence for carrier in carriers]
        return all(self._members.agree(one, other) for one, other in combinations(evidence, 2))

    def _holds(self, carriers: Sequence[Carrier], caption: ParsedStatement, organ: str) -> bool:
        """Tell whether the caption leaves nothing off that turns the meaning, and is filed under the right organ."""
        filed, related = False, self._parser.organ_finder.related
        by_statement: dict[int, list[Carrier]] = {}
        for carrier in carriers:
            by_statement.setdefault(carrier.member.statement.number, []).append(carrier)
        for same in by_statement.values():
            carried = [CarriedClause(carrier.match.clause.clause, carrier.match.segment) for carrier in same]
            member = same[0].member
            if any(True for _ in omissions(carried, caption, member.parse, organ, related)):
                return False
            causes = self._filing.causes(carried, member.parse, organ, member.context)
            filed = filed or not any(True for _ in causes) or self._goes_on_about(organ, same)
        return filed

    def _goes_on_about(self, organ: str, carriers: Sequence[Carrier]) -> bool:
        """Tell whether segments that refer to something name no organ, and go on about ``organ`` or parts of it.

        "It is ground glass", of a nodule in the right lung, is about the right lung, and not about any lung.
        """
        member, covers = carriers[0].member, self._relations.covers
        if not member.refers or not all(covers(organ, name) for name in member.context):
            return False
        segments = [member.statement.parse.segments[carrier.match.segment] for carrier in carriers]
        return bool(member.context) and not any(segment.organs for segment in segments)


def _without_other_claims(caption: ParsedStatement, claim: Claim) -> ParsedStatement:
    """Return a caption with the terms of one of its claims alone."""
    terms = {id(term) for clause in claim.clauses for term in clause.clause.terms}
    return replace(caption, terms=[term for term in caption.terms if id(term) in terms])


def _evidence(report: ReadReport, carriers: Sequence[Carrier], first: Member) -> list[ReportStatement]:
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


def _occurs(caption: ParsedStatement, report: ReadReport) -> bool:
    keys = report.keys
    for term in caption.terms:
        if term.measure:
            is_pronoun = term.measure.kind == "number" and term.measure.values == (1.0,)  # "one of them"
            if not is_pronoun and not any(f"{term.measure.kind} {value}" in keys for value in term.measure.values):
                return False
        elif term.kind == "modifier" or (term.kind == "finding" and term.entry is not None and not term.attribute):
            words = {word for wording in term.entry.wordings for word in wording} if term.entry else set[str]()
            if keys.isdisjoint((term.key, *term.parts, *words)):
                return False
        elif term.kind == "finding" and not term.attribute and term.key not in _SAYING_LITTLE:
            start = term.key[:_SPELLED_ALIKE]
            if keys.isdisjoint((term.key, *term.parts)) and not any(key.startswith(start) for key in keys):
                return False
    return True


def _sharing(report: ReadReport, keys: frozenset[str]) -> list[ReportStatement]:
    """Return the statements that share anything with a caption, those that share most first."""
    shared = [
        (len(keys & statement.keys), -statement.number)
        for statement in report.statements
        if not statement.heading and keys & statement.keys
    ]
    shared.sort(reverse=True)
    return [report.statements[-number] for _, number in shared[:MOST_STATEMENTS]]


def _is_linked(carriers: Sequence[Carrier], first: Member) -> bool:
    """Tell whether all carriers speak of the same of what the first statement of their group speaks of."""
    segments = {carrier.match.segment for carrier in carriers if carrier.member is first}
    return all(segments <= carrier.member.linked for carrier in carriers)


def _says_something(claim: Claim) -> bool:
    """Tell whether a claim says more than where."""
    terms = [required.term for clause in claim.clauses for required in clause.required]
    return any(term.kind in ("finding", "modifier", "measure") and not is_whereabouts(term) for term in terms)
