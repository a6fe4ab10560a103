"""What becomes of each caption of the sample, from what its reviewers say together."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from curation.caption_set.audit_results import Verdict

from .passages import likest
from .reviews import Correction
from .store import Store
from .summary import judged
from .verdicts import HALLUCINATIONS

ENGINE = "audit"
"""What stands as the engine of a caption that a reviewer has worded."""


class Decision(NamedTuple):
    """What becomes of one caption of the sample: out, another in its place, or both."""

    kind: str
    part: int
    row: int
    report_id: str
    verdict: Verdict
    before: dict[str, Any]
    out: bool
    after: dict[str, Any] | None


def decisions(store: Store) -> list[Decision]:
    """What becomes of each caption of the sample that is changed, in the order of the set.

    A caption that its reviewers together call a hallucination goes out. One that they do not call supported is replaced
    by its correction; of several the last one counts.
    """
    corrections = _corrections(store)
    query = """SELECT report_id, text, caption.* FROM caption JOIN item ON item.caption = caption.id
        JOIN report ON report.id = caption.report WHERE item.id = ?"""
    found = []
    for one in judged(store):
        correction = None if one.verdict == Verdict.SUPPORTED else corrections.get(one.item)
        out = one.kind == "accepted" and (one.verdict in HALLUCINATIONS or correction is not None)
        if not out and correction is None:
            continue
        cursor = store.base.execute(query, (one.item,))
        row = dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))
        after = _corrected(row, correction) if correction else None
        if out or after:
            place = (row["kind"], row["part"], row["row"], row["report_id"])
            found.append(Decision(*place, one.verdict, row, out, after))
    return sorted(found, key=lambda one: one[:3])


def _corrections(store: Store) -> dict[int, Correction]:
    query = """SELECT review.item, correction FROM review JOIN event ON event.id = review.event
        WHERE correction IS NOT NULL ORDER BY event.id"""
    return {item: Correction(**json.loads(text)) for item, text in store.rows(query)}


def _corrected(row: dict[str, Any], said: Correction) -> dict[str, Any] | None:
    """A row of ``captions``. Where the verifier does not find the correction, it rests on the passage that the caption
    was judged beside, with a score of 0; without one it cannot be a caption."""
    known = {"report_id": row["report_id"], "organ": said.organ, "caption": said.caption, "status": said.status}
    made_by = {"engine": ENGINE, "model": None, "prompt": None}
    start, end, score, section = said.start, said.end, said.score, said.section
    if start is None or end is None:
        start, end, score, section = row["evidence_start"], row["evidence_end"], 0.0, row["section"]
        if start is None and (nearest := likest(row["text"], row["nearest"] or row["caption"])):
            start, end = nearest
    if start is None or end is None:
        return None
    evidence = {"evidence": row["text"][start:end], "evidence_start": start, "evidence_end": end}
    return {**known, **evidence, "section": section or "findings", "score": score, **made_by}
