"""Captions as FHIR R4 resources: a report as DiagnosticReport, each caption as Observation, and their Provenance.

An Observation has the organ as ``bodySite`` (SNOMED CT, where the vocabulary has the code), the caption as
``valueString``, its status as ``interpretation``, and its passages in extensions, as offsets in characters (Unicode
code points, from 0) of the report's text. Where FHIR has no place for a column of ``captions``, an extension holds it,
so that ``caption_row`` gives back the row. Specification: https://hl7.org/fhir/R4/observation.html.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from curation.caption_set.manifest import Manifest
from curation.caption_set.schemas import evidence_spans

from .set_reports import ExportedReport

Resource = dict[str, Any]

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
# No public address is known; a URN is an absolute URI as well.
EXTENSION = "urn:ovct:fhir:"
EVIDENCE, DETAILS = f"{EXTENSION}evidence", f"{EXTENSION}caption"
_INTERPRETATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
INTERPRETATIONS = {
    "abnormal": ("A", "Abnormal"),
    "normal": ("N", "Normal"),
    "uncertain": ("IND", "Indeterminate"),
}
_CATEGORY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}
_FINDING = {"system": SNOMED, "code": "404684003", "display": "Clinical finding"}
_IMAGING_STUDY = {"system": LOINC, "code": "18748-4", "display": "Diagnostic imaging study"}
_SERVICE_SECTION = {"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology"}
# A string of FHIR R4: the only white space in it are blanks, tabs and line ends.
_STRING = re.compile(r"[ \r\n\t\S]+")
_TEXT_COLUMNS = ("section", "basis", "engine", "model", "prompt")


def resources_of(
    exported: ExportedReport, manifest: Manifest, snomed_of: Callable[[str], str | None], *, with_text: bool
) -> Iterator[Resource]:
    """Yield the Observations of a report, its DiagnosticReport, and the Provenance of both.

    ``snomed_of`` returns the SNOMED CT code of an organ, None where there is none. ``with_text``: the report has its
    text in it, to which the offsets belong.
    """
    report_id = exported.report["report_id"]
    key = hashlib.sha256(report_id.encode()).hexdigest()[:32]
    observations = [
        observation(row, f"{key}-{number}", snomed_of(row["organ"])) for number, row in enumerate(exported.captions, 1)
    ]
    yield from observations
    references = [{"reference": f"Observation/{one['id']}"} for one in observations]
    report: Resource = {
        "resourceType": "DiagnosticReport",
        "id": key,
        "identifier": [{"value": report_id}],
        "status": "unknown",
        "category": [{"coding": [_SERVICE_SECTION]}],
        "code": {"coding": [_IMAGING_STUDY]},
    }
    if references:
        report["result"] = references
    if with_text:
        data = base64.b64encode(exported.report["text"].encode()).decode()
        report["presentedForm"] = [{"contentType": "text/plain; charset=utf-8", "data": data}]
    yield report
    yield _provenance(key, references, manifest)


def observation(row: Mapping[str, Any], identifier: str, snomed: str | None) -> Resource:
    """Return a row of ``captions`` as an Observation."""
    code, display = INTERPRETATIONS[row["status"]]
    body_site: Resource = {"text": row["organ"]}
    if snomed is not None:
        body_site["coding"] = [{"system": SNOMED, "code": snomed}]
    details = [{"url": name, "valueString": row[name]} for name in _TEXT_COLUMNS if row.get(name) is not None]
    if row.get("score") is not None:
        details.append({"url": "score", "valueDecimal": row["score"]})
    return {
        "resourceType": "Observation",
        "id": identifier,
        "extension": [*(_evidence(span) for span in _passages(row)), {"url": DETAILS, "extension": details}],
        "identifier": [{"value": f"{row['report_id']}#{identifier.rpartition('-')[2]}"}],
        # Made by a program: nobody has verified it.
        "status": "preliminary",
        "category": [{"coding": [_CATEGORY]}],
        "code": {"coding": [_FINDING], "text": f"imaging finding: {row['organ']}"},
        "valueString": row["caption"],
        "interpretation": [
            {"coding": [{"system": _INTERPRETATION_SYSTEM, "code": code, "display": display}], "text": row["status"]}
        ],
        "bodySite": body_site,
    }


def _passages(row: Mapping[str, Any]) -> list[tuple[int, int, str | None]]:
    """Return all passages; the words stand with the first, which is the column ``evidence``."""
    spans = evidence_spans(row)
    own = (row["evidence_start"], row["evidence_end"])
    return [(*own, row["evidence"]), *((start, end, None) for start, end in spans if (start, end) != own)]


def _evidence(passage: tuple[int, int, str | None]) -> Resource:
    start, end, words = passage
    parts: list[Resource] = [{"url": "start", "valueInteger": start}, {"url": "end", "valueInteger": end}]
    if words and _STRING.fullmatch(words):  # else the offsets alone say where it stands
        parts.append({"url": "text", "valueString": words})
    return {"url": EVIDENCE, "extension": parts}


def _provenance(key: str, references: Sequence[Resource], manifest: Manifest) -> Resource:
    settings = manifest.settings
    model = f", {settings.model}" if settings.model else ""
    return {
        "resourceType": "Provenance",
        "id": f"{key}-p",
        "target": [{"reference": f"DiagnosticReport/{key}"}, *references],
        "recorded": manifest.finished,
        "activity": {"text": "organ captions taken from the report's text, each held against it"},
        "agent": [{"who": {"display": f"ovct {settings.ovct}, engine {settings.engine}{model}"}}],
        "entity": [{"role": "source", "what": {"reference": f"DiagnosticReport/{key}"}}],
    }


def caption_row(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of ``captions`` that an Observation was made of. Raises ``ValueError`` for another resource."""
    extensions = resource.get("extension", [])
    passages = [_values(one) for one in extensions if one.get("url") == EVIDENCE]
    details = next((_values(one) for one in extensions if one.get("url") == DETAILS), None)
    if resource.get("resourceType") != "Observation" or not passages or details is None:
        raise ValueError(f"{resource.get('resourceType')}/{resource.get('id')} is no caption of ovct")
    first = passages[0]
    return {
        "report_id": resource["identifier"][0]["value"].rpartition("#")[0],
        "organ": resource["bodySite"]["text"],
        "caption": resource["valueString"],
        "status": resource["interpretation"][0]["text"],
        "evidence": first.get("text", ""),
        "evidence_start": first["start"],
        "evidence_end": first["end"],
        "evidence_spans": sorted(
            ({"start": one["start"], "end": one["end"]} for one in passages), key=lambda span: span["start"]
        ),
        "score": details.get("score"),
        **{name: details.get(name) for name in _TEXT_COLUMNS},
    }


def _values(extension: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the extensions within one, by their names."""
    return {
        part["url"]: next(value for name, value in part.items() if name.startswith("value"))
        for part in extension.get("extension", [])
    }
