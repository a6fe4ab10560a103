"""The sample as tasks of Label Studio: one for each report, its captions as regions that are annotated already.

A region's ``id``, and its ``meta``, name the caption (``items.KEY``); further passages of it have ".2" and
so on behind. Label Studio counts in UTF-16 units. Format: https://labelstud.io/guide/task_format and
/guide/predictions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args
from xml.sax.saxutils import quoteattr

from curation.audit.reviewer import Reviewer
from curation.audit.store import AuditStore
from curation.caption import Spans, Status
from curation.caption_set.audit_results import MEANINGS
from curation.caption_set.records.omissions import OMISSION_MEANINGS
from curation.report_page.organ_systems import SYSTEMS
from curation.report_page.passages import utf16_offsets, utf16_span
from curation.runtime.errors import InputError
from curation.runtime.files import PRIVATE_FILE, whole_file, write_text
from curation.runtime.progress import Progress

from .items import SharedItem, SharedReport, ShownItem, shared_reports, shown_item

TEXT, LABELS = "report", "system"
CAPTION, ORGAN, STATUS, VERDICT, OMISSION, NOTE = "caption", "organ", "status", "verdict", "omission", "note"
NO_CAPTION = "statement without a caption"
META = "ovct"


def labelling_config() -> str:
    """Return the labelling configuration of a project: what is marked, and what is asked of each region."""
    labels = "".join(f"\n    <Label value={quoteattr(name)}/>" for name in (*SYSTEMS, NO_CAPTION))
    fields = "".join(
        f'\n    <Header value="{title}" size="6"/>\n    <TextArea name="{name}" toName="{TEXT}" perRegion="true" '
        f'editable="true" maxSubmissions="1" rows="{rows}"/>'
        for name, title, rows in ((CAPTION, "Caption", 2), (ORGAN, "Organ", 1), (NOTE, "Note", 2))
    )
    choices = "".join(
        f'\n    <Header value="{title}" size="6"/>{_choices(name, values)}'
        for name, title, values in (
            (VERDICT, "Is the caption true of the report?", {str(one): how.says for one, how in MEANINGS.items()}),
            (STATUS, "Status", dict.fromkeys(get_args(Status), "")),
            (
                OMISSION,
                "Of a statement without a caption: should there be one?",
                {str(one): how.says for one, how in OMISSION_MEANINGS.items()},
            ),
        )
    )
    return (
        f'<View>\n  <Labels name="{LABELS}" toName="{TEXT}" showInline="true">{labels}\n  </Labels>\n'
        f'  <Text name="{TEXT}" value="$text" granularity="word"/>\n'
        f'  <View visibleWhen="region-selected">{choices}{fields}\n  </View>\n</View>\n'
    )


def _choices(name: str, values: dict[str, str]) -> str:
    rows = "".join(
        f"\n      <Choice value={quoteattr(value)}{f' hint={quoteattr(hint)}' if hint else ''}/>"
        for value, hint in values.items()
    )
    return (
        f'\n    <Choices name="{name}" toName="{TEXT}" perRegion="true" choice="single" showInline="true">{rows}'
        "\n    </Choices>"
    )


def write_tasks(
    store: AuditStore,
    out: Path,
    system_of: Callable[[str], str],
    progress: Progress,
    *,
    reviewer: Reviewer | None = None,
    overwrite: bool = False,
) -> tuple[Path, int, int]:
    """Write the tasks and, beside them, the configuration; return its path, and the numbers of tasks and of items.

    With ``reviewer``, their verdicts, notes and corrections are filled in. Raises ``InputError`` for a file that is
    there already.
    """
    config = out.with_suffix(".xml")
    if out.suffix.lower() != ".json":
        raise InputError(f"--out {out}: tasks of Label Studio are JSON; give a name that ends in .json")
    if not out.parent.is_dir():
        raise InputError(f"{out.parent}: no such folder to write {out.name} to. Make it first, or name another")
    for path in (out, config):
        if path.exists() and not overwrite:
            raise InputError(f"{path} is there already: name another file, or --overwrite it")
    tasks = items = 0
    identity = str(store.fact("set"))
    progress.start(None, 0)
    write_text(config, labelling_config(), PRIVATE_FILE)
    with whole_file(out, PRIVATE_FILE) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("[")
        for report in shared_reports(store, system_of):
            progress.raise_if_interrupted()
            content = json.dumps(task(report, identity, reviewer), ensure_ascii=False)
            file.write(f"{',' if tasks else ''}\n{content}")
            tasks += 1
            items += len(report.items)
            progress.advance()
        file.write("\n]\n")
    return config, tasks, items


def task(report: SharedReport, identity: str, reviewer: Reviewer | None = None) -> dict[str, Any]:
    """Return the task of a report, with its items as one prediction."""
    by = f", verdicts of {reviewer.name}" if reviewer else ""
    to_utf16 = utf16_offsets(report.text)
    results = [
        result
        for item in report.items
        for result in _results(
            item, shown_item(item, reviewer.review_of(item.item) if reviewer else None), report.text, to_utf16
        )
    ]
    return {
        "data": {"text": report.text, "report_id": report.report_id, "set": identity, "items": len(report.items)},
        "predictions": [{"model_version": f"ovct {identity[:12]}{by}", "result": results}],
    }


def _results(item: SharedItem, shown: ShownItem, text: str, to_utf16: Callable[[int], int]) -> list[dict[str, Any]]:
    results = _regions(item, shown.spans, text, to_utf16)
    place = results[0]["value"]
    about = {"start": place["start"], "end": place["end"], "text": place["text"]}
    verdict = OMISSION if item.is_omission else VERDICT
    for name, value in ((CAPTION, shown.caption), (ORGAN, shown.organ), (NOTE, shown.note)):
        if value:
            results.append(_result(item.key, name, "textarea", {**about, "text": [value]}))
    for name, value in ((STATUS, shown.status), (verdict, shown.verdict)):
        if value:
            results.append(_result(item.key, name, "choices", {**about, "choices": [value]}))
    return results


def _regions(item: SharedItem, spans: Spans, text: str, to_utf16: Callable[[int], int]) -> list[dict[str, Any]]:
    label = NO_CAPTION if item.is_omission else item.system
    regions = []
    for number, span in enumerate(spans, 1):
        start, end = utf16_span(span, to_utf16)
        value = {"start": start, "end": end, "text": text[slice(*span)], "labels": [label]}
        key = item.key if number == 1 else f"{item.key}.{number}"
        regions.append({**_result(key, LABELS, "labels", value), "meta": {META: key}})
    return regions


def _result(key: str, name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": key, "from_name": name, "to_name": TEXT, "type": kind, "value": value}
