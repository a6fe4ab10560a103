"""Reads an export of Label Studio (its format JSON): what each annotator has made of the captions of a sample.

An annotation that was skipped, a draft, and a prediction that nobody took up are no reviews; they are counted. Of
several annotations of one task by one person the last counts. A region that belongs to no caption was added by the
annotator: an audit judges captions of the set, so it is handed back apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from curation.audit.store import AuditStore
from curation.report_page.passages import utf16_offsets
from curation.runtime.errors import InputError

from .items import KEY, SharedItem, SharedReport, matching_report
from .label_studio_tasks import CAPTION, LABELS, META, NOTE, OMISSION, ORGAN, STATUS, TEXT, VERDICT
from .returned import AddedCaption, Answers, ImportProblemsError, ReturnedItem
from .shapes import json_list, text_of

WHAT = "the file that Label Studio exports as JSON (not JSON-MIN, nor CSV)"
_REGION = re.compile(rf"({KEY.pattern})(?:\.\d+)?", re.ASCII)


class _Region(NamedTuple):
    """The results of one region: its passages, and what was answered, by control."""

    key: str | None
    spans: list[tuple[int, int]]
    fields: dict[str, list[str]]


def read_answers(path: Path, store: AuditStore, system_of: Callable[[str], str]) -> Answers:
    """Read an export.

    Raises ``InputError`` for a file of another kind, ``ImportProblemsError`` for what does not fit.
    """
    answers = Answers()
    tasks = json_list(path, WHAT)
    for index, task in enumerate(tasks, 1):
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise InputError(f"{path}: entry {index} is no task of Label Studio (it has no `data`): name {WHAT}")
        name = f"task {task.get('id', index)}"
        annotations = task.get("annotations", [])
        if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
            raise InputError(f"{path}: {name}: `annotations` is no list of annotations: name {WHAT}")
        try:
            report = _report(task["data"], store, system_of)
            _read_task(name, task, annotations, report, answers)
        except ValueError as error:
            answers.problems.append(f"{name}: {error}")
    if answers.problems:
        raise ImportProblemsError(path, answers.problems)
    return answers


def _report(data: Mapping[str, Any], store: AuditStore, system_of: Callable[[str], str]) -> SharedReport:
    report_id, text = data.get("report_id"), data.get("text")
    if not isinstance(report_id, str) or not isinstance(text, str):
        raise ValueError("its data has no report_id and text, which `ovct export label-studio` writes")
    return matching_report(store, system_of, report_id, text, data.get("set"))


def _read_task(
    name: str, task: Mapping[str, Any], annotations: list[dict[str, Any]], report: SharedReport, answers: Answers
) -> None:
    drafts = task.get("drafts")
    answers.left["drafts"] += len(drafts) if isinstance(drafts, list) else 0
    submitted: dict[str, dict[str, Any]] = {}
    for annotation in sorted(annotations, key=_when):
        if annotation.get("was_cancelled"):
            answers.left["skipped"] += 1
            continue
        person = _person(annotation.get("completed_by"))
        answers.left["replaced by a later one"] += person in submitted
        submitted[person] = annotation
    if not annotations:
        answers.left["tasks without an annotation"] += 1
    for person, annotation in submitted.items():
        where = f"{name}, annotation {annotation.get('id', '?')} of {person}"
        results = annotation.get("result")
        if not isinstance(results, list):
            answers.problems.append(f"{where}: its `result` is no list")
            continue
        try:
            _read_annotation(where, person, results, report, answers)
        except ValueError as error:
            answers.problems.append(f"{where}: {error}")


def _when(annotation: Mapping[str, Any]) -> tuple[str, int]:
    number = annotation.get("id")
    return text_of(annotation.get("updated_at") or annotation.get("created_at")), number if isinstance(
        number, int
    ) else 0


def _person(completed_by: object) -> str:
    """Return whose annotation it is: the address or name, where the export has it, else the number of the account."""
    if isinstance(completed_by, dict):
        known = next((completed_by[key] for key in ("email", "username", "id") if completed_by.get(key)), None)
        return _person(known)
    if isinstance(completed_by, str) and completed_by.strip():
        return completed_by.strip()
    return f"annotator {completed_by}" if isinstance(completed_by, int) else "annotator"


def _read_annotation(where: str, person: str, results: list[Any], report: SharedReport, answers: Answers) -> None:
    items = {item.key: item for item in report.items}
    found: dict[str, _Region] = {}
    for region in _regions(results, report.text):
        if region.key is None:
            answers.added.append(_added(person, report, region))
            continue
        if region.key not in items:
            raise ValueError(
                f"{region.key!r} is no caption of the sample about report {report.report_id!r}: name the set, and the "
                "audit, that it was exported from"
            )
        before = found.get(region.key, _Region(region.key, [], {}))
        fields = {name: [*before.fields.get(name, []), *values] for name, values in region.fields.items()}
        found[region.key] = _Region(region.key, [*before.spans, *region.spans], {**before.fields, **fields})
    answers.left["captions whose region was removed"] += len(items.keys() - found.keys())
    mine = answers.items.setdefault(person, [])
    mine += [_returned(where, report, items[key], region) for key, region in found.items()]


def _returned(where: str, report: SharedReport, item: SharedItem, region: _Region) -> ReturnedItem:
    where = f"{where}, {item.key}"
    fields = {name: _one(where, name, values) for name, values in region.fields.items()}
    verdict, other = (OMISSION, VERDICT) if item.is_omission else (VERDICT, OMISSION)
    if fields.get(other) and not fields.get(verdict):
        raise ValueError(f"{item.key}: {fields[other]!r} was answered at {other!r}, and {verdict!r} is asked of it")
    return ReturnedItem(
        where,
        report,
        item,
        fields.get(verdict, ""),
        fields.get(NOTE, ""),
        fields.get(ORGAN, ""),
        fields.get(CAPTION, ""),
        fields.get(STATUS, ""),
        tuple(sorted(set(region.spans))) or None,
    )


def _one(where: str, name: str, values: list[str]) -> str:
    """Return the one answer to a question. Raises ``ValueError`` for several that differ."""
    distinct = list(dict.fromkeys(value for value in values if value.strip()))
    if len(distinct) > 1:
        key = where.rpartition(", ")[2]
        raise ValueError(f"{key} has several answers at {name!r} ({distinct[0]!r}, {distinct[1]!r}): leave one")
    return distinct[0] if distinct else ""


def _added(person: str, report: SharedReport, region: _Region) -> AddedCaption:
    values = {name: " ".join(texts) for name, texts in region.fields.items()}
    organ = values.get(ORGAN) or values.get(LABELS, "")
    verdict = values.get(VERDICT) or values.get(OMISSION, "")
    return AddedCaption(
        person, report.report_id, organ, values.get(CAPTION, ""), values.get(STATUS, ""), verdict,
        values.get(NOTE, ""), region.spans,
    )  # fmt: skip


def _regions(results: list[Any], text: str) -> Iterator[_Region]:
    """Yield the regions of an annotation: results with one id are about one region."""
    by_id: dict[str, list[dict[str, Any]]] = {}
    for number, result in enumerate(results, 1):
        if not isinstance(result, dict):
            raise ValueError(f"result {number} is no object")
        if result.get("type") == "relation" or result.get("to_name", TEXT) != TEXT:
            continue
        by_id.setdefault(str(result.get("id", number)), []).append(result)
    to_characters = _characters(text)
    for region_id, about in by_id.items():
        spans, fields = list[tuple[int, int]](), dict[str, list[str]]()
        for result in about:
            value = result.get("value")
            if not isinstance(value, dict):
                raise ValueError(f"region {region_id}: its value is no object")
            if result.get("type") == "labels":
                spans.append(_span(region_id, value, text, to_characters))
            fields.setdefault(str(result.get("from_name")), []).extend(_texts(result, value))
        yield _Region(_key(region_id, about), spans, fields)


def _texts(result: Mapping[str, Any], value: Mapping[str, Any]) -> list[str]:
    name = {"textarea": "text"}.get(str(result.get("type")), str(result.get("type")))
    texts = value.get(name, [])
    return [text for text in ([texts] if isinstance(texts, str) else texts) if isinstance(text, str)]


def _key(region_id: str, results: list[dict[str, Any]]) -> str | None:
    metas = (result["meta"].get(META) for result in results if isinstance(result.get("meta"), dict))
    for name in (*metas, region_id.partition("#")[0]):
        if isinstance(name, str) and (match := _REGION.fullmatch(name)):
            return match[1]
    return None


def _span(
    region_id: str, value: Mapping[str, Any], text: str, to_characters: Callable[[int], int | None]
) -> tuple[int, int]:
    """Return where a region stands, in characters. Raises ``ValueError`` where its words are not there."""
    start, end = value.get("start"), value.get("end")
    places = [to_characters(place) if isinstance(place, int) else None for place in (start, end)]
    first, last = places
    if first is None or last is None or first >= last:
        raise ValueError(f"region {region_id}: {start!r} to {end!r} is no passage of the report")
    words = value.get("text")
    if isinstance(words, str) and _letters(words) != _letters(text[first:last]):
        raise ValueError(
            f"region {region_id}: {start} to {end} is {text[first:last][:60]!r} in the report, and not {words[:60]!r}: "
            "its offsets are not those of Label Studio (UTF-16 units)"
        )
    return first, last


def _letters(text: str) -> str:
    """Return a text without white space and escapes of line ends, which Label Studio writes in its own way."""
    return re.sub(r"\s+|\\n", "", text)


def _characters(text: str) -> Callable[[int], int | None]:
    """Return a function from offsets in UTF-16 units to those in characters; None for one outside, or within one."""
    to_utf16 = utf16_offsets(text)
    length = to_utf16(len(text))
    if length == len(text):
        return lambda offset: offset if 0 <= offset <= length else None
    places, unit = {0: 0}, 0
    for number, character in enumerate(text, 1):
        unit += 1 + (character > "\uffff")
        places[unit] = number
    return places.get
