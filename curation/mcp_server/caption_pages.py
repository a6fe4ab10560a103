"""Pages of a caption set for an agent: reports with their captions, as many as an answer has room for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from curation.runtime.errors import InputError
from curation.show.filters import ReportFilter
from curation.show.set_reports import SetReports

from .results import (
    ANSWER_CHARACTERS,
    TEXT_CHARACTERS,
    CaptionAnswer,
    CaptionPage,
    ReportAnswer,
    caption_answer,
    passages,
)

START = re.compile(r"([1-9]\d{0,11})(?::([1-9]\d{0,11}))?")
EVERYTHING = ReportFilter()


def read_page(
    reports: SetReports, start: str, most_reports: int, wanted: ReportFilter, check: Callable[[], None]
) -> CaptionPage:
    """Return the reports from ``start`` on that pass a filter, up to ``most_reports`` and to what an answer may hold.

    ``start`` is the place of a report, and behind a colon of the caption that comes next. Raises ``InputError`` for one
    that there is not.
    """
    place, first = _read_start(start, reports.total)
    answers: list[ReportAnswer] = []
    room = ANSWER_CHARACTERS
    at = _next(reports, place - 1, wanted, check)
    if at != place:
        first = 1
    while at is not None:
        check()
        if len(answers) == most_reports:
            return CaptionPage(total_reports=reports.total, reports=tuple(answers), next=str(at))
        answer, left = _report_answer(reports.view(at), first, room, alone=not answers)
        if answer is None:
            return CaptionPage(total_reports=reports.total, reports=tuple(answers), next=str(at))
        answers.append(answer)
        after = first + len(answer.captions)
        if after <= answer.total_captions:
            return CaptionPage(total_reports=reports.total, reports=tuple(answers), next=f"{at}:{after}")
        room, first, at = left, 1, _next(reports, at, wanted, check)
    return CaptionPage(total_reports=reports.total, reports=tuple(answers), next=None)


def _read_start(start: str, total: int) -> tuple[int, int]:
    match = START.fullmatch(start)
    if match is None or int(match[1]) > max(total, 1):
        raise InputError(
            f"start {start[:40]!r}: expected `next` of the last answer, or the place of a report, 1 to {total:,}"
        )
    return int(match[1]), int(match[2] or 1)


def _next(reports: SetReports, after: int, wanted: ReportFilter, check: Callable[[], None]) -> int | None:
    """Return the place of the next report that passes a filter."""
    while True:
        check()
        if wanted == EVERYTHING:
            return after + 1 if after < reports.total else None
        found = reports.find(after, 1, wanted) if after < reports.total else None
        if found is None or found.finished:
            return None if found is None else found.place
        after = found.reached


def _report_answer(view: dict[str, Any], first: int, room: int, alone: bool) -> tuple[ReportAnswer | None, int]:
    """Return a report with the captions that there is room for, and what room is left; None where it has none.

    ``alone`` says that it is the first of an answer, which has at least one caption, whatever room that takes.
    """
    text = view["text"]
    told = text[:TEXT_CHARACTERS] if first == 1 else None
    room -= len(told or "")
    if room < 0 and not alone:
        return None, room
    places = _characters_of(text)
    captions: list[CaptionAnswer] = []
    for caption in view["captions"][first - 1 :]:
        told_caption = _caption(caption, text, places)
        room -= told_caption.characters
        if room < 0 and not (alone and not captions):
            break
        captions.append(told_caption)
    if not captions and view["captions"][first - 1 :]:
        return None, room
    answer = ReportAnswer(
        report_id=view["id"],
        text=told,
        text_cut=told is not None and len(told) < len(text),
        first_caption=first,
        total_captions=len(view["captions"]),
        captions=tuple(captions),
    )
    return answer, room


def _caption(caption: dict[str, Any], text: str, places: Callable[[int], int]) -> CaptionAnswer:
    return caption_answer(
        caption["organ"],
        caption["caption"],
        caption["kind"] == "accepted",
        status=caption.get("status"),
        score=caption.get("score"),
        reason=caption.get("reason"),
        detail=caption.get("detail"),
        evidence=passages(text, [(places(start), places(end)) for start, end in caption["marks"]]),
    )


def _characters_of(text: str) -> Callable[[int], int]:
    """Return a function from offsets in UTF-16 units, which a view has, to characters of its text."""
    if not text or max(text) <= "\uffff":
        return lambda offset: offset
    units = text.encode("utf-16-le", "surrogatepass")
    return lambda offset: len(units[: 2 * offset].decode("utf-16-le", "surrogatepass"))
