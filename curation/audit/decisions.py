"""What a cleaned set does with each caption of the sample, from what its reviewers say together."""

from __future__ import annotations

from typing import Any, NamedTuple

from curation.caption import Reason
from curation.caption_set.audit_results import Verdict
from curation.caption_set.records.omissions import OmissionVerdict
from curation.report_page.passages import most_similar_passage

from .agreement import HALLUCINATIONS
from .omissions.results import judged_statements
from .reviewer import Correction, stored_correction
from .store import AuditStore
from .summary import judged_captions

CORRECTION_ENGINE = "audit"
"""The engine of a caption that a reviewer has worded."""
REJECT_REASONS = {
    Verdict.HALLUCINATED: Reason.NOT_GROUNDED,
    Verdict.WRONG_ORGAN: Reason.WRONG_ORGAN,
    Verdict.WRONG_POLARITY_OR_SIDE: Reason.NEGATION,
    Verdict.WRONG_MEASUREMENT: Reason.MEASUREMENT,
}
"""Reason of refusal under which a caption is removed from a cleaned set."""


class Decision(NamedTuple):
    """What happens to one caption of the sample: it is removed, another is added in its place, or both.

    A statement that no caption covers gets the one that a reviewer has written for it.

    ``before`` is its row in the audit's store with its report; ``after`` the row of ``captions`` to be added.
    """

    kind: str
    part: int
    row: int
    report_id: str
    verdict: Verdict | OmissionVerdict
    before: dict[str, Any]
    removed: bool
    after: dict[str, Any] | None


def decisions(store: AuditStore) -> list[Decision]:
    """Return what happens to each caption of the sample that is changed, in the order of the set.

    A caption that its reviewers together call a hallucination is removed. One that they do not call supported is
    replaced by its correction; of several corrections the last one counts. Where a caption is missing for a statement,
    the one that a reviewer has written is added.
    """
    corrections = _corrections(store)
    changed = []
    for judged in judged_captions(store):
        correction = None if judged.verdict == Verdict.SUPPORTED else corrections.get(judged.item)
        removed = judged.kind == "accepted" and (judged.verdict in HALLUCINATIONS or correction is not None)
        changed.append(_decision(store, judged.item, judged.verdict, removed, correction))
    for statement in judged_statements(store):
        written = corrections.get(statement.item) if statement.missed else None
        changed.append(_decision(store, statement.item, statement.verdict, False, written))
    return sorted((one for one in changed if one is not None), key=lambda decision: decision[:3])


def _decision(
    store: AuditStore,
    item: int,
    verdict: Verdict | OmissionVerdict,
    removed: bool,
    correction: Correction | None,
) -> Decision | None:
    """Return what happens to an item of the sample; None for nothing."""
    if not removed and correction is None:
        return None
    query = """SELECT report_id, text, caption.* FROM caption JOIN item ON item.caption = caption.id
        JOIN report ON report.id = caption.report WHERE item.id = ?"""
    cursor = store.connection.execute(query, (item,))
    row = dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))
    after = _corrected_row(row, correction) if correction else None
    if not removed and after is None:
        return None
    return Decision(row["kind"], row["part"], row["row"], row["report_id"], verdict, row, removed, after)


def _corrections(store: AuditStore) -> dict[int, Correction]:
    query = """SELECT review.item, correction FROM review JOIN event ON event.id = review.event
        WHERE correction IS NOT NULL ORDER BY event.id"""
    return {item: stored_correction(text) for item, text in store.rows(query)}


def _corrected_row(row: dict[str, Any], correction: Correction) -> dict[str, Any] | None:
    """Return the row of ``captions`` for a correction, ``None`` where no passage of the report can be its evidence.

    Where the verifier does not find the correction, its evidence is the passage that the caption was judged beside, and
    its score is 0.
    """
    start, end, score, section = correction.start, correction.end, correction.score, correction.section
    spans = correction.spans
    if start is None or end is None:
        start, end, score, section = row["evidence_start"], row["evidence_end"], 0.0, row["section"]
        if start is None and (span := most_similar_passage(row["text"], row["nearest"] or row["caption"])):
            start, end = span
    if start is None or end is None:
        return None
    spans = spans or ((start, end),)
    return {
        "report_id": row["report_id"],
        "organ": correction.organ,
        "caption": correction.caption,
        "status": correction.status,
        "evidence": row["text"][start:end],
        "evidence_start": start,
        "evidence_end": end,
        "evidence_spans": [{"start": first, "end": last} for first, last in spans],
        "section": section or "findings",
        "basis": "rules" if score else None,
        "score": score,
        "engine": CORRECTION_ENGINE,
        "model": None,
        "prompt": None,
    }
