"""Put the text of an HL7 v2 report together from OBX-5, under headings where OBX-3 names sections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

from ..heading_phrases import SECTION_OF, bare_phrase
from ..rows import DamagedError
from .attachments import decode_base64, document_text, shown_text
from .hl7_reports import Hl7Report, Observation
from .hl7_segments import Separators, unescape
from .sections_named import LOINC_SECTIONS, WHOLE_REPORT, with_headings

TEXT_TYPES = frozenset({"TX", "FT", "ST", ""})
DOCUMENT_TYPE = "ED"
ENCODINGS = frozenset({"base64", "hex", "a"})
PDF_IN_BASE64 = "JVBERi0"
# Suffixes of OBX-3 for the parts of a narrative report (standard, 7.1.3).
SUFFIXES = {"GDT": "FINDINGS", "IMP": "IMPRESSION", "ADT": "ADDENDUM", "REC": "RECOMMENDATION"}
BARE = re.compile(r"\W+")


@dataclass(slots=True)
class Hl7Text:
    """The text of a report, "" where it has none, and what was left out or not understood, with its place."""

    text: str = ""
    problems: list[str] = field(default_factory=list)


def has_text(report: Hl7Report) -> bool:
    """Return whether a report has text or a document that may hold some, as far as that is seen without reading it."""
    return any(
        value.value_type in TEXT_TYPES or (value.value_type == DOCUMENT_TYPE and PDF_IN_BASE64 not in value.value)
        for value in report.observations
        if value.value and not value.withdrawn
    )


def text_of(report: Hl7Report) -> Hl7Text:
    """Return the text of a report: its observations of text in order, each part that OBX-3 names under a heading."""
    result = Hl7Text()
    values = [observation for observation in report.observations if not observation.withdrawn]
    if left_out := len(report.observations) - len(values):
        result.problems.append(f"{left_out} observations that were deleted or posted in error (OBX-11) are left out")
    lines = [value for value in values if value.value_type in TEXT_TYPES]
    parts: list[tuple[str, str]] = []
    for section, run in groupby(lines, key=lambda value: section_named(value.observed, report.separators)):
        parts.append((section, _shown(_joined(list(run), report.separators, result), result)))
    for value in values:
        if value.value_type == DOCUMENT_TYPE and value.value:
            text = _document_of(value, report.separators, result)
            if BARE.sub("", text) not in BARE.sub("", "".join(body for _, body in parts)):
                parts.append((section_named(value.observed, report.separators), text))
    result.text = with_headings([(section, body) for section, body in parts if body.strip()])
    return result


@cache
def section_named(observed: str, separators: Separators) -> str:
    """Return the heading of the section that OBX-3 names, "" where it names none or a whole report.

    It is told by a suffix (``18782-3&IMP``), by a LOINC code, or by a name that is a heading (``^Impression``).
    """
    components = observed.split(separators.component) if separators.component else [observed]
    parts = [part.split(separators.subcomponent) if separators.subcomponent else [part] for part in components]
    names = [unescape(name, separators).text.strip() for part in parts for name in part]
    for heading in (*map(SUFFIXES.get, names), LOINC_SECTIONS.get(names[0])):
        if heading:
            return heading
    phrases = (bare_phrase(name.replace("_", " ")) for name in names)
    return next((phrase.upper() for phrase in phrases if phrase in SECTION_OF and phrase not in WHOLE_REPORT), "")


def _joined(observations: Sequence[Observation], separators: Separators, result: Hl7Text) -> str:
    """Return the values of observations of one section as lines, repetitions on lines of their own."""
    values = [observation.value for observation in observations]
    if separators.repetition:
        values = [value.replace(separators.repetition, "\n") for value in values]
    text, problem = unescape("\n".join(values), separators)
    for observation, value in zip(observations, values, strict=True):
        if problem and (part_problem := unescape(value, separators).problem):
            result.problems.append(f"OBX {observation.number}: {part_problem}")
        if len(observation.fields) > 6 and not observation.status and any(map(str.strip, observation.fields[6:])):
            behind = f"text behind a {separators.field} that is not escaped is not read"
            result.problems.append(f"OBX {observation.number}: {behind}")
    return text


def _shown(text: str, result: Hl7Text) -> str:
    try:
        return shown_text(text)
    except DamagedError as error:
        result.problems.append(f"OBX-5: {error}")
        return ""


def _document_of(observation: Observation, separators: Separators, result: Hl7Text) -> str:
    """Return the texts of the encapsulated documents (ED) of an observation; what is no text is told."""
    texts = []
    for document in observation.value.split(separators.repetition) if separators.repetition else [observation.value]:
        try:
            texts.append(_encapsulated(document, separators))
        except DamagedError as error:
            result.problems.append(f"OBX {observation.number}: {error}")
    return "\n".join(texts)


def _encapsulated(document: str, separators: Separators) -> str:
    """Return the text of one ED: source^type^subtype^encoding^data, of which some senders leave out the first ones."""
    components = document.split(separators.component) if separators.component else [document]
    encodings = [component.strip().lower() for component in components[:4]]
    place = next((place for place in (3, 2, 1, 0) if set(encodings[place : place + 1]) & ENCODINGS), None)
    if place is None or place + 1 >= len(components):
        raise DamagedError("a document (ED) without an encoding (Base64, Hex or A), which is not read")
    data = unescape((separators.component or "").join(components[place + 1 :]), separators).text
    content_type = "/".join(filter(None, components[:place]))
    if encodings[place] == "a":
        return shown_text(data)
    if encodings[place] == "base64":
        return document_text(decode_base64(data), content_type)
    try:
        return document_text(bytes.fromhex(data), content_type)
    except ValueError as error:
        raise DamagedError(f"a document in hexadecimal digits that is broken ({error})") from error
