"""Find the headings of radiology reports: which phrases are headings, and which section each opens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Phrases by the section that they open. A heading of several parts ("TECHNIQUE AND FINDINGS") opens the section of the
# part that stands highest here. Compared with the section titles of NegBio and medspaCy.
PHRASES = {
    "findings": (
        "findings|finding|discussion|interpretation|description|observations|observation|results|result|"
        "body of report|full result|report"
    ),
    "impression": "impression|impressions|conclusion|conclusions|opinion|assessment|summary|diagnostic impression",
    "addendum": "addendum|addenda",
    "recommendation": "recommendation|recommendations|plan|follow-up|followup|suggestion|suggestions|advice",
    "comparison": (
        "comparison|comparisons|comparison exam|comparison exams|comparison study|comparison studies|prior study|"
        "prior studies|previous study|previous studies|prior exams|prior imaging|previous imaging|correlation"
    ),
    "technique": (
        "technique|techniques|method|methods|protocol|contrast|contrast agent|contrast material|scan parameters|"
        "imaging technique|scanning technique|acquisition|dose|radiation dose|ctdivol|dlp|limitations|image quality"
    ),
    "history": (
        "history|indication|indications|reason|clinical history|clinical indication|clinical indications|"
        "clinical information|clinical data|clinical details|clinical question|clinical statement|clinical diagnosis|"
        "clinical background|clinical context|patient history|medical history|brief history|relevant history|"
        "pertinent history|past medical history|past history|surgical history|preliminary diagnosis|signs and symptoms|"
        "reason for exam|reason for examination|reason for study|reason for the exam|reason for this exam|"
        "reason for scan|reason for ct scan|reason for ct|reason for referral|reason for visit|symptoms"
    ),
    "exam": (
        "exam|examination|study|exam type|type of exam|procedure performed|exam name|modality|exam date|date of exam|"
        "study date|examination date|date of examination|exam date and time"
    ),
    "other": (
        "procedure|procedures|medications|medication|consent|informed consent|complications|anesthesia|sedation|"
        "attending|radiologist|attending radiologist|referring physician|ordering physician|interpreting physician|"
        "physician|patient name|patient|patient id|mrn|accession|accession number|dob|date of birth|date of service|"
        "date|critical result|communication|dictated|dictated by|transcribed by|transcribed|signed|signed by|"
        "electronically signed by|signature|"
        "electronic signature|reported by|reported and signed by|verified by|approved by|read by|reviewed by|"
        "cc list|job id|disclaimer"
    ),
}
# Headings of admission notes and letters that quote a CT. What stands under them is no finding of this examination.
NOTE_PHRASES = (
    "cc|hx|hpi|pmh|psh|fhx|shx|shx/fhx|meds|ros|course|hospital course|studies|studies/course|chief complaint|"
    "history of present illness|family history|social history|review of systems|physical exam|physical examination|"
    "birth hx|allergies|vital signs|labs|laboratory data"
)
SECTION_OF = {phrase: section for section, phrases in PHRASES.items() for phrase in phrases.split("|")}
NOTE_HEADINGS = frozenset(NOTE_PHRASES.split("|"))
RANK = {section: rank for rank, section in enumerate(PHRASES)}
# What opens a section in the middle of a line: the first even where the sentence before has no full stop.
RUN_IN_ANYWHERE = (
    "findings|impression|technique|comparison|indication|addendum|clinical indication|clinical history|"
    "clinical information|clinical data|reason for exam|reason for study|reason for examination"
)
RUN_IN_BEHIND_STOP = (
    "history|exam|examination|indications|conclusion|conclusions|opinion|assessment|discussion|interpretation|"
    "impressions|recommendation|recommendations|comparisons|techniques|procedure|medications|signature|"
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
# Looked at first, since most colons stand behind other words.
LAST_WORD = re.compile(r"[A-Za-z]+$")
LAST_WORDS = frozenset(phrase.split()[-1] for phrase in f"{RUN_IN_ANYWHERE}|{RUN_IN_BEHIND_STOP}".split("|"))
# "Number of Findings: 3", "see Impression: …" are phrases of a sentence.
GOES_ON = frozenset(("of", "the", "a", "in", "on", "to", "for", "with", "no", "any", "see", "per", "by", "from", "our"))
STOPS = (".", "?", "!", ":", ";", ")", "]", "*", "-", "\u2022")
MODALITY = r"(?:CTA?|HRCT|CCTA|MRI|MRA?|PET|PET/CT|CECT|NCCT)"
TITLE = re.compile(rf"{MODALITY}\b(?![-\s](?:demonstrat|show|reveal))[A-Za-z /,&()-]{{0,90}}$")
INTERVENTION = re.compile(r"guided|biopsy|drainage|aspiration|ablation|injection|needle|placement|embolization", re.I)
DECORATION = re.compile(r"[\s#*_>=-]*(?:\d{1,2}[.)]\s*)?[\s*_]*")
# Characters from the start of a line to the colon of its heading.
LONGEST = 120
BOLD_END = re.compile(r"[*_]*")
# A form's count, as in "Findings: 3".
BARE_NUMBER = re.compile(r"[ \t]*\d+[ \t]*\.?[ \t]*(?=[\r\n]|\Z)")
BARE_LINE = re.compile(
    r"^[ \t]*(?P<mark>#{1,6}[ \t]*|[*_]{2,3})?(?P<heading>[A-Za-z][A-Za-z /&,()-]{1,100}?)[ \t]*[*_]{0,3}[ \t]*$", re.M
)
# Looked for first: a search for a word costs a hundredth of one for a pattern with several ways to start.
DASHED_WORDS = ("FINDINGS", "IMPRESSION", "CONCLUSION", "OPINION")
SIGNATURE_WORDS = (
    "electronically", "dictated", "transcribed", "signed", "personally reviewed", "thank you", "end of", "dr.",
    "communicated", "discussed", "conveyed", "called", "reported",
)  # fmt: skip
DASHED = re.compile(
    rf"(?:^[ \t]*|(?<=[.?!][ \t])|(?<=[.?!]  ))(?P<heading>{'|'.join(DASHED_WORDS)})"
    r"(?:[ \t]+[-\u2013\u2014][ \t]|[ \t]*(?=[ \t]1[.)]))",
    re.M,
)
SIGNATURE = re.compile(
    r"(?:^[ \t]*|(?<=[.?!][ \t]))(?P<heading>(?:\d{1,2}[.)] ?)?(?:this (?:report|document) (?:has been|was|is) )?"
    r"(?:electronically (?:signed|verified|approved)|dictated (?:by|and)|transcribed by|signed by\b|"
    r"reported and signed|i,? (?:the .{0,60}|have )?personally reviewed|thank you for (?:the|this|your|referring)|"
    r"(?:(?:assist|assoc|spec|op)\. ?)?(?:prof\. ?)?dr\. ?\w|end of (?:the )?report|"
    r"results? (?:were|was) (?:communicated|discussed|called|conveyed)|"
    r"(?:the )?(?:above )?findings (?:were|was) (?:communicated|discussed|reported|called|conveyed) (?:to|with|by)))",
    re.M | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: ``text[start:end]`` is its words with their decoration, and ``section`` is what begins at ``end``.

    Offsets count characters of the text from 0. ``note`` marks the headings of clinical notes; ``line`` says that the
    section ends with the heading's own line.
    """

    start: int
    end: int
    section: str
    note: bool = False
    line: bool = False


def find_headings(text: str) -> list[Heading]:
    """Return all headings of a text, in order, without overlaps."""
    candidates = [*_with_colon(text), *_dashed(text), *_signatures(text)]
    if "\n" in text or "\r" in text:
        candidates += _bare_lines(text)
    candidates.sort(key=lambda heading: heading.start)
    headings: list[Heading] = []
    for heading in candidates:
        if not headings or heading.start >= headings[-1].end:
            headings.append(heading)
    return headings


def section_of(phrase: str) -> str | None:
    """Return the section that a phrase opens as a heading, None if it is no heading.

    >>> section_of("Technique and findings"), section_of("REASON FOR EXAM"), section_of("Liver")
    ('findings', 'history', None)
    """
    phrase = " ".join(phrase.lower().split()).strip(" -:*_")
    if phrase in SECTION_OF:
        return SECTION_OF[phrase]
    if phrase in NOTE_HEADINGS:
        return "other" if phrase.startswith(("course", "hospital course", "studies")) else "history"
    if phrase.startswith("reason for "):
        return "history"
    parts = [part for part in re.split(r"\s*(?:/|&|,|\band\b)\s*", phrase) if part]
    sections = [SECTION_OF[part] for part in parts if part in SECTION_OF]
    if sections and len(sections) == len(parts):
        return min(sections, key=RANK.__getitem__)
    words = phrase.split()
    return SECTION_OF[words[-1]] if len(words) < 4 and words[-1:] in (["findings"], ["impression"]) else None


def _with_colon(text: str) -> Iterator[Heading]:
    """Yield headings in front of a colon: at the start of a line, or running on from the sentence before."""
    place = text.find(":")
    while place >= 0:
        near = max(0, place - LONGEST)
        broken = max(text.rfind("\n", near, place), text.rfind("\r", near, place)) + 1
        line = broken or near
        at_start = _at_line_start(text, line, place) if broken or not near else None
        heading = at_start or _run_in(text, line, place)
        if heading and not BARE_NUMBER.match(text, place + 1):
            yield heading
        place = text.find(":", place + 1)


def _at_line_start(text: str, line: int, colon: int) -> Heading | None:
    start = _end(DECORATION, text, line)
    phrase = text[start:colon].rstrip(" *_")
    if not phrase[:1].isalpha() or ":" in phrase:
        return None
    section = section_of(phrase)
    if section is None and not _run_in(text, line, colon):
        section = _title_section(phrase)
    note = " ".join(phrase.lower().split()) in NOTE_HEADINGS
    return Heading(line, _end(BOLD_END, text, colon + 1), section, note) if section else None


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


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _title_section(phrase: str) -> str | None:
    """Return the section of an examination's title: ``CT ABDOMEN`` opens findings, ``CT-GUIDED BIOPSY`` a procedure."""
    if not TITLE.match(phrase) and not (phrase[:2] == "CT" and INTERVENTION.search(phrase)):
        return None
    return "other" if INTERVENTION.search(phrase) else "findings"


def _bare_lines(text: str) -> Iterator[Heading]:
    """Yield headings on a line of their own without a colon: known phrases, and titles in capitals."""
    for match in BARE_LINE.finditer(text):
        phrase = match["heading"]
        section = SECTION_OF.get(phrase.lower().strip())
        if section is None and (phrase.isupper() or match["mark"]):
            section = _title_section(phrase)
        if section and (match["mark"] or section not in {"other", "technique"} or phrase.isupper()):
            yield Heading(match.start(), match.end(), section)


def _dashed(text: str) -> Iterator[Heading]:
    """Yield headings in front of a dash or of a numbered list."""
    if any(word in text for word in DASHED_WORDS):
        for match in DASHED.finditer(text):
            yield Heading(match.start(), match.end(), SECTION_OF[match["heading"].lower()])


def _signatures(text: str) -> Iterator[Heading]:
    """Yield the beginnings of signatures and of notes on who was told; they end with their line."""
    folded = text.lower()
    if any(word in folded for word in SIGNATURE_WORDS):
        for match in SIGNATURE.finditer(text):
            yield Heading(match.start("heading"), match.end(), "other", line=True)
