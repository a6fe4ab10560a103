"""The sample to Label Studio and back: without loss, and with everything that annotators do there."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ovct
from curation.audit.exchange.exchange import audit_to_hand_out, take_in
from curation.audit.exchange.label_studio_answers import read_answers
from curation.audit.exchange.label_studio_tasks import write_tasks
from curation.audit.exchange.returned import ImportProblemsError
from curation.audit.store import AuditStoreError
from curation.caption_set.audit_results import Verdict
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress

from .annotating import audit_of, review_everything, reviews_of, save_json, write_reports

Task = dict[str, Any]
CHECK = Path(__file__).with_name("check_label_studio.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_reports(tmp_path / "captions")
    return tmp_path / "captions"


def exported(root: Path, reviewer: str | None = None) -> list[Task]:
    out = root.parent / "tasks.json"
    with audit_of(root), audit_to_hand_out_quietly(root, reviewer) as audit:
        write_tasks(audit.store, out, audit.system_of, Progress(), reviewer=audit.reviewer, overwrite=True)
    tasks: list[Task] = json.loads(out.read_text(encoding="utf-8"))
    return tasks


def audit_to_hand_out_quietly(root: Path, reviewer: str | None = None) -> Any:
    return audit_to_hand_out(root, None, reviewer, Progress())


def annotated(task: Task, person: Any, number: int, **changes: Any) -> Task:
    """Take the prediction up, as Label Studio does: the regions are copied, with what they hold."""
    result = copy.deepcopy(task["predictions"][0]["result"])
    annotation = {
        "id": 100 + number, "completed_by": person, "result": result, "was_cancelled": False,
        "created_at": "2026-11-30T10:00:00Z", "updated_at": f"2026-11-30T10:{number:02d}:00Z", **changes,
    }  # fmt: skip
    return {**task, "id": number, "annotations": [*task.get("annotations", []), annotation], "drafts": []}


def answer(task: Task, key: str, control: str, value: str) -> None:
    """Answer a question about a region in the last annotation, in place of what was filled in."""
    result = task["annotations"][-1]["result"]
    place = next(one for one in result if one["id"] == key)["value"]
    kind = "textarea" if control in ("caption", "organ", "note") else "choices"
    result[:] = [one for one in result if (one["id"], one["from_name"]) != (key, control)]
    name = {"textarea": "text"}.get(kind, kind)
    value_of = {"start": place["start"], "end": place["end"], name: [value]}
    result.append({"id": key, "from_name": control, "to_name": "report", "type": kind, "value": value_of})


def keys(task: Task, kind: str = "accepted") -> list[str]:
    results = task["predictions"][0]["result"]
    return [
        one["id"] for one in results if one["type"] == "labels" and one["id"].startswith(kind) and "." not in one["id"]
    ]


def taken(root: Path, tasks: list[Task], *names: str) -> Any:
    return take_in(root, save_json(root.parent / "export.json", tasks), read_answers, names, Progress())


def test_what_a_reviewer_has_said_goes_there_and_back_without_loss(root: Path, tmp_path: Path) -> None:
    review_everything(root, "ann")
    before = reviews_of(root, "ann")
    assert len(before) > 18 and any(one.correction and one.correction.start for one in before.values())
    assert any(one.correction and one.correction.start is None for one in before.values())
    tasks = [annotated(task, {"email": "ann@example.org"}, n) for n, task in enumerate(exported(root, "ann"), 1)]
    write_reports(tmp_path / "again")
    with audit_of(tmp_path / "again"):
        pass
    done = taken(tmp_path / "again", tasks, "ann")
    assert reviews_of(tmp_path / "again", "ann") == before and done.reviews["ann"].saved == len(before)
    once_more = taken(tmp_path / "again", tasks, "ann").reviews["ann"]
    assert (once_more.saved, once_more.same) == (0, len(before))


def test_offsets_are_those_of_label_studio(root: Path) -> None:
    for task in exported(root):
        text = task["data"]["text"].encode("utf-16-le")
        for one in task["predictions"][0]["result"]:
            if one["type"] == "labels":
                value = one["value"]
                assert text[2 * value["start"] : 2 * value["end"]].decode("utf-16-le") == value["text"]
        assert "\U0001d11e" in task["data"]["text"]


def test_predictions_alone_are_no_reviews(root: Path) -> None:
    with pytest.raises(InputError, match=r"nobody has submitted an annotation \(4 tasks without an annotation\)"):
        taken(root, [{**task, "annotations": []} for task in exported(root)])
    tasks = [annotated(task, 7, n) for n, task in enumerate(exported(root), 1)]
    done = taken(root, tasks)
    (name,) = done.reviews
    assert name == "annotator 7" and done.reviews[name].saved == 0 and done.reviews[name].untouched == 24
    assert reviews_of(root, name) == {}


def test_verdicts_corrections_and_moved_passages_are_taken(root: Path) -> None:
    task = annotated(exported(root)[0], 7, 1)
    first, second, third = keys(task)
    answer(task, first, "verdict", "supported")
    answer(task, second, "verdict", "wrong_organ")
    answer(task, second, "organ", "Spleen")
    result = task["annotations"][0]["result"]
    moved = next(one for one in result if one["id"] == third and one["type"] == "labels")["value"]
    moved |= {"end": moved["start"] + 9, "text": task["data"]["text"].encode("utf-16-le")[
        2 * moved["start"] : 2 * moved["start"] + 18].decode("utf-16-le")}  # fmt: skip
    answer(task, third, "verdict", "incomplete")
    answer(task, third, "note", "only this")
    done = taken(root, [task], "ben").reviews["ben"]
    assert (done.saved, done.corrected) == (3, 2)
    reviews = reviews_of(root, "ben")
    assert reviews[first].verdict == Verdict.SUPPORTED and reviews[first].correction is None
    corrected = reviews[second].correction
    assert corrected and corrected.organ == "spleen"
    by_hand = reviews[third].correction
    assert by_hand and by_hand.score == 0.0 and by_hand.section == "findings" and reviews[third].note == "only this"
    assert task["data"]["text"][by_hand.start : by_hand.end] == moved["text"] and by_hand.spans == (
        (by_hand.start, by_hand.end),
    )
    # Once more, filled in with what was said.
    again = annotated(next(one for one in exported(root, "ben") if one["data"] == task["data"]), 7, 1)
    assert taken(root, [again], "ben").reviews["ben"].same == 3


def test_each_annotator_is_a_reviewer_and_the_last_word_counts(root: Path) -> None:
    task = annotated(exported(root)[0], {"email": "ann@example.org"}, 1)
    key = keys(task)[0]
    answer(task, key, "verdict", "hallucinated")
    task = annotated(task, {"email": "ann@example.org"}, 2)
    answer(task, key, "verdict", "supported")
    task = annotated(task, {"id": 5, "email": ""}, 3)
    answer(task, key, "verdict", "unsure")
    with pytest.raises(InputError, match="have annotated; say whose name it is"):
        taken(root, [task], "ann")
    with pytest.raises(InputError, match="nobody is called 'cleo'"):
        taken(root, [task], "cleo=c")
    with pytest.raises(InputError, match="the name of several people"):
        taken(root, [task], "annotator 5=ann@example.org")
    done = taken(root, [task], "ann@example.org=ann")
    assert done.reviews.keys() == {"ann", "annotator 5"} and done.left["replaced by a later one"] == 1
    assert reviews_of(root, "ann")[key].verdict == Verdict.SUPPORTED
    assert reviews_of(root, "annotator 5")[key].verdict == Verdict.UNSURE
    assert "not taken: 1 replaced by a later one" in done.lines()


def test_skipped_tasks_and_drafts_are_no_reviews(root: Path) -> None:
    tasks = exported(root)
    skipped = annotated(tasks[0], 7, 1, was_cancelled=True)
    draft = {**tasks[1], "id": 2, "annotations": [], "drafts": [{"id": 1, "result": []}]}
    kept = annotated(tasks[2], 7, 3)
    answer(kept, keys(kept)[0], "verdict", "supported")
    removed = [one for one in kept["annotations"][0]["result"] if not one["id"].startswith("refused")]
    kept["annotations"][0]["result"] = removed
    done = taken(root, [skipped, draft, kept])
    wanted = {"skipped": 1, "drafts": 1, "tasks without an annotation": 1, "captions whose region was removed": 1}
    assert {name: count for name, count in done.left.items() if count} == wanted
    assert done.reviews["annotator 7"].saved == 1


def test_regions_that_were_added_are_kept_apart(root: Path) -> None:
    task = annotated(exported(root)[0], 7, 1)
    value = {"start": 6, "end": 10, "text": "The ", "labels": ["digestive"]}
    answer_value = {"start": 6, "end": 10, "text": ["Gallstones"]}
    task["annotations"][0]["result"] += [
        {"id": "aB3x", "from_name": "system", "to_name": "report", "type": "labels", "value": value},
        {"id": "aB3x", "from_name": "caption", "to_name": "report", "type": "textarea", "value": answer_value},
        {"type": "relation", "from_id": "aB3x", "to_id": "c", "direction": "right"},
    ]
    done = taken(root, [task])
    assert done.added == 1 and done.added_file == root / "audit" / "added-export.jsonl"
    (row,) = [json.loads(line) for line in done.added_file.read_text().splitlines()]
    assert row == {
        "reviewer": "annotator 7", "report_id": task["data"]["report_id"], "organ": "digestive",
        "caption": "Gallstones", "status": "", "verdict": "", "note": "", "spans": [[4, 8]],
    }  # fmt: skip
    assert done.added_file.stat().st_mode & 0o077 == 0


def test_regions_are_known_by_their_meta_where_ids_are_new(root: Path) -> None:
    task = annotated(exported(root)[0], 7, 1)
    key = keys(task)[0]
    answer(task, key, "verdict", "supported")
    for one in task["annotations"][0]["result"]:
        one["id"] = f"x{one['id']}"
    assert taken(root, [task]).reviews["annotator 7"].saved == 1
    for one in task["annotations"][0]["result"]:
        one["id"] = f"{one['id'][1:]}#7"
        one.pop("meta", None)
    assert taken(root, [task]).reviews["annotator 7"].same == 1


Change = Callable[[Task], None]


def _set(*path: Any, value: Any) -> Change:
    def change(task: Task) -> None:
        place: Any = task
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def _first_region(**value: Any) -> Change:
    def change(task: Task) -> None:
        task["annotations"][0]["result"][0]["value"].update(value)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("data", "set", value="f" * 64), r"task 1: it is about another set.*ffffffffffff there"),
        (_set("data", "report_id", value="other"), r"task 1: the sample has no report 'other'"),
        (_set("data", "text", value="Other words."), r"task 1: the text of report .*from character 0 on"),
        (_set("data", value={"text": "x"}), r"task 1: its data has no report_id and text"),
        (_set("annotations", 0, "result", value=None), r"annotation 101 of annotator 7: its `result` is no list"),
        (_set("annotations", 0, "result", 0, "id", value="accepted-0-9999"), "'accepted-0-9999' is no caption"),
        (_first_region(start=1), r"region accepted.*: 1 to \d+ is no passage"),
        (_first_region(end=99_999), "to 99999 is no passage"),
        (_first_region(text="other"), "and not 'other': its offsets are not those"),
        (lambda task: answer(task, keys(task)[0], "verdict", "good"), r"-\d+: 'good' is no verdict on a caption"),
        (lambda task: answer(task, keys(task)[0], "status", "fine"), "'fine' is no status"),
        (lambda task: answer(task, keys(task)[0], "organ", "gizmo"), "the organ 'gizmo' is unknown"),
        (lambda task: answer(task, keys(task)[0], "omission", "covered"), "'verdict' is asked of it"),
        (lambda task: answer(task, keys(task)[0], "note", "x" * 4001), "4,000 are the most"),
        (lambda task: answer(task, keys(task)[0], "caption", "x" * 2001), "2,000 are the most"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_and_nothing_is_written(root: Path, change: Change, message: str) -> None:
    task = annotated(exported(root)[0], 7, 1)
    result = task["annotations"][0]["result"]
    result.sort(key=lambda one: (not one["id"].startswith("accepted"), one["type"] != "labels"))
    result[0].pop("meta")
    answer(task, keys(task)[1], "verdict", "supported")
    change(task)
    with pytest.raises(ImportProblemsError, match=message) as caught:
        taken(root, [task])
    assert str(root.parent / "export.json") in str(caught.value)
    with audit_of(root) as store:
        assert not store.rows("SELECT * FROM event") and not store.rows("SELECT * FROM reviewer")


def test_files_of_another_kind(root: Path, tmp_path: Path) -> None:
    exported(root)
    cases: list[tuple[object, str]] = [
        ({"a": 1}, "holds a dict and no list"),
        ([{"text": "x", "label": []}], "entry 1 is no task of Label Studio"),
        ([{"data": {}, "annotations": {}}], "`annotations` is no list"),
    ]
    for content, message in cases:
        with pytest.raises(InputError, match=message):
            take_in(root, save_json(tmp_path / "x.json", content), read_answers, (), Progress())
    (tmp_path / "x.json").write_text("id,text\n")
    with pytest.raises(InputError, match="is no JSON"):
        take_in(root, tmp_path / "x.json", read_answers, (), Progress())
    with pytest.raises(InputError, match="cannot be read"):
        take_in(root, tmp_path / "none.json", read_answers, (), Progress())
    write_reports(tmp_path / "new")
    with pytest.raises(AuditStoreError, match="has no sample"):
        take_in(tmp_path / "new", tmp_path / "x.json", read_answers, (), Progress())


def test_the_commands(root: Path) -> None:
    out = root.parent / "t.json"
    call = CliRunner().invoke
    done = call(ovct.app, ["export", "label-studio", str(root), "--out", str(out), "--sample", "5"])
    assert done.exit_code == 0 and "5 captions" in done.output and out.with_suffix(".xml").exists(), done.output
    assert out.stat().st_mode & 0o077 == 0
    again = call(ovct.app, ["export", "label-studio", str(root), "--out", str(out)])
    assert again.exit_code == 2 and "is there already" in again.output
    unknown = call(
        ovct.app, ["export", "label-studio", str(root), "--out", str(out), "--overwrite", "--reviewer", "zoe"]
    )
    assert unknown.exit_code == 2 and "nobody has reviewed yet" in unknown.output
    task = annotated(json.loads(out.read_text())[0], 7, 1)
    answer(task, keys(task)[0], "verdict", "supported")
    file = save_json(root.parent / "export.json", [task])
    done = call(ovct.app, ["import", "label-studio", str(file), "--captions", str(root), "--reviewer", "ann"])
    assert done.exit_code == 0 and "ann: 1 reviews saved" in done.output, done.output
    summary = call(ovct.app, ["audit", str(root), "--summary", "--json"])
    assert json.loads(summary.stdout)["reviewers"] == {"ann": 1}


def python_with_the_package() -> str | None:
    """An interpreter that has label-studio-sdk: ours, or the one that OVCT_LABEL_STUDIO_PYTHON names."""
    if importlib.util.find_spec("label_studio_sdk"):
        return sys.executable
    return os.environ.get("OVCT_LABEL_STUDIO_PYTHON")


@pytest.mark.skipif(
    python_with_the_package() is None,
    reason="label-studio-sdk is not installed (500 MB); OVCT_LABEL_STUDIO_PYTHON names a Python that has it",
)
def test_the_package_itself_takes_configuration_tasks_and_annotations(root: Path, tmp_path: Path) -> None:
    review_everything(root, "ann")
    tasks = exported(root, "ann")
    export = save_json(tmp_path / "export.json", [annotated(task, 7, n) for n, task in enumerate(tasks, 1)])
    files = (CHECK, root.parent / "tasks.xml", root.parent / "tasks.json", export)
    done = subprocess.run(
        [str(python_with_the_package()), *map(str, files)],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    regions = sum(one["type"] == "labels" for task in tasks for one in task["predictions"][0]["result"])
    assert json.loads(done.stdout.splitlines()[-1]) == {"tasks": 4, "regions": regions, "annotations": 4}
