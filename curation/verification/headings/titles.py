"""The region that the title of a report names: what is said of no organ below "CT HEAD" is said of the head."""

from __future__ import annotations

import re
from collections.abc import Sequence

from curation.language.parser import StatementParser
from curation.report import Section

_EXAMINATION = re.compile(r"(?:ct|cta|ncct|cect|hrct|mr|mri|mra|computed tomography|cat scan)\b", re.IGNORECASE)
_LABEL = re.compile(r"\W*(?:exam(?:ination)?|study|procedure)\b[^:\n]*:\s*", re.IGNORECASE)
_LONGEST_TITLE = 120
"""Characters of a line that may be a title."""


def title_region(text: str, sections: Sequence[Section], parser: StatementParser) -> tuple[str, ...]:
    """Return the one region that the titles of an examination above the first finding name; nothing where they differ.

    "CT HEAD AND NECK" and "CT ABDOMEN AND PELVIS" name two.
    """
    first = min((section.start for section in sections if section.name != "exam"), default=0)
    names: set[str] = set()
    for line in text[:first].splitlines():
        title = _LABEL.sub("", line, count=1).strip()
        if len(title) <= _LONGEST_TITLE and _EXAMINATION.match(title):
            names.update(name for term in parser.parse(title).terms if term.mention for name in term.mention.names)
    if len(names) != 1:
        return ()
    name = names.pop()
    return (name,) if parser.vocabulary.organs[name].region else ()
