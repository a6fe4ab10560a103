"""Take a report from a FHIR DiagnosticReport: its id, examination and state, and its text from the best source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..documents.html import html_text
from ..heading_phrases import SECTION_OF, bare_phrase
from ..rows import DamagedError
from .attachments import decode_base64, document_text, shown_text
from .fhir_resources import FhirResource, objects_at, text_at
from .newest import Version
from .sections_named import LOINC_SECTIONS, MODALITIES, with_headings

# Gives what another resource of the file holds that a reference names; None where it is not there.
Resolve = Callable[[str], dict[str, object] | None]

ACCESSION = "ACSN"
WITHDRAWN = frozenset({"cancelled", "entered-in-error"})
RANKS = {"corrected": 3, "amended": 3, "appended": 3, "modified": 3, "final": 2}
BARE = re.compile(r"\W+")
# Of several forms, which by the standard say the same, the plainest is read.
PLAINEST = ("text/plain", "text/html", "application/xhtml", "text/rtf", "application/rtf", "text/", "")


@dataclass(slots=True)
class FhirText:
    """The text of a report, "" where it has none, and what could not be read, with its place in the resource."""

    text: str = ""
    problems: list[str] = field(default_factory=list)


def report_id(resource: FhirResource) -> tuple[str, str]:
    """Return the id of a report and where it was found: the accession number, the first identifier, or its own id."""
    identifiers = [item for item in objects_at(resource.content, "identifier") if text_at(item, "value")]
    for identifier in identifiers:
        codes = [text_at(coding, "code") for kind in objects_at(identifier, "type") for coding in codings(kind)]
        if ACCESSION in codes:
            return text_at(identifier, "value"), "accession number"
    if identifiers:
        return text_at(identifiers[0], "value"), "identifier"
    resource_id = text_at(resource.content, "id")
    return resource_id, "id" if resource_id else ""


def codings(concept: object) -> list[dict[str, object]]:
    """Return the codings of a CodeableConcept; a bare Coding is its own."""
    if isinstance(concept, dict) and "coding" not in concept and "code" in concept:
        return [concept]
    return objects_at(concept, "coding")


def name_of(concept: object) -> str:
    """Return what a CodeableConcept says in words."""
    displays = (text_at(coding, "display") for coding in codings(concept))
    return text_at(concept, "text") or next(filter(None, displays), "")


def examination(resource: FhirResource) -> tuple[str, str]:
    """Return the examination in words, and its code."""
    code = resource.content.get("code")
    codes = [text_at(coding, "code") for coding in codings(code)]
    first = next(filter(None, codes), "")
    return name_of(code) or first, first


def key_of(resource: FhirResource) -> str:
    """Return what versions of a report have in common, "" where it has no id."""
    name, _ = report_id(resource)
    return "\x1f".join((name, *examination(resource)[1:])) if name else ""


def version_of(resource: FhirResource) -> Version:
    """Return what tells which of two versions of a report is newer."""
    status, serial = text_at(resource.content, "status"), text_at(resource.content, "meta", "versionId")
    time = text_at(resource.content, "meta", "lastUpdated") or text_at(resource.content, "issued")
    return Version(
        resource.number,
        RANKS.get(status, 1),
        _sortable(time),
        int(serial) if serial.isdecimal() and len(serial) < 18 else 0,
        withdrawn=status in WITHDRAWN,
    )


def _sortable(time: str) -> str:
    """Return a time of ISO 8601 as digits that sort by time, in UTC."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return re.sub(r"\D", "", time)
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S%f") if moment.tzinfo else moment.strftime("%Y%m%d%H%M%S")


def modality_of(resource: FhirResource, resolve: Resolve) -> str:
    """Return the modality as DICOM calls it: of the first imaging study that names one, or of the category."""
    for key in ("imagingStudy", "study", "imaging"):
        for reference in objects_at(resource.content, key):
            study = _referred(resource, reference, resolve)
            codes = [text_at(coding, "code") for item in modalities(study) for coding in codings(item)]
            if codes:
                return MODALITIES.get(codes[0].upper(), codes[0])
    categories = [coding for category in objects_at(resource.content, "category") for coding in codings(category)]
    return next(filter(None, (MODALITIES.get(text_at(coding, "code").upper()) for coding in categories)), "")


def modalities(study: object) -> list[dict[str, object]]:
    """Return the modalities that an ImagingStudy names, of itself or of its series."""
    series = [item for entry in objects_at(study, "series") for item in objects_at(entry, "modality")]
    return objects_at(study, "modality") or series


def text_of(resource: FhirResource, resolve: Resolve) -> FhirText:
    """Return the text of a report: its presented form, else its results, else its narrative; and its conclusion."""
    result = FhirText()
    text = _presented(resource, resolve, result) or _results(resource, resolve, result) or _narrative(resource, result)
    conclusion = text_at(resource.content, "conclusion")
    if conclusion and BARE.sub("", conclusion) not in BARE.sub("", text):
        text = with_headings([("", text), ("IMPRESSION", conclusion)] if text else [("IMPRESSION", conclusion)])
    result.text = text.strip()
    return result


def _presented(resource: FhirResource, resolve: Resolve, result: FhirText) -> str:
    forms = list(enumerate(objects_at(resource.content, "presentedForm"), 1))
    for number, form in sorted(forms, key=lambda pair: _plainness(text_at(pair[1], "contentType"))):
        try:
            if text := _attachment_text(form, resolve):
                return text
        except DamagedError as error:
            result.problems.append(f"presentedForm {number}: {error}")
    return ""


def _plainness(content_type: str) -> int:
    return next(rank for rank, start in enumerate(PLAINEST) if content_type.lower().startswith(start))


def _attachment_text(form: dict[str, object], resolve: Resolve) -> str:
    data, url, content_type = text_at(form, "data"), text_at(form, "url"), text_at(form, "contentType")
    if not data and url:
        binary = resolve(url)
        if binary is None:
            raise DamagedError(f"{content_type or 'a document'} at {url}, which is not in the file and is not fetched")
        data, content_type = text_at(binary, "data"), text_at(binary, "contentType") or content_type
    return document_text(decode_base64(data), content_type).strip()


def _results(resource: FhirResource, resolve: Resolve, result: FhirText) -> str:
    parts: list[tuple[str, str]] = []
    missing: list[str] = []
    seen = set[str]()
    for reference in objects_at(resource.content, "result"):
        name = text_at(reference, "reference")
        observation = _referred(resource, reference, resolve)
        seen.add(name)
        if observation is None:
            missing.append(name or text_at(reference, "display"))
        else:
            try:
                parts.extend(_observation_parts(resource, observation, resolve, seen))
            except DamagedError as error:
                result.problems.append(f"result {name}: {error}")
    if missing:
        result.problems.append(f"{len(missing)} results have no text in this file ({', '.join(missing[:3])})")
    return with_headings(parts)


def _observation_parts(
    resource: FhirResource, observation: dict[str, object], resolve: Resolve, seen: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield the texts of an observation, of its components and its members, each once, with the heading for it."""
    own_id = text_at(observation, "id")
    if text_at(observation, "status") in WITHDRAWN or own_id in seen:
        return
    seen |= {own_id} - {""}
    for item in (observation, *objects_at(observation, "component")):
        if text := shown_text(text_at(item, "valueString")):
            codes = [text_at(coding, "code") for coding in codings(item.get("code"))]
            section = next(filter(None, map(LOINC_SECTIONS.get, codes)), "")
            name = name_of(item.get("code")).rstrip(":")
            if section or bare_phrase(name) in SECTION_OF or not name:
                yield section or name.upper(), text
            else:
                yield "", f"{name}: {text}"
    for reference in objects_at(observation, "hasMember"):
        name = text_at(reference, "reference")
        member = None if name in seen else _referred(resource, reference, resolve)
        seen.add(name)
        if member is not None:
            yield from _observation_parts(resource, member, resolve, seen)


def _narrative(resource: FhirResource, result: FhirText) -> str:
    narrative = resource.content.get("text")
    if text_at(narrative, "status") == "empty":
        return ""
    try:
        return html_text(text_at(narrative, "div")) if text_at(narrative, "div") else ""
    except DamagedError as error:
        result.problems.append(f"text.div: {error}")
        return ""


def _referred(resource: FhirResource, reference: dict[str, object], resolve: Resolve) -> dict[str, object] | None:
    """Return what a reference names: a resource that is contained in this one, or one of the file."""
    name = text_at(reference, "reference")
    if name.startswith("#"):
        contained = objects_at(resource.content, "contained")
        return next((item for item in contained if text_at(item, "id") == name[1:]), None)
    return resolve(name) if name else None
