"""What the verifier answers about a caption: accepted with its evidence, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from curation.caption import Basis, Reason, Status

Spans = tuple[tuple[int, int], ...]
"""Passages of a report as (start, end), in its order."""


class Verification(NamedTuple):
    """The answer of the verifier about one caption.

    ``spans`` are the passages of the report that are the evidence, in its order; ``text[start:end]`` is the first of
    them, and ``section`` the section that it stands in. Of a refused caption the one passage is the statement that
    comes nearest; where nothing does, there is none, and ``start`` and ``end`` are -1. ``score`` (0 to 100) is the
    share of the caption that they carry, ``basis`` what an accepted caption rests on.

    ``missing`` are the words of a refused caption that the nearest statement lacks. ``for_words``: it is refused for
    these alone; organ, side, numbers, denial, doubt, time and exceptions are in order.
    """

    accepted: bool
    organ: str
    status: Status | None
    reason: Reason | None
    detail: str | None
    start: int
    end: int
    section: str | None
    score: float
    nearest: str | None
    basis: Basis = "rules"
    spans: Spans = ()
    missing: tuple[str, ...] = ()
    for_words: bool = False


def refused(organ: str, reason: Reason, detail: str) -> Verification:
    """Return a refusal that no passage comes near."""
    return Verification(False, organ, None, reason, detail, -1, -1, None, 0.0, None)


class ReportPassage(Protocol):
    """A passage of a report, and the section that it stands in."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def section(self) -> str: ...


def refused_at(passage: ReportPassage, text: str, refusal: Verification) -> Verification:
    """Return a refusal with the passage of a report's text that comes nearest."""
    start, end = passage.start, passage.end
    return refusal._replace(
        start=start, end=end, section=passage.section, nearest=text[start:end], spans=((start, end),)
    )


def merged_spans(spans: Iterable[tuple[int, int]], text: str) -> Spans:
    """Return spans of a text in its order, those as one that overlap or have no letter or digit between them."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(set(spans)):
        if merged and not any(map(str.isalnum, text[merged[-1][1] : start])):
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def accepted(organ: str, status: Status, spans: Spans, section: str, share: float) -> Verification:
    """Return an acceptance by the passages ``spans``, which carry a share (0 to 1) of the caption literally."""
    return Verification(
        accepted=True,
        organ=organ,
        status=status,
        reason=None,
        detail=None,
        start=spans[0][0],
        end=spans[0][1],
        section=section,
        score=round(100 * share, 1),
        nearest=None,
        spans=spans,
    )
