"""The JSON that the page and the server exchange about one caption beside its report.

The page gets no other reviewer's verdict, and nothing that would spoil a blind review.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from curation.caption import Status
from curation.caption_set.audit_results import Verdict
from curation.caption_set.records.omissions import OmissionVerdict
from curation.language.statements import Span
from curation.report_page.passages import evidence_or_nearest, most_similar_passage, utf16_offsets, utf16_span
from curation.report_page.report_view import ShownCaption, report_view

from .reviewer import Review, Reviewer
from .store import AuditStore, CopiedCaption

Number = Annotated[int, Field(ge=0, le=2**62)]
"""A number that SQLite can store."""
NoteText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000)]
FilledText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class _RequestBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CorrectionRequest(_RequestBody):
    """A corrected caption. Without a status it gets the verifier's, or that of the caption as it was."""

    organ: FilledText
    caption: FilledText
    status: Status | None = None


class ReviewRequest(_RequestBody):
    """A review to be saved; ``last_event`` is the event of the review that the page shows, 0 for none."""

    place: Number
    last_event: Number
    verdict: Verdict | OmissionVerdict | None = None
    note: NoteText = ""
    correction: CorrectionRequest | None = None


class CheckRequest(_RequestBody):
    """A corrected caption to be verified against its report."""

    place: Number
    organ: FilledText
    caption: FilledText


def item_view(store: AuditStore, reviewer: Reviewer, place: int, system_of: Callable[[str], str]) -> dict[str, Any]:
    """Return a caption, or a statement that no caption covers, beside its report and all captions of that.

    Offsets count UTF-16 units, as the browser does. ``system_of`` returns the system of an organ. Raises
    ``LookupError`` for a place that is not in the reviewer's list.
    """
    item = reviewer.item_at(place)
    caption, review = store.caption_of(item), reviewer.review_of(item)
    report_id, text, sections = store.report(caption.report)
    captions = _captions(store, reviewer, item, text)
    report = report_view(report_id, text, sections, [shown for shown, _ in captions], system_of)
    if reviewer.blind:
        report["bare"] = []  # passages are what captions are like, and not what they rest on
    contents = report.pop("captions")
    for content, (_, other_item) in zip(contents, captions, strict=True):
        content["place"] = None if other_item is None else reviewer.place_of(other_item)
        content["current"] = other_item == item
    is_omission = caption.kind == "uncovered"
    statement = [Span(caption.evidence_start or 0, caption.evidence_end or 0)] if is_omission else []
    view: dict[str, Any] = {
        "place": place,
        "total": reviewer.total,
        "is_omission": is_omission,
        "statement": [utf16_span(span, utf16_offsets(text)) for span in statement],
        "organ": caption.organ,
        "system": system_of(caption.organ),
        "caption": caption.caption,
        "report": report,
        "captions": contents,
        "review": review_view(review),
    }
    if not reviewer.blind:
        view |= {name: getattr(caption, name) for name in ("section", "status", "engine", "model", "basis")}
    if not is_omission and (not reviewer.blind or review.verdict):
        view["verifier"] = {name: getattr(caption, name) for name in ("kind", "score", "reason", "detail")}
    if review.verdict:
        view["judges"] = _judges(store, item)
    return view


def review_view(review: Review) -> dict[str, Any]:
    """Return a reviewer's review of a caption."""
    correction = review.correction
    return {
        "event": review.event,
        "verdict": review.verdict,
        "note": review.note,
        "correction": correction and {**correction._asdict(), "found": correction.start is not None},
    }


def passages_of(text: str, caption: CopiedCaption, blind: bool) -> list[Span]:
    """Return the passages to mark: all that an accepted caption rests on, or the one that is most like a refused one.

    Blind, accepted and refused captions both get what their own words are most like.
    """
    if blind:
        span = most_similar_passage(text, f"{caption.organ}: {caption.caption}")
    elif caption.spans:
        return [Span(start, end) for start, end in json.loads(caption.spans)]
    else:
        place = (caption.evidence_start, caption.evidence_end)
        span = evidence_or_nearest(text, *place, caption.nearest, caption.caption)
    return [span] if span else []


def _captions(
    store: AuditStore, reviewer: Reviewer, current_item: int, text: str
) -> list[tuple[ShownCaption, int | None]]:
    """Return all captions of an item's report, in its order, each with its item where it is one of the sample."""
    rows = []
    for item, caption in store.captions_of_report(current_item):
        spans = passages_of(text, caption, reviewer.blind)
        rows.append((spans, caption.organ, item, caption))
    behind = [Span(len(text), len(text))]  # captions without a passage come last
    rows.sort(key=lambda row: (row[0] or behind, row[1], row[3].kind, row[3].part, row[3].row))
    return [(_shown(caption, spans, reviewer.blind), item) for spans, _, item, caption in rows]


def _shown(caption: CopiedCaption, spans: list[Span], blind: bool) -> ShownCaption:
    if blind:
        return ShownCaption(caption.organ, caption.caption, None, spans)
    return ShownCaption(
        caption.organ,
        caption.caption,
        "refused" if caption.kind == "refused" else "accepted",
        spans,
        caption.status,
        reason=caption.reason,
        detail=caption.detail,
    )


def _judges(store: AuditStore, item: int) -> list[dict[str, Any]]:
    rows = store.rows("SELECT judge, verdict, passage, why FROM judgement WHERE item = ? ORDER BY judge", item)
    return [dict(zip(("judge", "verdict", "passage", "why"), row, strict=True)) for row in rows]
