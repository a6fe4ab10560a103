"""Do the statements that carry two claims of a caption speak of the same, so that the caption may say both together?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter

from ..answers import Spans, Verification
from ..denials.exceptions import Related
from ..report_statements import ReadReport, ReportStatement
from .caption_parts import is_denied, is_listed
from .linked_claims import IndependentClaims

_start = attrgetter("start")
Verify = Callable[[str, str], Verification]
"""Verifies a claim, given after the organ that it is about."""


def verified_cut(
    report: ReadReport, organ: str, cut: IndependentClaims, verify: Verify, related: Related
) -> list[Verification]:
    """Return the answers about both claims of a caption about ``organ``; none where the caption does not follow."""
    verifications: list[Verification] = []
    evidence: list[list[ReportStatement]] = []
    is_filed = False
    for claim, groups in cut.topics(organ):
        for group in groups:
            answers = [answer for name in group if (answer := verify(name, claim)).accepted]
            if len(answers) == len(group):
                break
        else:
            return []
        is_filed = is_filed or group == (organ,) or verify(organ, claim).accepted
        verifications += answers
        evidence.append([statement for answer in answers for statement in statements_in(report, answer.spans)])
    if not is_filed or is_denied_of_another(evidence[1], evidence[0]):
        return []
    if cut.is_list and evidence[0] == evidence[1]:
        return []
    if cut.same_place and not _share_a_place(evidence[0], evidence[1], related):
        return []
    if cut.is_reading and _may_be_of_another(report, evidence[0], evidence[1], related):
        return []
    return verifications


def _share_a_place(one: Sequence[ReportStatement], other: Sequence[ReportStatement], related: Related) -> bool:
    """Tell whether no statement of one claim is about another place than those of the other claim."""
    return all(_may_be_one_place(statement, rival, related) for statement in one for rival in other)


def _may_be_one_place(one: ReportStatement, other: ReportStatement, related: Related) -> bool:
    names, rivals = (statement.organs or statement.context for statement in (one, other))
    is_open = one is other or not names or not rivals
    return is_open or any(related(name, rival) for name in names for rival in rivals)


def _may_be_of_another(
    report: ReadReport, finding: Sequence[ReportStatement], reading: Sequence[ReportStatement], related: Related
) -> bool:
    """Tell whether what a caption reads a finding as may be meant of a finding elsewhere in the same organ.

    "Opacity in the right upper lobe, in keeping with pneumonia" needs that nothing is found in another lobe.
    """
    places = {name for statement in finding for name in statement.organs or statement.context}
    named = {name for statement in reading for name in statement.organs or statement.context}
    organs = {name for name in named if any(related(name, place) for place in places)}
    for statement in report.statements:
        names = [name for name in statement.organs if any(related(name, organ) for organ in organs)]
        is_found = any(is_listed(term) and not is_denied(term) for term in statement.parse.terms)
        if is_found and names and not any(related(name, place) for name in names for place in places):
            return True
    return False


def is_denied_of_another(denying: Iterable[ReportStatement], first: Iterable[ReportStatement]) -> bool:
    """Tell whether statements deny something of a finding which is not the one that the statements ``first`` name.

    "A mass without calcification" does not follow from "2 cm mass without calcification", said of another mass.
    """
    numbers = {statement.number for statement in first}
    for statement in denying:
        for segment in statement.parse.segments if statement.number not in numbers else ():
            listed = [term for term in segment.terms if is_listed(term)]
            if any(map(is_denied, listed)) and not all(map(is_denied, listed)):
                return True
    return False


def statements_in(report: ReadReport, spans: Spans) -> list[ReportStatement]:
    """Return the statements of a report that some of its passages hold."""
    by_start, numbers = _by_start(report), set[int]()
    for first, last in spans:
        lowest = bisect_left(by_start, first, key=_start)
        for statement in by_start[lowest : bisect_right(by_start, last, key=_start)]:
            if statement.end <= last:
                numbers.add(statement.number)
    return [report.statements[number] for number in sorted(numbers)]


@lru_cache(maxsize=128)
def _by_start(report: ReadReport) -> list[ReportStatement]:
    """Return the statements of a report in the order of its text."""
    return sorted(report.statements, key=_start)
