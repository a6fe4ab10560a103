"""Read a file of FHIR resources as rows: one for each DiagnosticReport, of each the newest version.

The file is read twice: first to index the versions of reports and the texts that reports refer to (in a temporary
file), then for the reports. So rows stream, and memory does not grow with the file.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..decoding import ByteStream
from ..rows import NoteProblem, Table, TableRow
from .fhir_reports import (
    WITHDRAWN,
    examination,
    key_of,
    modalities,
    modality_of,
    report_id,
    text_of,
    version_of,
)
from .fhir_resources import FhirResource, objects_at, read_resources, text_at
from .newest import NewestVersions

FORMAT = "FHIR"
REPORT = "DiagnosticReport"
COLUMNS = ("report_id", "report", "examination", "modality", "examination_code", "status", "resource_id")
TEXT_TYPES = ("text/", "application/rtf", "application/xhtml")


class ReferredTexts:
    """What reports refer to, by the names that references have: in a temporary file, as it may be in any order."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(
            "PRAGMA cache_size=-8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE texts (name BLOB PRIMARY KEY, content TEXT) WITHOUT ROWID;"
            "BEGIN"
        )

    def close(self) -> None:
        """Delete the temporary file."""
        self._database.close()

    def add(self, resource: FhirResource) -> None:
        """Take a resource in, if it is of a kind that reports take something from."""
        kept = _kept(resource)
        if kept is None:
            return
        names = {resource.full_url, f"{resource.kind}/{text_at(resource.content, 'id')}"} - {"", f"{resource.kind}/"}
        content = json.dumps(kept)
        self._database.executemany("REPLACE INTO texts VALUES (?, ?)", [(_stored(name), content) for name in names])

    def resolve(self, reference: str) -> dict[str, object] | None:
        """Return what a reference names: by its URL, or by the kind and id at the URL's end."""
        name = reference.partition("/_history/")[0]
        for key in (name, "/".join(name.split("/")[-2:])):
            row = self._database.execute("SELECT content FROM texts WHERE name = ?", (_stored(key),)).fetchone()
            if row is not None:
                content: dict[str, object] = json.loads(row[0])
                return content
        return None


def _stored(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _kept(resource: FhirResource) -> dict[str, object] | None:
    """Return what a report may take from a resource, None where that is nothing."""
    content = resource.content
    match resource.kind:
        case "Observation":
            texts = [text_at(item, "valueString") for item in (content, *objects_at(content, "component"))]
            if not any(texts) and "hasMember" not in content:
                return None
            keys = ("id", "status", "code", "valueString", "component", "hasMember")
            return {key: content[key] for key in keys if key in content}
        case "ImagingStudy":
            return {"modality": modalities(content)}
        case "Binary" if text_at(content, "contentType").lower().startswith(TEXT_TYPES):
            return {key: content[key] for key in ("contentType", "data") if key in content}
    return None


@contextmanager
def open_fhir_table(path: Path, stream: ByteStream, note: NoteProblem) -> Iterator[Table]:
    """Open a file of resources as a table whose rows stream; a row's number is that of its resource."""
    with NewestVersions(time_first=True) as newest, closing(ReferredTexts()) as texts:
        ids, sources = _index(stream, path, newest, texts)
        stream.seek(0)
        origins = {"report_id": _listed(ids) or "id", "report": _listed(sources) or "presentedForm"}
        columns = COLUMNS if ids else COLUMNS[1:]
        yield Table(columns, _rows(stream, path, newest, texts, note), FORMAT, origins=origins, newest=newest)


def _listed(places: Counter[str]) -> str:
    return " or ".join(name for name, _ in places.most_common())


def _index(
    stream: ByteStream, path: Path, newest: NewestVersions, texts: ReferredTexts
) -> tuple[Counter[str], Counter[str]]:
    """Index a file; return how many reports have their id, and their text, from which element."""
    ids, sources = Counter[str](), Counter[str]()
    for resource in read_resources(stream, path, _note_nothing):
        if resource.kind != REPORT:
            texts.add(resource)
            continue
        _, id_place = report_id(resource)
        if id_place:
            ids[id_place] += 1
            newest.offer(key_of(resource), version_of(resource))
        if source := _source(resource):
            sources[source] += 1
    return ids, sources


def _note_nothing(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
    """Do nothing: all problems are noted when the reports are read."""


def _source(resource: FhirResource) -> str:
    """Return the element that the text of a report is most likely taken from."""
    content = resource.content
    forms = [text_at(form, "contentType").lower() for form in objects_at(content, "presentedForm")]
    if any(form.startswith(TEXT_TYPES) for form in forms):
        return "presentedForm"
    if objects_at(content, "result"):
        return "result"
    if text_at(content, "text", "div") and text_at(content, "text", "status") != "empty":
        return "text"
    return "conclusion" if text_at(content, "conclusion") else ""


def _rows(
    stream: ByteStream, path: Path, newest: NewestVersions, texts: ReferredTexts, note: NoteProblem
) -> Iterator[TableRow]:
    others = Counter[str]()
    for resource in read_resources(stream, path, note):
        if resource.kind != REPORT:
            others[resource.kind] += 1
        elif row := _row_of(resource, newest, texts, note):
            yield row
    if others:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in others.most_common())
        note(None, f"{others.total():,} other resources are no reports ({kinds})", kept=True)


def _row_of(resource: FhirResource, newest: NewestVersions, texts: ReferredTexts, note: NoteProblem) -> TableRow | None:
    """Return the row of a report; None, and a problem, where it is not the newest version or has no text."""
    name, _ = report_id(resource)
    place = f"{resource.place}, {REPORT}{f' {name}' if name else ''}"
    if problem := _not_current(resource, newest):
        note(resource.number, f"{place}: {problem}")
        return None
    result = text_of(resource, texts.resolve)
    for problem in result.problems:
        note(resource.number, f"{place}: {problem}", kept=bool(result.text))
    if not result.text:
        if not result.problems:
            note(resource.number, f"{place}: no text in presentedForm, result, text or conclusion")
        return None
    words, code = examination(resource)
    modality = modality_of(resource, texts.resolve)
    values = (name, result.text, words, modality, code, text_at(resource.content, "status"))
    cells = dict(zip(COLUMNS, (*values, text_at(resource.content, "id")), strict=True))
    return TableRow(resource.number, cells, version_key=key_of(resource))


def _not_current(resource: FhirResource, newest: NewestVersions) -> str | None:
    """Return why a report is not used, if it was withdrawn or another entry has a newer version of it."""
    status, key = text_at(resource.content, "status"), key_of(resource)
    if status in WITHDRAWN:
        return f"its status is {status}; left out"
    version = newest.newest(key) if key else None
    if version is None or version.number == resource.number:
        return None
    kind = resource.place.partition(" ")[0]
    return f"{kind} {version.number} {'withdraws it' if version.withdrawn else 'is a newer version'}; left out"
