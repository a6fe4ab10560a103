"""Split free text into sections: findings, impression, and what around them is neither.

Technique, history, comparison, consent and signatures are sections of their own, so that nothing in them is read for
captions. Headings of organs ("LIVER: …") stay inside the findings.
"""

from __future__ import annotations

import re
from itertools import chain

from curation.cleaning.clean_text import clean_text
from curation.report import Section

from .heading_phrases import section_of
from .headings import Heading, find_headings
from .site_headings import SiteHeadings
from .unheaded_findings import LINE, LINE_BEHIND_STOP, SENTENCE, findings_start, is_of_the_body, tells_an_intervention

AROUND = frozenset({"history", "comparison", "technique", "exam"})
# A section of technique or history of so many characters holds findings, if no other place has any.
LONG_SECTION = 300
# So many headings of a clinical note make a text one; its impression is not an examination's.
NOTE_HEADINGS = 3
# The sections that findings may follow sentence by sentence; behind a history they begin with a line of their own.
OF_THE_EXAMINATION = frozenset({"comparison", "technique", "exam"})
LINE_END = re.compile(r"[\r\n]")
# Collections that joined findings and impression keep the impression's bullets: quotes, dots, or "?" for either.
# A row of marks is looked at once, from its first.
BULLET = re.compile(
    r"(?:(?<![\"“”•·●▪])(?<![\"“”•·●▪] )[\"“”•·●▪](?: ?[\"“”•·●▪])* ?|\?\.? (?=[A-Z])|(?<=[.] )-(?=[A-Z]))"
    r"(?=[A-Z0-9(?])"
)
SENTENCE_BEFORE = re.compile(r"[.:?!)]\s+(?:[,;] ?)?$")
LONGEST_QUOTATION = 60
QUOTE_MARKS = '"“”'
SENTENCE_END = re.compile(r"[.?!]\s+(?=[A-Z])")
QUOTES = re.compile(r"[\"“”]")

# A heading of findings beside those that stand before it: "Other findings:".
_OTHERS = re.compile(r"\W*(?:other|additional|further|remaining|associated)\b", re.IGNORECASE)


def split_sections(text: str, default: str = "findings", of_site: SiteHeadings | None = None) -> tuple[Section, ...]:
    """Return the sections of a text, cut at its headings; a text without any is one section, ``default``.

    Sections come in order and do not overlap; their bodies are not empty and have no white space around them.
    ``of_site`` are headings that a site has added to ours.
    """
    clean = clean_text(text)
    sections = _split_clean(clean.text, default, of_site)
    return tuple(Section(section.name, *clean.source_span(section.start, section.end)) for section in sections)


def _split_clean(text: str, default: str, of_site: SiteHeadings | None) -> tuple[Section, ...]:
    """Return the sections of a clean text."""
    headings = find_headings(text, of_site)
    if headings:
        sections = _split_at_headings(text, headings, default)
    else:
        whole_text = Section(default, 0, len(text))
        sections = _split_at_bullet(text, whole_text) if default == "findings" else [whole_text]
    return tuple(trimmed for section in sections if (trimmed := _trim(text, section)))


def _trim(text: str, section: Section) -> Section | None:
    body = text[section.start : section.end]
    start = section.start + len(body) - len(body.lstrip())
    end = section.start + len(body.rstrip())
    return Section(section.name, start, end) if start < end else None


def _split_at_bullet(text: str, findings: Section) -> list[Section]:
    """Return findings and, from the first bullet behind a sentence, the impression.

    A quotation ("Crazy paving" pattern …) is no bullet: it is short, its marks stand close to it, and in its sentence
    the words go on in small letters behind it. Bullets before the first item too make a list of all.
    """
    opening = text[findings.start : findings.end].lstrip()[:1]
    for bullet in BULLET.finditer(text, findings.start, findings.end):
        near = max(findings.start, bullet.start() - 5)
        stop = SENTENCE_BEFORE.search(text[near : bullet.start()])
        marks = bullet[0].replace(" ", "")
        if not stop or set(marks) <= {opening}:
            continue
        is_quote = marks[-1] in QUOTE_MARKS and not bullet[0].endswith(" ")
        closing = QUOTES.search(text, bullet.end(), bullet.end() + LONGEST_QUOTATION) if is_quote else None
        behind = text[closing.end() : closing.end() + 2].lstrip() if closing else ""
        if not behind[:1].islower() and behind[:1] not in {",", ";"}:
            return [
                Section("findings", findings.start, near + stop.start() + 1),
                Section("impression", bullet.end(), findings.end),
            ]
    return [findings]


def _split_at_headings(text: str, headings: list[Heading], default: str) -> list[Section]:
    """Return the sections under the headings, and findings and impression where they have no heading of their own."""
    parts = _bodies(text, headings, default)
    has_findings = any(part.name == "findings" and _trim(text, part) for part in parts)
    if sum(heading.note for heading in headings) >= NOTE_HEADINGS and not has_findings:
        return [Section("other", part.start, part.end) if part.name == "impression" else part for part in parts]
    if default == "findings":
        places = [index for index, part in enumerate(parts) if part.name == "findings" and _trim(text, part)]
        last = max(places, default=-1)
        titled = _opens_with_title(text, headings)
        split = (
            _split_off_preamble(text, part)
            if titled and not index
            else _split_off_findings(text, part, index < last, bool(places))
            for index, part in enumerate(parts)
        )
        parts = list(chain.from_iterable(split))
        parts = _with_findings(text, parts)
        if all(part.name != "impression" for part in parts):
            bulleted = (_split_at_bullet(text, part) if part.name == "findings" else [part] for part in parts)
            parts = list(chain.from_iterable(bulleted))
    return parts


def _bodies(text: str, headings: list[Heading], default: str) -> list[Section]:
    """Return the sections between headings. Behind a heading with ``line``, the section around it goes on."""
    parts = [Section(_preamble_name(text, headings, default), 0, headings[0].start)]
    for heading, end in zip(headings, [*(later.start for later in headings[1:]), len(text)], strict=True):
        if heading.sentence:
            around = parts[-1].name
            parts += [Section("other", heading.start, heading.end), Section(around, heading.end, end)]
            continue
        if not heading.line:
            parts.append(Section(heading.section, heading.end, end))
            continue
        line_end = LINE_END.search(text, heading.end, end)
        around = parts[-1].name
        parts.append(Section("other", heading.start, line_end.start() if line_end else end))
        if line_end:
            parts.append(Section(around, line_end.end(), end))
    return parts


def _preamble_name(text: str, headings: list[Heading], default: str) -> str:
    """Return the section before the first heading: the findings, where an impression or others follow; else a title."""
    sections = {heading.section for heading in headings}
    if default != "findings":
        return default
    # the patient, the date and a signature take up a line and open nothing
    first = next((heading for heading in headings if not heading.line and not heading.sentence), None)
    if first is not None and first.section == "findings" and _OTHERS.match(text, first.start, first.end):
        return "findings"
    around = first is not None and first.section in AROUND
    return "findings" if "findings" not in sections and not around else "exam"


def _split_off_findings(text: str, part: Section, findings_follow: bool, has_findings: bool) -> list[Section]:
    """Split a section from the findings behind it that have no heading of their own."""
    if part.name not in AROUND or _is_intervention(text, part):
        return [part]
    sentences = LINE if has_findings else SENTENCE
    if part.name not in OF_THE_EXAMINATION:
        sentences = LINE_BEHIND_STOP
    start = findings_start(text, part.start, part.end, sentences=sentences, findings_follow=findings_follow)
    if start is None:
        return [part]
    return [Section(part.name, part.start, start), Section("findings", start, part.end)]


def _opens_with_title(text: str, headings: list[Heading]) -> bool:
    """Return whether the first findings stand under the title of one of several examinations: "CTA: …"."""
    first = next(heading for heading in headings if heading.section == "findings" or heading is headings[-1])
    return first.section == "findings" and section_of(text[first.start : first.end].rstrip(": ")) is None


def _split_off_preamble(text: str, part: Section) -> list[Section]:
    """Split the title of a report from the findings on a line below it, where a second title follows further on."""
    if part.name != "exam":
        return [part]
    for line in LINE.finditer(text, part.start, part.end):
        stop = SENTENCE_END.search(text, line.end(), part.end)
        if is_of_the_body(text[line.end() : stop.end() if stop else part.end]):
            return [Section(part.name, part.start, line.end()), Section("findings", line.end(), part.end)]
    return [part]


def _is_intervention(text: str, part: Section) -> bool:
    return part.name == "technique" and tells_an_intervention(text, part.start, part.end)


def _with_findings(text: str, parts: list[Section]) -> list[Section]:
    """Return the sections with findings: where there are none, the longest section is cut, if it is long enough.

    Its first sentence, if of ordinary length, is what its heading announces; the findings come behind it.
    """
    around = [part for part in parts if part.name in AROUND and not _is_intervention(text, part)]
    longest = max(around, key=lambda part: part.end - part.start, default=None)
    if (
        any(part.name == "findings" and _trim(text, part) for part in parts)
        or longest is None
        or longest.end - longest.start < LONG_SECTION
    ):
        return parts
    sentence = SENTENCE_END.search(text, longest.start + 1, longest.start + LONG_SECTION * 2 // 3)
    start = sentence.end() if sentence else longest.start
    index = parts.index(longest)
    split = [Section(longest.name, longest.start, start), Section("findings", start, longest.end)]
    return [*parts[:index], *split, *parts[index + 1 :]]
