"""A report with all of its captions as JSON for a page: passages, organ systems, and statements that no caption covers.

Offsets in the JSON count UTF-16 units, as browsers do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

from curation.language.statements import Span, split_statements
from curation.report import READ_SECTIONS

from .passages import utf16_offsets, utf16_span

CaptionKind = Literal["accepted", "refused"]
# A refusal quotes the words of the caption that the evidence does not carry.
_QUOTED = re.compile("“([^”]+)”")


class ShownCaption(NamedTuple):
    """A caption as a page shows it. ``kind`` and ``status`` are None where a blind review hides them.

    ``passages`` are where its evidence stands or, of a refused caption, the passage that comes nearest.
    """

    organ: str
    caption: str
    kind: CaptionKind | None
    passages: Sequence[tuple[int, int]]
    status: str | None = None
    score: float | None = None
    reason: str | None = None
    detail: str | None = None

    def view(self, to_utf16: Callable[[int], int], system_of: Callable[[str], str]) -> dict[str, Any]:
        """Return the caption as JSON; what is None is left out."""
        content: dict[str, Any] = {
            "organ": self.organ,
            "system": system_of(self.organ),
            "caption": self.caption,
            "marks": [utf16_span(span, to_utf16) for span in self.passages],
        }
        content |= {name: value for name in _OPTIONAL if (value := getattr(self, name)) is not None}
        if self.kind == "refused" and (words := refused_words(self.caption, self.detail or "")):
            in_caption = utf16_offsets(self.caption)
            content["wrong"] = [utf16_span(span, in_caption) for span in words]
        return content


_OPTIONAL = ("kind", "status", "score", "reason", "detail")


def report_view(
    report_id: str,
    text: str,
    sections: Sequence[tuple[str, int, int]],
    captions: Sequence[ShownCaption],
    system_of: Callable[[str], str],
) -> dict[str, Any]:
    """Return a report with its captions, in the order in which they are given, as JSON."""
    to_utf16 = utf16_offsets(text)
    bare = uncovered_statements(text, sections, covered_spans(captions))
    return {
        "id": report_id,
        "text": text,
        "sections": [
            [name, *utf16_span((start, end), to_utf16), name in READ_SECTIONS] for name, start, end in sections
        ],
        "captions": [caption.view(to_utf16, system_of) for caption in captions],
        "bare": [utf16_span(span, to_utf16) for span in bare],
    }


def covered_spans(captions: Iterable[ShownCaption]) -> list[tuple[int, int]]:
    """Return the passages that captions rest on: those of a refused caption cover nothing."""
    return [span for caption in captions if caption.kind != "refused" for span in caption.passages]


def uncovered_statements(
    text: str, sections: Sequence[tuple[str, int, int]], covered: Sequence[tuple[int, int]]
) -> list[Span]:
    """Return the statements of the sections that are read of which no passage has any part, in their order."""
    spans = sorted(covered)
    statements = [
        statement
        for name, start, end in sections
        if name in READ_SECTIONS
        for statement in split_statements(text, start, end)
    ]
    return [
        statement
        for statement in statements
        if not any(start < statement.end and statement.start < end for start, end in spans)
    ]


def refused_words(caption: str, detail: str) -> list[tuple[int, int]]:
    """Return where the words stand in a refused caption that the refusal names, as far as it has them."""
    lower = caption.lower()
    places = set()
    for match in _QUOTED.finditer(detail):
        words = match[1].lower()
        start = lower.find(words) if len(lower) == len(caption) else -1
        if start >= 0:
            places.add((start, start + len(words)))
    return sorted(places)


def in_reading_order(captions: Iterable[ShownCaption], length: int) -> list[ShownCaption]:
    """Return captions in the order of their passages in a text of this length; those without one come last."""
    return sorted(captions, key=lambda caption: (list(caption.passages) or [(length, length)], caption.organ))
