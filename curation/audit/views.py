"""The JSON that the page and the server exchange about one caption, and the passage that a caption is shown beside.

The page gets no other reviewer's verdict, and nothing that would spoil a blind review.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from rapidfuzz import fuzz

from curation.caption import Status
from curation.caption_set.audit_results import Verdict
from curation.language.statements import Span, split_statements

from .reviewer import Review, Reviewer
from .store import AuditStore, CopiedCaption

MIN_SHARED_WORDS = 1 / 3
"""Share of a caption's words that a statement must have, to be shown rather than none."""
_WORD = re.compile(r"\w+")

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
    verdict: Verdict | None = None
    note: NoteText = ""
    correction: CorrectionRequest | None = None


class CheckRequest(_RequestBody):
    """A corrected caption to be verified against its report."""

    place: Number
    organ: FilledText
    caption: FilledText


def item_view(store: AuditStore, reviewer: Reviewer, place: int) -> dict[str, Any]:
    """Return a caption beside its report. Offsets in the text count UTF-16 units, as the browser does.

    Raises ``LookupError`` for a place that is not in the reviewer's list.
    """
    item = reviewer.item_at(place)
    caption, review = store.caption_of(item), reviewer.review_of(item)
    report_id, text, sections = store.report(caption.report)
    to_utf16 = utf16_offsets(text)
    view: dict[str, Any] = {
        "place": place,
        "total": reviewer.total,
        "organ": caption.organ,
        "caption": caption.caption,
        "marks": [_utf16_span(span, to_utf16) for span in _passages_of(text, caption, reviewer.blind)],
        "report": {
            "id": report_id,
            "text": text,
            "sections": [[name, to_utf16(start), to_utf16(end)] for name, start, end in sections],
        },
        "captions": _captions(store, reviewer, item, text, to_utf16),
        "review": review_view(review),
    }
    if not reviewer.blind:
        view |= {name: getattr(caption, name) for name in ("section", "status", "engine", "model", "basis")}
    if not reviewer.blind or review.verdict:
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


def _passages_of(text: str, caption: CopiedCaption, blind: bool) -> list[Span]:
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
    store: AuditStore, reviewer: Reviewer, current_item: int, text: str, to_utf16: Callable[[int], int]
) -> list[dict[str, Any]]:
    """Return all captions of an item's report, in its order; those of the reviewer's list with their places."""
    rows = []
    for item, caption in store.captions_of_report(current_item):
        spans = _passages_of(text, caption, reviewer.blind)
        rows.append((spans, caption.organ, item, caption))
    behind = [Span(len(text), len(text))]  # captions without a passage come last
    rows.sort(key=lambda row: (row[0] or behind, row[1], row[3].kind, row[3].part, row[3].row))
    return [
        {
            "organ": caption.organ,
            "caption": caption.caption,
            "marks": [_utf16_span(span, to_utf16) for span in spans],
            "place": None if item is None else reviewer.place_of(item),
            "current": item == current_item,
            **({} if reviewer.blind else {"status": caption.status, "kind": caption.kind, "reason": caption.reason}),
        }
        for spans, _, item, caption in rows
    ]


def _judges(store: AuditStore, item: int) -> list[dict[str, Any]]:
    rows = store.rows("SELECT judge, verdict, passage, why FROM judgement WHERE item = ? ORDER BY judge", item)
    return [dict(zip(("judge", "verdict", "passage", "why"), row, strict=True)) for row in rows]


def utf16_offsets(text: str) -> Callable[[int], int]:
    """Return a function from offsets in characters of a text to offsets in UTF-16 units."""
    wide = [offset for offset, char in enumerate(text) if ord(char) > 0xFFFF] if text and max(text) > "\uffff" else []
    return lambda offset: offset + sum(position < offset for position in wide)


def _utf16_span(span: Span, to_utf16: Callable[[int], int]) -> list[int]:
    return [to_utf16(span.start), to_utf16(span.end)]


def evidence_or_nearest(
    text: str, start: int | None, end: int | None, nearest: str | None, caption: str
) -> Span | None:
    """Return where the evidence of an accepted caption stands, or what is most like a refused one."""
    if start is not None and end is not None:
        return Span(start, end)
    return most_similar_passage(text, nearest or caption)


def most_similar_passage(text: str, words: str) -> Span | None:
    """Return where some words stand in a text, else the statement that shares most of them, ``None`` without any."""
    if not (word_set := set(_WORD.findall(words.lower()))):
        return None
    if (start := text.find(words)) >= 0:
        return _whole_words(text, start, start + len(words))
    best = max((_Similarity.of(word_set, words, text, span) for span in _statements(text)), default=None)
    return best.span if best and best.shared_words >= MIN_SHARED_WORDS * len(word_set) else None


@lru_cache(maxsize=4)
def _statements(text: str) -> list[Span]:
    """Split a report once for all of its captions."""
    return split_statements(text)


class _Similarity(NamedTuple):
    """The similarity of a statement: in words, then in letters; of two equally similar ones the earlier is greater."""

    shared_words: int
    letter_ratio: float
    negative_start: int
    span: Span

    @classmethod
    def of(cls, word_set: set[str], words: str, text: str, span: Span) -> _Similarity:
        statement = text[span.start : span.end].lower()
        shared_words = len(word_set.intersection(_WORD.findall(statement)))
        return cls(shared_words, fuzz.ratio(words.lower(), statement), -span.start, span)


def _whole_words(text: str, start: int, end: int) -> Span:
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return Span(start, end)
