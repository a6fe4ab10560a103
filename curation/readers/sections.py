"""Free text to sections: where the findings and the impression stand, and what around them is neither.

Technique, history, comparison, consent and signatures are sections of their own, so that nothing in them is read for
captions. Headings of organs ("LIVER: …") stay inside the findings.
"""

from __future__ import annotations

import re
from itertools import chain

from curation.report import Section

from .headings import Heading, find_headings

AROUND = frozenset({"history", "comparison", "technique", "exam"})
# A section of technique or history as long as this holds more than that, if no other place has findings.
LONG = 300
# So many headings of a clinical note make a text one; its impression is not an examination's.
NOTE = 3
ORGANS = (
    "lungs?|lung bases|airways?|pleura|thorax|chest|lower chest|heart|mediastinum|abdomen|pelvis|liver|hepatobiliary|"
    "spleen|pancreas|gallbladder|biliary|adrenals?|adrenal glands|kidneys?|brain|ventricles|bowel|bones?|"
    "musculoskeletal|osseous structures|vasculature|vessels|aorta|lymph nodes|soft tissues|thyroid|neck"
)
ORGAN = re.compile(rf"(?:^|(?<=\s))(?:\d{{1,2}}\.\s*)?(?:{ORGANS})(?:(?:/| and | & )[a-z ]{1, 40}?)?:", re.IGNORECASE)
NUMBERED_ORGAN = re.compile(r"(?:^|(?<=\s))\d{1,2}\.\s+[A-Z][A-Za-z/ ]{2,40}:")
PARAGRAPH = re.compile(r"(?:\r\n?|\n)[ \t]*(?:\r\n?|\n)\s*")
LINE_END = re.compile(r"[\r\n]")
# Collections that joined findings and impression keep the impression's bullets: quotes, dots, or "?" for either.
BULLET = re.compile(r"(?:[\"“”•·●▪](?: ?[\"“”•·●▪])* ?|\?\.? (?=[A-Z])|(?<=[.] )-(?=[A-Z]))(?=[A-Z0-9(?])")
SENTENCE_BEFORE = re.compile(r"[.:?!)] +(?:[,;] ?)?$")
QUOTE_MARKS = '"“”'
SENTENCE_END = re.compile(r"[.?!]\s+(?=[A-Z])")
QUOTES = re.compile(r"[\"“”]")


def split_sections(text: str, default: str = "findings") -> tuple[Section, ...]:
    """Cut a text at its headings; a text without any is one section, ``default``.

    Sections come in order and do not overlap; their bodies are not empty and have no white space around them.
    """
    headings = find_headings(text)
    if headings:
        parts = _by_headings(text, headings, default)
    else:
        whole = Section(default, 0, len(text))
        parts = _at_bullet(text, whole) if default == "findings" else [whole]
    return tuple(section for part in parts if (section := _trimmed(text, part)))


def _trimmed(text: str, section: Section) -> Section | None:
    body = text[section.start : section.end]
    start = section.start + len(body) - len(body.lstrip())
    end = section.start + len(body.rstrip())
    return Section(section.name, start, end) if start < end else None


def _at_bullet(text: str, findings: Section) -> list[Section]:
    """Findings and, from the first bullet behind a sentence, the impression.

    A quotation ("Crazy paving" pattern …) is no bullet: in its sentence the words go on in small letters behind it.
    """
    for bullet in BULLET.finditer(text, findings.start, findings.end):
        near = max(findings.start, bullet.start() - 5)
        stop = SENTENCE_BEFORE.search(text[near : bullet.start()])
        if not stop:
            continue
        closing = QUOTES.search(text, bullet.end()) if bullet[0][0] in QUOTE_MARKS else None
        behind = text[closing.end() : closing.end() + 2].lstrip() if closing else ""
        if not behind[:1].islower() and behind[:1] not in {",", ";"}:
            return [
                Section("findings", findings.start, near + stop.start() + 1),
                Section("impression", bullet.end(), findings.end),
            ]
    return [findings]


def _by_headings(text: str, headings: list[Heading], default: str) -> list[Section]:
    parts = _bodies(text, headings, default)
    if sum(heading.note for heading in headings) >= NOTE and all(part.name != "findings" for part in parts):
        return [Section("other", part.start, part.end) if part.name == "impression" else part for part in parts]
    if default == "findings":
        last = max((place for place, part in enumerate(parts) if part.name == "findings"), default=-1)
        released = (_released(text, part, findings_follow=place < last) for place, part in enumerate(parts))
        parts = list(chain.from_iterable(released))
        parts = _with_findings(text, parts)
        if all(part.name != "impression" for part in parts):
            bulleted = (_at_bullet(text, part) if part.name == "findings" else [part] for part in parts)
            parts = list(chain.from_iterable(bulleted))
    return parts


def _bodies(text: str, headings: list[Heading], default: str) -> list[Section]:
    """The text between headings. A line that is no section of its own goes back to the one around it."""
    parts = [Section(_preamble(text, headings, default), 0, headings[0].start)]
    for heading, end in zip(headings, [*(later.start for later in headings[1:]), len(text)], strict=True):
        if not heading.line:
            parts.append(Section(heading.section, heading.end, end))
            continue
        line_end = LINE_END.search(text, heading.end, end)
        around = parts[-1].name
        parts.append(Section("other", heading.start, line_end.start() if line_end else end))
        if line_end:
            parts.append(Section(around, line_end.end(), end))
    return parts


def _preamble(text: str, headings: list[Heading], default: str) -> str:
    """What stands before the first heading: the findings, where only an impression follows; else a title."""
    sections = {heading.section for heading in headings}
    if default != "findings":
        return default
    first = headings[0].section
    return "findings" if "findings" not in sections and first not in AROUND else "exam"


def _released(text: str, part: Section, findings_follow: bool) -> list[Section]:
    """Give back the findings that a section in front of them took in, for want of a heading of their own.

    They start at a numbered heading of an organ or, in a report that has no findings further on, at the next
    paragraph or at any heading of an organ.
    """
    if part.name not in AROUND:
        return [part]
    starts = [found.start() for found in [NUMBERED_ORGAN.search(text, part.start, part.end)] if found]
    if not findings_follow:
        paragraph = PARAGRAPH.search(text, part.start + _leading(text, part), part.end)
        organ = ORGAN.search(text, part.start, part.end)
        starts += [found for found in (paragraph and paragraph.end(), organ and organ.start()) if found is not None]
    if not starts:
        return [part]
    return [Section(part.name, part.start, min(starts)), Section("findings", min(starts), part.end)]


def _leading(text: str, part: Section) -> int:
    body = text[part.start : part.end]
    return len(body) - len(body.lstrip())


def _with_findings(text: str, parts: list[Section]) -> list[Section]:
    """Where no section has findings, take the longest one around them, if it is long enough to hold some.

    A first sentence of ordinary length is what its heading announced; the findings come behind it.
    """
    around = [part for part in parts if part.name in AROUND]
    longest = max(around, key=lambda part: part.end - part.start, default=None)
    if any(part.name == "findings" for part in parts) or longest is None or longest.end - longest.start < LONG:
        return parts
    sentence = SENTENCE_END.search(text, longest.start + 1, longest.start + LONG * 2 // 3)
    start = sentence.end() if sentence else longest.start
    place = parts.index(longest)
    cut = [Section(longest.name, longest.start, start), Section("findings", start, longest.end)]
    return [*parts[:place], *cut, *parts[place + 1 :]]
