"""Reads a dataset of Argilla 2 that was written to disk (``rg.Dataset.to_disk``): what each person has answered.

``records.json`` does not say which answers were submitted; where a record has the status "pending" none was. Answers
that have a ``status`` of their own count by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from curation.audit.store import AuditStore
from curation.caption import Spans
from curation.runtime.errors import InputError

from .argilla_records import CAPTION, EVIDENCE, NOTE, ORGAN, RECORDS, REPORT, STATUS, VERDICT
from .items import KEY, SharedReport, matching_report
from .returned import Answers, ImportProblemsError, ReturnedItem
from .shapes import json_list, text_of

WHAT = "the folder that `rg.Dataset.to_disk` of Argilla 2 has written, or its records.json"
SUBMITTED = "submitted"


def read_dataset(path: Path, store: AuditStore, system_of: Callable[[str], str]) -> Answers:
    """Read a dataset's folder, or its records.json.

    Raises ``InputError`` for a file of another kind, ``ImportProblemsError`` for what does not fit.
    """
    answers = Answers()
    reports: dict[str, SharedReport] = {}
    file = path / RECORDS if path.is_dir() else path
    for index, record in enumerate(json_list(file, WHAT), 1):
        parts = ("fields", "metadata", "responses")
        if not isinstance(record, dict) or not all(isinstance(record.get(part, {}), dict) for part in parts):
            raise InputError(f"{file}: entry {index} is no record of Argilla: name {WHAT}")
        name = f"record {record.get('id') or index}"
        by_person = _answers_by_person(record, answers)
        if not by_person:
            continue
        try:
            report = _report(record, store, system_of, reports)
            for person, values in by_person.items():
                item = _returned(f"{name}, answers of {person}", record, report, values)
                answers.items.setdefault(person, []).append(item)
        except ValueError as error:
            answers.problems.append(f"{name}: {error}")
    if answers.problems:
        raise ImportProblemsError(file, answers.problems)
    return answers


def _answers_by_person(record: Mapping[str, Any], answers: Answers) -> dict[str, dict[str, Any]]:
    """Return the submitted answers to each question by person; the others are counted."""
    people: dict[str, dict[str, Any]] = {}
    unsubmitted: dict[str, str] = {}
    for question, given in record.get("responses", {}).items():
        for one in given if isinstance(given, list) else []:
            if not isinstance(one, dict):
                continue
            person = str(one.get("user_id") or "someone")
            status = text_of(one.get("status"))
            if not status:
                status = "draft" if record.get("status") == "pending" else SUBMITTED
            if status != SUBMITTED:
                unsubmitted[person] = f"{status}s" if status == "draft" else status
            elif one.get("value") is not None:
                people.setdefault(person, {})[question] = one["value"]
    if not people and not unsubmitted:
        answers.left["records without an answer"] += 1
    for status in unsubmitted.values():
        answers.left[status] += 1
    return people


def _report(
    record: Mapping[str, Any], store: AuditStore, system_of: Callable[[str], str], reports: dict[str, SharedReport]
) -> SharedReport:
    about, text = record.get("metadata", {}), record.get("fields", {}).get(REPORT)
    report_id = about.get("report_id")
    if not isinstance(report_id, str) or not isinstance(text, str):
        raise ValueError("it has no report and report_id, which `ovct export argilla` writes")
    known = reports.get(report_id)
    if known is None or known.text != text or about.get("set") not in (None, store.fact("set")):
        reports[report_id] = matching_report(store, system_of, report_id, text, about.get("set"))
    return reports[report_id]


def _returned(where: str, record: Mapping[str, Any], report: SharedReport, values: Mapping[str, Any]) -> ReturnedItem:
    key = record.get("id")
    item = next((item for item in report.items if item.key == key), None)
    if item is None or not KEY.fullmatch(str(key)):
        raise ValueError(
            f"{key!r} is no caption of the sample about report {report.report_id!r}: name the set, and the audit, that "
            "it was exported from"
        )
    texts = {name: _text(name, values.get(name, "")) for name in (VERDICT, NOTE, ORGAN, CAPTION, STATUS)}
    return ReturnedItem(
        where, report, item, texts[VERDICT], texts[NOTE], texts[ORGAN], texts[CAPTION], texts[STATUS],
        _spans(values.get(EVIDENCE), report.text),
    )  # fmt: skip


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"the answer to {name!r} is {value!r} and no text")
    return value


def _spans(value: object, text: str) -> Spans | None:
    """Return the passages of an answer. Raises ``ValueError`` for one that the report does not have."""
    if value is None or value == []:
        return None
    spans = []
    for one in value if isinstance(value, list) else [value]:
        start, end = (one.get("start"), one.get("end")) if isinstance(one, dict) else (None, None)
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
            raise ValueError(f"{start!r} to {end!r} is no passage of the report ({len(text):,} characters)")
        spans.append((start, end))
    return tuple(sorted(set(spans)))
