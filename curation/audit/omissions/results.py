"""Computes from the verdicts on statements that no caption covers what a caption set has missed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from curation.audit.agreement import most_frequent
from curation.audit.intervals import estimate, interval, percent
from curation.audit.store import AuditStore
from curation.caption_set.records.estimates import Estimate
from curation.caption_set.records.omissions import MISSED, OmissionResults, OmissionVerdict


class JudgedStatement(NamedTuple):
    """A statement of the sample that a reviewer has judged, with the verdict of all its reviewers together.

    ``weight`` is how many of the uncovered statements it stands for. ``written``: a reviewer has written the caption.
    """

    item: int
    section: str
    system: str
    weight: float
    verdict: OmissionVerdict
    written: bool

    @property
    def missed(self) -> bool:
        """Return whether a caption is missing for it."""
        return self.verdict in MISSED


def judged_statements(store: AuditStore) -> list[JudgedStatement]:
    """Return all statements that have a verdict, in the order of the sample."""
    weights = {
        number: captions / drawn
        for number, captions, drawn in store.rows(
            """SELECT number, captions, count(*) FROM stratum JOIN item
            ON item.kind = stratum.kind AND item.stratum = number WHERE stratum.kind = 'uncovered' GROUP BY number"""
        )
    }
    verdicts: dict[int, list[OmissionVerdict]] = defaultdict(list)
    written = set()
    query = """SELECT review.item, review.verdict, correction IS NOT NULL FROM review
        JOIN event ON event.id = review.event JOIN item ON item.id = review.item
        WHERE item.kind = 'uncovered' AND review.verdict IS NOT NULL ORDER BY review.item, review.reviewer"""
    for item, verdict, has_caption in store.rows(query):
        verdicts[item].append(OmissionVerdict(verdict))
        if has_caption:
            written.add(item)
    query = """SELECT item.id, section, reason, stratum FROM item JOIN caption ON caption.id = item.caption
        WHERE item.kind = 'uncovered' ORDER BY item.id"""
    return [
        JudgedStatement(item, section, system, weights[stratum], joint_verdict(verdicts[item]), item in written)
        for item, section, system, stratum in store.rows(query)
        if item in verdicts
    ]


def joint_verdict(verdicts: Iterable[OmissionVerdict]) -> OmissionVerdict:
    """Return one verdict for several reviewers' (``most_frequent``); a missed finding is the gravest."""
    return most_frequent(verdicts, tuple(OmissionVerdict), OmissionVerdict.UNSURE)


def omission_results(store: AuditStore) -> OmissionResults | None:
    """Return what was missed, None where no statement was drawn."""
    if not (sample := store.sample_size("uncovered")):
        return None
    judged = judged_statements(store)
    decided = [row for row in judged if row.verdict != OmissionVerdict.UNSURE]
    statements, uncovered = store.fact("statements"), store.fact("uncovered")
    missed = _share(decided, lambda row: row.missed)

    def of_verdict(verdict: OmissionVerdict) -> Estimate:
        return _share(decided, lambda row: row.verdict == verdict)

    return OmissionResults(
        reports=store.fact("statement_reports"),
        statements=statements,
        uncovered=uncovered,
        sample=sample,
        reviewed=len(judged),
        unsure=len(judged) - len(decided),
        written=sum(row.written for row in judged),
        missed=missed,
        missed_findings=of_verdict(OmissionVerdict.MISSED_FINDING),
        without_caption=share_without_caption(missed, uncovered, statements - uncovered),
        verdicts={
            str(verdict): of_verdict(verdict) for verdict in OmissionVerdict if verdict != OmissionVerdict.UNSURE
        },
        by_section=_by(decided, lambda row: row.section),
        by_system=_by(decided, lambda row: row.system),
    )


def share_without_caption(missed: Estimate, uncovered: int, covered: int) -> Estimate:
    """Return which share of the statements worth a caption has none.

    Of ``uncovered`` statements the share ``missed`` is worth one, and so are all that are ``covered``. The share grows
    with ``missed``, so that its limits are those of ``missed``.
    """

    def share(rate: float) -> float:
        worth = rate * uncovered + covered
        return rate * uncovered / worth if worth else 0.0

    rate = None if missed.rate is None else share(missed.rate)
    return missed.model_copy(update={"rate": rate, "low": share(missed.low), "high": share(missed.high)})


def _share(rows: Iterable[JudgedStatement], is_hit: Callable[[JudgedStatement], bool]) -> Estimate:
    return estimate((is_hit(row), row.weight) for row in rows)


def _by(rows: Iterable[JudgedStatement], key: Callable[[JudgedStatement], str]) -> dict[str, Estimate]:
    """Return the share that was missed for each value of a key, most reviewed first."""
    groups: dict[str, list[JudgedStatement]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    most_reviewed_first = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {name: _share(members, lambda row: row.missed) for name, members in most_reviewed_first}


def omission_sentence(omissions: OmissionResults) -> str:
    """Return in one sentence what was missed."""
    share, missed = omissions.without_caption, omissions.missed
    if missed.rate is None:
        return "Nothing is known yet of what was missed: no statement without a caption has been decided."
    return (
        f"{percent(share.rate)} of the statements worth a caption have none (95 % interval {interval(share)}): "
        f"of {omissions.statements:,} statements in {omissions.reports:,} reports {omissions.uncovered:,} have none, "
        f"and {missed.hits:,} of {missed.reviewed:,} judged ones should have."
    )
