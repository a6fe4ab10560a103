"""Find the headings of radiology reports: which phrases are headings, and which section each opens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from curation.cleaning.signatures import find_signatures
from curation.report import READ_SECTIONS

from .heading_phrases import DIAGNOSES, NOTE_HEADINGS, ONE_LINE, ONLY_FIRST, SECTION_OF, bare_phrase, section_of
from .site_headings import SiteHeadings

# What opens a section in the middle of a line: the first even where the sentence before has no full stop.
RUN_IN_ANYWHERE = (
    "findings|impression|technique|comparison|indication|addendum|clinical indication|clinical history|"
    "clinical information|clinical data|reason for exam|reason for study|reason for examination"
)
RUN_IN_BEHIND_STOP = (
    "history|exam|examination|indications|conclusion|conclusions|opinion|assessment|discussion|interpretation|"
    "impressions|recommendation|recommendations|comparisons|techniques|procedure|medications|signature|observations|"
    "observation|summary|results|final impression|"
    "electronic signature|dictated by|signed by|electronically signed by|transcribed by|reported by|clinical details|"
    "clinical question|prior study|prior studies|comparison study|comparison exam|past medical history"
)
ANYWHERE = frozenset(RUN_IN_ANYWHERE.split("|"))
RUN_IN = re.compile(
    rf"(?:^|(?P<before>\S*)[\s(/])"
    rf"(?P<heading>(?P<which>(?:additional|incidental|other|significant|relevant|pertinent|positive|ct)\s)?"
    rf"(?P<phrase>{RUN_IN_ANYWHERE}|{RUN_IN_BEHIND_STOP})(?P<second>\s?(?:/|&|and)\s?(?:{RUN_IN_ANYWHERE}))?)$",
    re.IGNORECASE,
)
RUN_IN_CAPITALS = re.compile(r"(?<=[.?!])\s+(?P<heading>[A-Z][A-Z /,-]{1,50})$")
# Looked at first, since most colons stand behind other words.
LAST_WORD = re.compile(r"[A-Za-z]+$")
LAST_WORDS = frozenset(phrase.split()[-1] for phrase in f"{RUN_IN_ANYWHERE}|{RUN_IN_BEHIND_STOP}".split("|"))
# "Number of Findings: 3", "see Impression: …" are phrases of a sentence.
GOES_ON = frozenset(("of", "the", "a", "in", "on", "to", "for", "with", "no", "any", "see", "per", "by", "from", "our"))
STOPS = (".", "?", "!", ":", ";", ")", "]", "*", "-", "\u2022")
MODALITY = r"(?:CTA?|HRCT|CCTA|MRI|MRA?|PET|PET/CT|CECT|NCCT|SPECT|US|ULTRASOUND|XR|X-?RAYS?|RADIOGRAPHS?)"
TITLE = re.compile(rf"{MODALITY}\b(?![-\s](?:demonstrat|show|reveal))[A-Za-z /,&()-]{{0,90}}$")
# "PET-CT and biopsy are recommended" is no title.
SENTENCE_VERB = re.compile(r"\b(?:is|are|was|were|has|have|be|been|shows?|should|recommended)\b", re.I)
INTERVENTION = re.compile(r"guided|biopsy|drainage|aspiration|ablation|injection|needle|placement|embolization", re.I)
DECORATION = re.compile(
    r"[\s#*_>=<\[({|~\u2022\u00b7\u2013\u2014-]*(?:(?:\d{1,2}|[IVX]{1,4}|[A-H])[.)]\s*)?[\s*_\[(<]*"
)
# Characters from the start of a line to the colon of its heading.
LONGEST = 120
BOLD_END = re.compile(r"[*_]*")
LINE_ENDS = re.compile(r"[ \t]*[\r\n]")
# A title that says whose report it is, and of which standing; what stands below has headings of its own, or needs none.
BANNER = re.compile(r"(?:(?:final|preliminary|official|formal|radiology|ct|signed|verified)\s)+report")
# A form's count, as in "Findings: 3".
BARE_NUMBER = re.compile(r"[ \t]*\d+[ \t]*\.?[ \t]*(?=[\r\n]|\Z)")
# Marks between a heading without a colon and the end of its line, or what stands under it on the same line.
BARE_LINE = re.compile(
    r"^(?P<mark>[ \t]*[#*_>=<\[({|~\u2022\u00b7\u2013\u2014-]*[ \t]*)(?:(?:\d{1,2}|[IVX]{1,4}|[A-H])[.)][ \t]*)?"
    r"(?P<heading>[A-Za-z][A-Za-z /&,()'\u2019-]{1,100}?)(?P<behind>[ \t]*[]*_>=})|~:;.\u2013\u2014-]*[ \t]*)$",
    re.M,
)
RUN_ON_LINE = re.compile(
    r"^[ \t]*(?:[#*_>=\[({|~-]+[ \t]*)?(?:(?:\d{1,2}|[IVX]{1,4}|[A-H])[.)][ \t]*)?"
    r"(?P<heading>[A-Z][A-Za-z]*(?:[ /&]{1,3}[A-Za-z]+){0,3}?)[\])}]?"
    r"(?:[ \t]+(?:[-\u2013\u2014=>]{1,3})[ \t]+|\.[ \t]+(?=[A-Z0-9])|[ \t]*[|;][ \t]*|[ \t]*[-=]{2,}>?[ \t]*)(?=\S)",
    re.M,
)
# Sections that a heading without a colon may open on the line of their text: "Findings - The liver is large."
RUN_ON_SECTIONS = frozenset(("findings", "impression", "technique", "comparison", "history", "recommendation"))
# Looked for first: a search for a word costs a hundredth of one for a pattern with several ways to start.
DASHED_WORDS = tuple(
    word
    for name in ("findings", "impression", "conclusion", "opinion", "summary")
    for word in (name.upper(), name.title())
)
DASHED = re.compile(
    rf"(?:^[ \t]*|(?<=[.?!][ \t])|(?<=[.?!]  ))(?P<heading>{'|'.join(DASHED_WORDS)})"
    r"(?:[ \t]+[-\u2013\u2014][ \t\n]|[ \t]*(?=[ \t\n]\(?0?1[.)]))",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: ``text[start:end]`` is its words with their decoration, and ``section`` is what begins at ``end``.

    Offsets count characters of the text from 0. ``note`` marks the headings of clinical notes; ``line`` says that the
    section ends with the heading's own line, ``sentence`` that it ends with its sentence, at ``end``.
    """

    start: int
    end: int
    section: str
    note: bool = False
    line: bool = False
    sentence: bool = False


def find_headings(text: str, of_site: SiteHeadings | None = None) -> list[Heading]:
    """Return all headings of a text, in order, without overlaps; also those that a site has added to ours."""
    candidates = [*_with_colon(text), *_dashed(text), *_run_on_lines(text), *_signatures(text)]
    if of_site is not None:
        candidates += [Heading(*place) for place in of_site.places(text)]
    if "\n" in text or "\r" in text:
        candidates += _bare_lines(text)
    candidates.sort(key=lambda heading: (heading.start, -heading.end))
    headings: list[Heading] = []
    for heading in candidates:
        if not headings or heading.start >= headings[-1].end:
            headings.append(heading)
    return _with_ambiguous(text, headings)


def _with_ambiguous(text: str, headings: list[Heading]) -> list[Heading]:
    """Return the headings with those whose meaning hangs on their place: "Body", "Diagnosis"."""
    places = [heading.start for heading in headings if heading.section == "findings"]
    settled: list[Heading] = []
    for heading in headings:
        phrase = bare_phrase(text[_end(DECORATION, text, heading.start) : heading.end])
        if phrase in ONLY_FIRST and not _may_open_findings(text, heading, settled):
            continue
        if BANNER.fullmatch(phrase) and not text[: heading.start].strip() and LINE_ENDS.match(text, heading.end):
            heading = replace(heading, section="other", line=True)
        if phrase in DIAGNOSES and places and heading.start < places[0]:
            heading = replace(heading, section="history")
        settled.append(heading)
    return settled


def _may_open_findings(text: str, heading: Heading, before: list[Heading]) -> bool:
    """Tell whether "Body" or the like is a heading: behind the examination, where no findings have begun."""
    if not before:
        return not text[: heading.start].strip()
    return before[-1].section not in READ_SECTIONS and all(earlier.section != "findings" for earlier in before)


def _with_colon(text: str) -> Iterator[Heading]:
    """Yield headings in front of a colon: at the start of a line, or running on from the sentence before."""
    place = text.find(":")
    while place >= 0:
        near = max(0, place - LONGEST)
        broken = max(text.rfind("\n", near, place), text.rfind("\r", near, place)) + 1
        line = broken or near
        at_start = _at_line_start(text, line, place) if broken or not near else None
        heading = at_start or _run_in(text, line, place) or _run_in_capitals(text, line, place)
        if heading and not BARE_NUMBER.match(text, place + 1):
            yield heading
        place = text.find(":", place + 1)


def _at_line_start(text: str, line: int, colon: int) -> Heading | None:
    start = _end(DECORATION, text, line)
    phrase = text[start:colon].rstrip(" *_]}>=|~-")
    if not phrase[:1].isalpha() or ":" in phrase:
        return None
    section = section_of(phrase)
    if section is None and not _run_in(text, line, colon):
        section = _title_section(phrase)
    note = " ".join(phrase.lower().split()) in NOTE_HEADINGS
    end = _end(BOLD_END, text, colon + 1)
    return Heading(line, end, section, note, line=bare_phrase(phrase) in ONE_LINE) if section else None


def _run_in(text: str, line: int, colon: int) -> Heading | None:
    last = LAST_WORD.search(text, max(line, colon - 16), colon)
    if not last or last[0].lower() not in LAST_WORDS:
        return None
    match = RUN_IN.search(text, max(line, colon - 80), colon)
    if not match or not match["heading"][0].isupper():
        return None
    before = match["before"] or ""
    if before.lower() in GOES_ON or (match["phrase"].lower() not in ANYWHERE and before and before[-1] not in STOPS):
        return None
    section = section_of(match["phrase"] + (match["second"] or ""))
    return Heading(match.start("heading"), _end(BOLD_END, text, colon + 1), section) if section else None


def _run_in_capitals(text: str, line: int, colon: int) -> Heading | None:
    """Return the heading of a note or an intervention whose line break was lost: "… denied. HX: …"."""
    if not text[colon - 1 : colon].isupper():
        return None
    match = RUN_IN_CAPITALS.search(text, max(line, colon - 60), colon)
    if not match:
        return None
    note = match["heading"].lower() in NOTE_HEADINGS
    section = section_of(match["heading"]) if note else _title_section(match["heading"])
    if not note and section != "other":
        return None
    return Heading(match.start("heading"), _end(BOLD_END, text, colon + 1), section, note) if section else None


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _title_section(phrase: str) -> str | None:
    """Return the section of an examination's title: ``CT ABDOMEN`` opens findings, ``CT-GUIDED BIOPSY`` a procedure."""
    if SENTENCE_VERB.search(phrase):
        return None
    if not TITLE.match(phrase) and not (phrase[:2] == "CT" and INTERVENTION.search(phrase)):
        return None
    return "other" if INTERVENTION.search(phrase) else "findings"


def _bare_lines(text: str) -> Iterator[Heading]:
    """Yield headings on a line of their own without a colon: phrases with a capital, and titles in capitals."""
    for match in BARE_LINE.finditer(text):
        phrase, mark = match["heading"], match["mark"].strip()
        section = section_of(phrase)
        if section is None and (phrase.isupper() or mark):
            section = _title_section(phrase)
        if section not in RUN_ON_SECTIONS and "." in match["behind"]:
            continue
        if section and (phrase[0].isupper() or section in {"findings", "impression"}):
            if mark or section not in {"other", "technique"} or phrase.isupper() or section_of(phrase) == "technique":
                yield Heading(match.start(), match.end(), section)


def _run_on_lines(text: str) -> Iterator[Heading]:
    """Yield headings at the start of a line that a dash, a bar or a full stop sets apart: "Impression - Normal"."""
    for match in RUN_ON_LINE.finditer(text):
        section = section_of(match["heading"])
        if section in RUN_ON_SECTIONS:
            yield Heading(match.start(), match.end(), section)


def _dashed(text: str) -> Iterator[Heading]:
    """Yield headings in front of a dash or of a numbered list."""
    if any(word in text for word in DASHED_WORDS):
        for match in DASHED.finditer(text):
            yield Heading(match.start(), match.end(), SECTION_OF[match["heading"].lower()])


def _signatures(text: str) -> Iterator[Heading]:
    """Yield the beginnings of signatures, which end with their line, and of notes on who was told."""
    for start, end, whole_line in find_signatures(text):
        yield Heading(start, end, "other", line=whole_line, sentence=not whole_line)
