"""The sample as a dataset of Argilla 2 on disk: one record for each caption, as ``rg.Dataset.from_disk`` reads it.

``.argilla/settings.json`` has what is shown and asked, ``.argilla/dataset.json`` the name, ``records.json`` the
records. A record's id names the caption (``items.KEY``); what is known of it are suggestions. Spans count
characters, as Argilla's server checks them. Format: https://docs.argilla.io, "Import and export datasets".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from curation.audit.folder import GUIDELINE_FILE
from curation.audit.reviewer import Reviewer
from curation.audit.store import AuditStore
from curation.caption import Status
from curation.caption_set.audit_results import MEANINGS
from curation.caption_set.records.omissions import OMISSION_MEANINGS
from curation.runtime.errors import InputError
from curation.runtime.files import PRIVATE_FILE, PRIVATE_FOLDER, whole_file, write_text
from curation.runtime.made_files import MadeFiles
from curation.runtime.progress import Progress

from .items import SharedItem, SharedReport, shared_reports, shown_item

REPORT, CLAIM = "report", "claim"
VERDICT, CAPTION, ORGAN, STATUS, EVIDENCE, NOTE = "verdict", "caption", "organ", "status", "evidence", "note"
SETTINGS, DATASET, RECORDS = ".argilla/settings.json", ".argilla/dataset.json", "records.json"
KIND = "export for Argilla"
NO_CAPTION = "no caption covers"


def settings(guidelines: str) -> dict[str, Any]:
    """Return the settings of the dataset, as ``rg.Settings.to_json`` writes them."""
    known = {str(one): (how.name, how.says) for one, how in [*OMISSION_MEANINGS.items(), *MEANINGS.items()]}
    says = "; ".join(f"{name}: {text}" for name, text in known.values())
    spans = {"allow_overlapping": True, "field": REPORT, **_options({EVIDENCE: EVIDENCE})}
    return {
        "guidelines": guidelines,
        "questions": [
            _question(
                VERDICT, "Is it true of the report? Of a statement without a caption: should there be one?",
                "label_selection", _options({name: title for name, (title, _) in known.items()}), says, required=True,
            ),
            _question(CAPTION, "The caption, corrected", "text", {"use_markdown": False}),
            _question(ORGAN, "Its organ", "text", {"use_markdown": False}),
            _question(STATUS, "Its status", "label_selection", _options({one: one for one in get_args(Status)})),
            _question(EVIDENCE, "What it rests on", "span", spans),
            _question(NOTE, "Note", "text", {"use_markdown": False}),
        ],
        "fields": [_field(CLAIM, "Caption"), _field(REPORT, "Report")],
        "vectors": [],
        "metadata": [],
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }  # fmt: skip


def _options(values: Mapping[str, str]) -> dict[str, Any]:
    options = [{"text": text, "value": value} for value, text in values.items()]
    return {"options": options, "visible_options": len(options) if len(options) > 2 else None}


def _question(
    name: str, title: str, kind: str, details: Mapping[str, Any], description: str = "", *, required: bool = False
) -> dict[str, Any]:
    question = _field(name, title, kind)
    return question | {"settings": {"type": kind, **details}, "description": description or None, "required": required}


def _field(name: str, title: str, kind: str = "text") -> dict[str, Any]:
    nothing = dict.fromkeys(("id", "inserted_at", "updated_at", "description", "dataset_id"))
    details = {"type": kind, "use_markdown": False}
    return {**nothing, "name": name, "title": title, "settings": details, "required": True, "type": kind}


def write_dataset(
    store: AuditStore,
    out: Path,
    name: str,
    system_of: Callable[[str], str],
    progress: Progress,
    *,
    reviewer: Reviewer | None = None,
    overwrite: bool = False,
) -> int:
    """Write the dataset into a folder of its own, and return the number of records.

    With ``reviewer``, their verdicts, notes and corrections are suggested. Raises ``InputError`` for a folder that
    holds something else, or an export already.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder with --out")
    made = MadeFiles(out, KIND)
    if (out / RECORDS).exists() and not overwrite:
        raise InputError(f"{out} holds an export already: name another folder with --out, or --overwrite it")
    made.remove([RECORDS])  # written last: a folder without it is no export
    made.claim(".argilla", SETTINGS, DATASET, RECORDS)
    out.chmod(PRIVATE_FOLDER)
    (out / ".argilla").mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
    model = dict.fromkeys(("id", "inserted_at", "updated_at", "guidelines", "workspace_id", "last_activity_at"))
    model |= {"name": name, "status": "draft", "allow_extra_metadata": True, "distribution": None}
    for file, content in ((SETTINGS, settings(_guideline(store))), (DATASET, model)):
        write_text(out / file, json.dumps(content, ensure_ascii=False, indent=1) + "\n", PRIVATE_FILE)
    progress.start(int(store.value("SELECT count(*) FROM item")), 0)
    count = 0
    with whole_file(out / RECORDS, PRIVATE_FILE) as temporary, temporary.open("w", encoding="utf-8") as lines:
        lines.write("[")
        for record in _records(store, system_of, reviewer):
            progress.raise_if_interrupted()
            lines.write(f"{',' if count else ''}\n{json.dumps(record, ensure_ascii=False)}")
            count += 1
            progress.advance()
        lines.write("\n]\n")
    return count


def _guideline(store: AuditStore) -> str:
    """Return the guideline of the audit, which its reviewers may have changed."""
    path = store.path.with_name(GUIDELINE_FILE)
    if path.exists():
        return path.read_text(encoding="utf-8", errors="replace")
    return files("curation.audit").joinpath("static", GUIDELINE_FILE).read_text(encoding="utf-8")


def _records(store: AuditStore, system_of: Callable[[str], str], reviewer: Reviewer | None) -> Iterator[dict[str, Any]]:
    identity = str(store.fact("set"))
    for report in shared_reports(store, system_of):
        for item in report.items:
            yield record(report, item, identity, reviewer)


def record(report: SharedReport, item: SharedItem, identity: str, reviewer: Reviewer | None = None) -> dict[str, Any]:
    """Return the record of a caption, as ``rg.Record.to_dict`` writes it."""
    shown = shown_item(item, reviewer.review_of(item.item) if reviewer else None)
    agent = f"ovct {identity[:12]}" + (f", {reviewer.name}" if reviewer else "")
    spans = [{"label": EVIDENCE, "start": start, "end": end} for start, end in shown.spans]
    values: dict[str, Any] = {
        VERDICT: shown.verdict,
        CAPTION: shown.caption,
        ORGAN: shown.organ,
        STATUS: shown.status,
        EVIDENCE: spans,
        NOTE: shown.note,
    }
    about = {"report_id": report.report_id, "set": identity, "kind": item.caption.kind, "system": item.system}
    return {
        "id": item.key,
        "fields": {CLAIM: _claim(item), REPORT: report.text},
        "metadata": about,
        "suggestions": {
            name: {"value": value, "score": None, "agent": agent} for name, value in values.items() if value
        },
        "responses": {},
        "vectors": {},
        "status": "pending",
        "_server_id": None,
    }


def _claim(item: SharedItem) -> str:
    caption = item.caption
    if item.is_omission:
        return f"{NO_CAPTION}: {caption.caption}"
    return f"{caption.organ}: {caption.caption}" + (f" ({caption.status})" if caption.status else "")
