"""Which segments of statements carry a clause of a caption, where these statements speak of one thing.

Each term is carried by one of them and meant as in the clause, a denial by one alone, and a qualifier is said there of
what the caption says it of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from curation.language.parsed_statement import ParsedStatement, Term

from ..clause_matching import ClauseMatch, ClauseMatcher, match_term
from ..clauses.caption_clauses import CaptionClause
from ..evidence import both_sides
from ..omissions import LARGEST
from ..refusals import REPEATED, Mismatch
from .claims import Claim, about_each_organ
from .hosts import hosts_of, is_qualifier, subject_of
from .members import Member


class Carrier(NamedTuple):
    """A segment of a member that carries a clause, or some of it, with the terms that it is used for."""

    member: Member
    match: ClauseMatch
    terms: frozenset[int]


def carriers_of(matcher: ClauseMatcher, clause: CaptionClause, group: Sequence[Member]) -> list[Carrier]:
    """Return the segments that carry a clause together, the one that carries most first; nothing without any."""
    required = frozenset(id(required.term) for required in clause.required)
    offers: list[tuple[Member, ClauseMatch]] = []
    for match, member in _matches(matcher, clause, group):
        if turns_round(match):
            return []  # one of them says the opposite of the same thing
        offers.append((member, match))
    offers.sort(key=lambda offer: (len(offer[1].mismatches), -offer[1].share))
    carriers: list[Carrier] = []
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
        if _is_elsewhere(match):
            continue
        carriers.append(Carrier(member, match, brings))
        missing -= brings
    return [] if missing else carriers


def are_offered(matcher: ClauseMatcher, claim: Claim, members: Sequence[Member]) -> bool:
    """Tell whether members of some group offer each term of a claim, those of a denial all in one segment.

    A claim about several organs under one name may be carried about each of them: these are looked for later.
    """
    left_open = ("organ", "side") if about_each_organ(claim) else ()
    places = [(member, index) for member in members for index in member.segments]
    for clause in claim.clauses:
        required = frozenset(id(needed.term) for needed in clause.required if needed.term.kind not in left_open)
        missing = required
        for member, index in places:
            if not _may_bring(matcher, clause, member, index, missing):
                continue
            match = matcher.match_segment(clause, member.parse.text, index, member.context)
            lacking = {id(term) for _, term in match.mismatches if not _is_the_largest(member, term)}
            missing = required if clause.denied and not lacking.isdisjoint(required) else missing & lacking
            if not missing:
                break
        if missing:
            return False
    return True


def _may_bring(
    matcher: ClauseMatcher, clause: CaptionClause, member: Member, index: int, missing: frozenset[int]
) -> bool:
    """Tell whether a segment may offer a missing term, or all of those of a denial: the others are not looked at."""
    if member.largest or clause.only_absent:
        return True
    evidence = matcher.evidence(member.parse.text, index, member.context)
    wanted = (needed for needed in clause.required if id(needed.term) in missing)
    offered = (not isinstance(match_term(needed, clause, evidence), Mismatch) for needed in wanted)
    return all(offered) if clause.denied else any(offered)


def _matches(
    matcher: ClauseMatcher, clause: CaptionClause, members: Iterable[Member]
) -> Iterator[tuple[ClauseMatch, Member]]:
    """Yield how well each segment of each member carries a clause."""
    for member in members:
        for index in member.segments:
            yield matcher.match_segment(clause, member.parse.text, index, member.context), member


def says_it_of_the_same(carrier: Carrier, claim: Claim, caption: ParsedStatement) -> bool:
    """Tell whether a segment says the qualifiers that it carries of what the caption says them of."""
    statement, clause = carrier.member.parse, carrier.match.clause
    for required in clause.required:
        term = required.term
        if id(term) not in carrier.terms or required.is_dimension or not is_qualifier(caption, term):
            continue
        hosts = hosts_of(caption, clause.clause.segment, term) or _subject(claim, caption)
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


def _subject(claim: Claim, caption: ParsedStatement) -> frozenset[str]:
    """Return the keys of the thing that the first clause of a claim names."""
    return subject_of(caption, claim.clauses[0].clause.segment)


def _may_stand_for(offer: Term, term: Term) -> bool:
    if term.measure is not None:
        return offer.measure is not None and offer.measure.kind == term.measure.kind
    return offer.key == term.key or bool({offer.key, *offer.parts} & {term.key, *term.parts})


def turns_round(match: ClauseMatch) -> bool:
    """Tell whether a segment denies, affirms or doubts what a clause does not."""
    return any(mismatch.weight > 0 and term.kind == "finding" for mismatch, term in match.mismatches)


def _is_elsewhere(match: ClauseMatch) -> bool:
    """Tell whether a segment is about another side or site than a clause, and not only about a larger one."""
    evidence, relations = match.evidence, match.evidence.relations
    sites = [name for term in evidence.organs if term.mention and not term.mention.place for name in term.mention.names]
    lacking = [term for _, term in match.mismatches]
    if any(term.kind == "side" and evidence.sides and not _sides_of(term) <= evidence.sides for term in lacking):
        return True
    claimed = [name for required in match.clause.required for name in _organs_of(required.term)]
    if not any(term.mention for term in lacking):
        return False
    for name in claimed:
        side = relations.organs[name].side
        if side and evidence.sides and side not in evidence.sides:
            return True  # "Right: simple cyst", below "Kidneys:"
    return bool(sites) and not any(
        relations.covers(site, name) or relations.covers(name, site) for name in claimed for site in sites
    )


def _sides_of(term: Term) -> set[str]:
    return both_sides(term.key.removeprefix("side:"))


def _organs_of(term: Term) -> tuple[str, ...]:
    return term.mention.names if term.mention and not term.mention.place else ()


def _says_largest(clause: CaptionClause) -> bool:
    """Tell whether a clause speaks of the largest of several: "the largest 6 mm", "up to 6 mm"."""
    terms = clause.clause.terms
    return any(term.key == LARGEST or (term.measure and term.measure.bound == "up to") for term in terms)


def _is_the_largest(member: Member, term: Term) -> bool:
    """Tell whether a size "up to" which things are is that of the largest of them."""
    if not member.largest or term.measure is None or term.measure.bound != "up to":
        return False
    exact = term.measure._replace(bound="")
    measures = [offer.measure for offer in member.parse.terms if offer.measure and offer.measure.kind == exact.kind]
    return any(measure.carries(exact) for measure in measures)
