"""What the page shows of one caption, as JSON: no other reviewer's verdict, and nothing that is to be judged blind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from curation.language.statements import Span

from .passages import likest, passage
from .reviews import Reviews, Said
from .store import CopiedCaption, Store


def item_view(store: Store, reviews: Reviews, place: int) -> dict[str, Any]:
    """A caption beside its report. Places in the text count UTF-16 units, as the browser does."""
    item = reviews.item(place)
    shown, said = store.caption_of(item), reviews.said(item)
    report_id, text, sections = store.report(shown.report)
    units = utf16(text)
    marked = _passage(text, shown, reviews.blind)
    view: dict[str, Any] = {
        "place": place,
        "total": reviews.total,
        "organ": shown.organ,
        "caption": shown.caption,
        "mark": _units(marked, units),
        "report": {
            "id": report_id,
            "text": text,
            "sections": [[name, units(start), units(end)] for name, start, end in sections],
        },
        "captions": _captions(store, reviews, item, text, units),
        "said": said_view(said),
    }
    if not reviews.blind:
        view |= {"section": shown.section, "status": shown.status, "engine": shown.engine, "model": shown.model}
    if not reviews.blind or said.verdict:
        view["verifier"] = {name: getattr(shown, name) for name in ("kind", "score", "reason", "detail")}
    if said.verdict:
        view["judges"] = _judges(store, item)
    return view


def said_view(said: Said) -> dict[str, Any]:
    """What the reviewer has said of a caption."""
    correction = said.correction
    return {
        "event": said.event,
        "verdict": said.verdict,
        "note": said.note,
        "correction": correction and {**correction._asdict(), "found": correction.start is not None},
    }


def _passage(text: str, shown: CopiedCaption, blind: bool) -> Span | None:
    """Blind, accepted and refused captions are both shown beside what their own words are most like."""
    if blind:
        return likest(text, f"{shown.organ}: {shown.caption}")
    return passage(text, shown.evidence_start, shown.evidence_end, shown.nearest, shown.caption)


def _captions(
    store: Store, reviews: Reviews, item: int, text: str, units: Callable[[int], int]
) -> list[dict[str, Any]]:
    """All captions of an item's report, in its order; those of the reviewer's sample with their places."""
    found = []
    for other, one in store.captions_beside(item):
        found.append((_passage(text, one, reviews.blind) or Span(len(text), len(text)), one.organ, other, one))
    found.sort(key=lambda row: (row[0], row[1], row[3].kind, row[3].part, row[3].row))
    return [
        {
            "organ": one.organ,
            "caption": one.caption,
            "mark": _units(span if span.end > span.start else None, units),
            "place": None if other is None else reviews.place(other),
            "current": other == item,
            **({} if reviews.blind else {"status": one.status, "kind": one.kind, "reason": one.reason}),
        }
        for span, _, other, one in found
    ]


def _judges(store: Store, item: int) -> list[dict[str, Any]]:
    rows = store.rows("SELECT judge, verdict, passage, why FROM judgement WHERE item = ? ORDER BY judge", item)
    return [dict(zip(("judge", "verdict", "passage", "why"), row, strict=True)) for row in rows]


def utf16(text: str) -> Callable[[int], int]:
    """From characters to UTF-16 units."""
    wide = [at for at, sign in enumerate(text) if ord(sign) > 0xFFFF] if text and max(text) > "\uffff" else []
    return lambda at: at + sum(place < at for place in wide)


def _units(span: Span | None, units: Callable[[int], int]) -> list[int] | None:
    return [units(span.start), units(span.end)] if span else None
