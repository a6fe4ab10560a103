"""The region that the title of a report names: what is said of no organ below "CT HEAD" is said of the head."""

from __future__ import annotations

import re
from collections.abc import Sequence

from curation.language.parser import StatementParser
from curation.language.structure.side_frames import side_frame
from curation.report import Section

_EXAMINATION = re.compile(r"(?:ct|cta|ncct|cect|hrct|mr|mri|mra|computed tomography|cat scan)\b", re.IGNORECASE)
_LABEL = re.compile(r"(?<!\W)\W*+(?:exam(?:ination)?|study|procedure)\b[^:\n]*:\s*", re.IGNORECASE)
_TECHNIQUE = re.compile(
    r"\b(?:scan|study|of|the|without|with|w/o|iv|contrast|and|3d|reconstructions?)\b", re.IGNORECASE
)
_LONGEST_TITLE = 120
"""Characters of a line that may be a title."""


def title_region(text: str, sections: Sequence[Section], parser: StatementParser) -> tuple[str, ...]:
    """Return the one region that the titles of an examination above the first finding name; nothing where they differ.

    "CT HEAD AND NECK" and "CT ABDOMEN AND PELVIS" name two.
    """
    first = min((section.start for section in sections if section.name != "exam"), default=0)
    names: set[str] = set()
    for line in text[:first].splitlines():
        title = _without_label(line)
        if len(title) <= _LONGEST_TITLE and _EXAMINATION.match(title):
            names.update(name for term in parser.parse(title).terms if term.mention for name in term.mention.names)
    if len(names) != 1:
        return ()
    name = names.pop()
    return (name,) if parser.vocabulary.organs[name].region else ()


def title_frame(text: str, sections: Sequence[Section], parser: StatementParser) -> tuple[str, tuple[str, ...]]:
    """Return the one-sided region or limb that a title names, in words, with its names: "CT RIGHT KNEE"."""
    first = min((section.start for section in sections if section.name != "exam"), default=0)
    frames: dict[str, tuple[str, ...]] = {}
    for line in text[:first].splitlines():
        title = _without_label(line).split(". ")[0]
        opening = _EXAMINATION.match(title)
        if opening is None or len(title) > _LONGEST_TITLE:
            continue
        words = _TECHNIQUE.sub("", title[opening.end() :]).strip(" .:,-").capitalize()
        segments = parser.parse(words).segments
        frame = side_frame(segments[0], parser.vocabulary, label=True) if len(segments) == 1 else None
        if frame is not None and frame.regions:
            frames[words] = tuple(name for mention in frame.regions for name in mention.names)
    return next(iter(frames.items())) if len(frames) == 1 else ("", ())


def _without_label(line: str) -> str:
    """Return a line without "Exam:" and the like. What no colon follows is not searched: it can be no label."""
    label = _LABEL.search(line, 0, line.rfind(":") + 1)
    return line.strip() if label is None else (line[: label.start()] + line[label.end() :].lstrip()).strip()
