"""Headings that a site adds to ours (``headings`` of its ``--lexicon`` file), and where a text has them.

They are read at the start of a line or behind the end of a sentence with a colon, and on a line of their own without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from curation.runtime.errors import InputError
from prompts.vocabulary import load_vocabulary

from .heading_phrases import section_of

_MARKS = r"[\s#*_>=<\[({|~•·–—-]*"


@dataclass(frozen=True, slots=True)
class SiteHeadings:
    """A site's headings: the section that each opens by its phrase in small letters, and the pattern of them all."""

    sections: Mapping[str, str]
    pattern: re.Pattern[str]

    def places(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and section of each heading in a text; it begins with a capital."""
        for match in self.pattern.finditer(text):
            phrase = match["phrase"] or match["alone"]
            if phrase[0].isupper():
                yield match.start(), match.end(), self.sections[" ".join(phrase.lower().split())]


def site_headings(phrases_by_section: Mapping[str, Sequence[str]]) -> SiteHeadings | None:
    """Return a site's headings, None where it has none.

    Raises ``InputError`` for a phrase that opens two sections, that opens another section already, or is an organ.

    >>> site_headings({"impression": ["beurteilung"]}).sections
    {'beurteilung': 'impression'}
    """
    sections: dict[str, str] = {}
    for section, phrases in phrases_by_section.items():
        for phrase in phrases:
            other = sections.setdefault(phrase, section_of(phrase) or section)
            if other != section:
                raise InputError(
                    f"--lexicon: headings: “{phrase}” is a heading of {other} already, and not of {section}"
                )
            if (organ := load_vocabulary().resolve(phrase)) is not None:
                raise InputError(
                    f"--lexicon: headings: “{phrase}” is a name of the organ “{organ}”, whose headings stay inside the "
                    "findings; leave it out"
                )
    if not sections:
        return None
    words = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in sorted(sections, key=len, reverse=True))
    pattern = re.compile(
        rf"(?:^{_MARKS}|(?<=[.?!;)])\s+)(?P<phrase>{words})\s*:[*_]*|^{_MARKS}(?P<alone>{words})[ \t*_\])}}>=~.:-]*$",
        re.IGNORECASE | re.MULTILINE,
    )
    return SiteHeadings(sections, pattern)
