"""The claims of a caption, each of which may stand in another statement: "Normal liver, and no ascites" has two.

A claim stands for itself where another statement could say it and mean the same. What only qualifies a finding before
it does not: a size, "suspicious for carcinoma", "with calcification" of a mass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.structure.clauses import Clause
from curation.language.structure.quality_kinds import is_whereabouts
from curation.language.word_lists import ACCOMPANIMENTS

from ..clause_matching import ClauseMatcher
from ..clauses.caption_clauses import CaptionClause
from ..evidence import RequiredTerm
from ..organs import subject_organs
from .caption_parts import has_shareable_grade, is_single_thing
from .hosts import is_adjective


class Claim(NamedTuple):
    """Clauses of a caption that speak of one thing: the first names it, the others go on about it."""

    clauses: tuple[CaptionClause, ...]


def claims_of(matcher: ClauseMatcher, caption: ParsedStatement) -> list[Claim]:
    """Return the claims of a caption in order."""
    groups: list[list[CaptionClause]] = []
    for clause in matcher.clauses(caption.text):
        if clause.clause.heading:
            continue
        halves = matcher.halves(clause)
        if halves and not _is_apart(halves, caption):
            halves = ()
        for at, part in enumerate(halves or (clause,)):
            before = groups[-1][0].clause.segment.terms if groups else ()
            if not groups or (at > 0 and bool(halves)) or _stands_for_itself(part, caption, before):
                groups.append([_with_shared_grades(part)])
            else:
                groups[-1].append(part)
    if len(groups) > 1 and not _names_finding(groups[0]):
        groups[:2] = [groups[0] + groups[1]]  # "In both lungs, subtle on the right, ground glass densities"
    return [Claim(tuple(group)) for group in groups]


def _names_finding(clauses: Iterable[CaptionClause]) -> bool:
    """Tell whether clauses say more of an organ than where and how much."""
    terms = [required.term for clause in clauses for required in clause.required]
    return any(term.kind == "finding" and not term.attribute and not is_whereabouts(term) for term in terms)


def about_each_organ(claim: Claim) -> list[Claim]:
    """Return a claim about several organs under one name as a claim about each: "both kidneys" are left and right."""
    if len(claim.clauses) != 1:
        return []
    clause = claim.clauses[0]
    several = [required for required in clause.required if required.term.mention and _names(required.term)[1:]]
    if len(several) != 1:
        return []
    return [Claim((_about(clause, several[0], name),)) for name in _names(several[0].term)]


def about_each_side(matcher: ClauseMatcher, claim: Claim) -> list[Claim]:
    """Return a claim about both sides once for each: "mild bilateral hydronephrosis", of the left and of the right."""
    sides = [matcher.sides(clause) for clause in claim.clauses]
    if not sides[0]:
        return []
    return [
        Claim(
            tuple(
                _with_shared_grades(halves[index]) if halves else clause
                for clause, halves in zip(claim.clauses, sides, strict=True)
            )
        )
        for index in (0, 1)
    ]


def _names(term: Term) -> tuple[str, ...]:
    return term.mention.names if term.mention else ()


def _about(clause: CaptionClause, required: RequiredTerm, name: str) -> CaptionClause:
    """Return a clause of which one organ is narrowed to ``name``."""
    assert required.term.mention is not None
    term = replace(required.term, key=name, mention=replace(required.term.mention, names=(name,)))
    narrowed = required._replace(term=term)
    terms = [term if other is required.term else other for other in clause.clause.terms]
    return replace(
        clause,
        clause=Clause(clause.clause.segment, terms),
        required=tuple(narrowed if other is required else other for other in clause.required),
        organs=tuple(subject_organs(terms)),
    )


def _with_shared_grades(clause: CaptionClause) -> CaptionClause:
    """Return a clause of which the evidence must carry also the grades that it shares with others.

    "Moderate thickening of the right and the left sinus" is moderate on both sides.
    """
    required = {id(required.term) for required in clause.required}
    shared = tuple(
        RequiredTerm(term, (), "", False)
        for term in clause.clause.terms
        if term.kind == "modifier" and id(term) not in required
    )
    return replace(clause, required=clause.required + shared) if shared else clause


def _is_apart(halves: tuple[CaptionClause, ...], caption: ParsedStatement) -> bool:
    """Tell whether what stands behind "with" is not of the finding before it, but beside it or of the organ.

    So it is where it is denied, where both have organs of their own, or where the noun before "with" is an organ.
    """
    first, second = (half.clause.terms for half in halves)
    segment = halves[0].clause.segment
    if halves[1].denied:
        return True
    cut = next(at for at in range(segment.start + 1, segment.end) if caption.tokens[at].word in ACCOMPANIMENTS)
    if _has_site(term for term in first if term.end <= cut) and _has_site(term for term in second if term.start >= cut):
        return True
    if any(is_single_thing(term) and not is_adjective(caption, term) for term in first):
        return False  # "a nodule in the left lung with calcification"
    before = [term for term in first if term.end == cut]
    return any(term.mention is not None and not term.mention.finding for term in before)


def _has_site(terms: Iterable[Term]) -> bool:
    return any(term.mention and not term.mention.place for term in terms)


def _stands_for_itself(clause: CaptionClause, caption: ParsedStatement, before: Sequence[Term]) -> bool:
    """Tell whether a clause names what it is about, and does not go on about the claim of the terms ``before`` it."""
    segment = clause.clause.segment
    own = segment.terms
    if not own or (segment.joiner == "," and any(term.kind == "hedge" for term in own[:2])):
        return False
    if clause.denied or clause.normal:
        return True
    if segment.silent and segment.sites:
        return True
    if _is_of_one_side(own) and _is_of_both_sides(before) and any(map(_is_finding, clause.clause.terms)):
        return True  # "bilateral effusions, moderate on the right"
    findings = [term for term in own if _is_finding(term)]
    if findings and segment.sites and _has_site(before):
        return True
    # "pelvic phleboliths and clips", but not "calcified and enlarged nodes"
    if findings and segment.sites:
        return not has_shareable_grade(before, own)
    if segment.joiner in ("", ",") or has_shareable_grade(before, own):
        return False
    return bool(findings) and not is_adjective(caption, findings[-1])


def _is_finding(term: Term) -> bool:
    return term.kind == "finding" and not term.attribute and not term.is_normality and term.entry is not None


def _is_of_both_sides(terms: Iterable[Term]) -> bool:
    return any(
        term.key == "side:both" or (term.mention is not None and term.mention.names == term.mention.pair)
        for term in terms
    )


def _is_of_one_side(terms: Sequence[Term]) -> bool:
    """Tell whether a segment only grades what stands before it, on one side."""
    sides = [term for term in terms if term.key in ("side:left", "side:right")]
    return len(sides) == 1 and not any(term.kind == "finding" for term in terms)
