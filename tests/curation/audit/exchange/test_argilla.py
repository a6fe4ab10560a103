"""The sample to Argilla and back, through argilla itself, and what people may do there."""

from __future__ import annotations

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
from curation.audit.exchange.argilla_answers import read_dataset
from curation.audit.exchange.argilla_records import write_dataset
from curation.audit.exchange.exchange import audit_to_hand_out, take_in
from curation.audit.exchange.returned import ImportProblemsError
from curation.caption_set.audit_results import Verdict
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress

from .annotating import audit_of, review_everything, reviews_of, save_json, write_reports

Record = dict[str, Any]
CHECK = Path(__file__).with_name("check_argilla.py")
ANN, BEN = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_reports(tmp_path / "captions")
    return tmp_path / "captions"


def exported(root: Path, reviewer: str | None = None) -> list[Record]:
    out = root.parent / "argilla"
    with audit_of(root), audit_to_hand_out(root, None, reviewer, Progress()) as audit:
        write_dataset(audit.store, out, "x", audit.system_of, Progress(), reviewer=audit.reviewer, overwrite=True)
    records: list[Record] = json.loads((out / "records.json").read_text(encoding="utf-8"))
    return records


def answered(record: Record, person: str = ANN, status: str = "", **values: Any) -> Record:
    """A person submits the record as it is suggested, but for these values."""
    suggested = {name: one["value"] for name, one in record["suggestions"].items()}
    responses = {name: list(given) for name, given in record["responses"].items()}
    for name, value in {**suggested, **values}.items():
        responses.setdefault(name, []).append(
            {"value": value, "user_id": person} | ({"status": status} if status else {})
        )
    return {**record, "responses": responses, "status": "completed"}


def taken(root: Path, records: list[Record], *names: str) -> Any:
    return take_in(root, save_json(root.parent / "records.json", records), read_dataset, names, Progress())


@pytest.mark.skipif(importlib.util.find_spec("argilla") is None, reason="argilla is not installed")
def test_there_and_back_through_argilla_itself_nothing_is_lost(root: Path, tmp_path: Path) -> None:
    review_everything(root, "ann")
    before = reviews_of(root, "ann")
    records = exported(root, "ann")
    answers = {record["id"]: {name: one["value"] for name, one in record["suggestions"].items()} for record in records}
    given = save_json(tmp_path / "answers.json", answers)
    done = subprocess.run(
        [sys.executable, str(CHECK), str(root.parent / "argilla"), str(given), str(tmp_path / "back")],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"records": len(records), "settings are as they were": True}
    write_reports(tmp_path / "again")
    with audit_of(tmp_path / "again"):
        pass
    back = json.loads((tmp_path / "back" / "records.json").read_text())
    completed = [{**record, "status": "completed"} for record in back]
    (tmp_path / "back" / "records.json").write_text(json.dumps(completed))
    taken_in = take_in(tmp_path / "again", tmp_path / "back", read_dataset, ["ann"], Progress())
    assert reviews_of(tmp_path / "again", "ann") == before and taken_in.reviews["ann"].saved == len(before)
    once_more = take_in(tmp_path / "again", tmp_path / "back", read_dataset, ["ann"], Progress()).reviews["ann"]
    assert (once_more.saved, once_more.same) == (0, len(before))


def test_each_user_is_a_reviewer(root: Path) -> None:
    records = exported(root)
    first = answered(answered(records[0], ANN, verdict="supported"), BEN, verdict="unsure", note="?")
    done = taken(root, [first, *records[1:]], f"{ANN}=ann", f"{BEN}=ben")
    key = records[0]["id"]
    assert reviews_of(root, "ann")[key].verdict == Verdict.SUPPORTED
    assert (reviews_of(root, "ben")[key].verdict, reviews_of(root, "ben")[key].note) == (Verdict.UNSURE, "?")
    assert done.left["records without an answer"] == len(records) - 1 and not done.added


def test_drafts_and_discarded_records_are_no_reviews(root: Path) -> None:
    one, two, three, *_ = exported(root)
    draft = answered(one, verdict="supported") | {"status": "pending"}
    discarded, own_draft = answered(two, status="discarded"), answered(three, BEN, status="draft", verdict="supported")
    with pytest.raises(InputError, match=r"nobody has submitted an annotation \(2 drafts, 1 discarded\)"):
        taken(root, [draft, discarded, own_draft])


def test_a_corrected_caption_and_moved_evidence(root: Path) -> None:
    record = next(one for one in exported(root) if one["suggestions"].get("organ", {}).get("value") == "left kidney")
    text = record["fields"]["report"]
    start = text.index("There is")
    evidence = [{"label": "evidence", "start": start, "end": start + 8}]
    done = taken(root, [answered(record, verdict="incomplete", evidence=evidence)], "ann")
    correction = reviews_of(root, "ann")[record["id"]].correction
    assert done.reviews["ann"].corrected == 1 and correction
    assert text[correction.start : correction.end] == "There is" and correction.score == 0.0


Change = Callable[[Record], None]


def _response(name: str, value: Any) -> Change:
    def change(record: Record) -> None:
        record["responses"][name] = [{"value": value, "user_id": ANN}]

    return change


def _about(part: str, name: str, value: Any) -> Change:
    def change(record: Record) -> None:
        record[part][name] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_response("verdict", "good"), r"record accepted-0-0, answers of 0{8}-.*: 'good' is no verdict on a caption"),
        (_response("verdict", "covered"), "'covered' is no verdict on a caption"),
        (_response("verdict", ["supported"]), r"the answer to 'verdict' is \['supported'\] and no text"),
        (_response("organ", "gizmo"), "the organ 'gizmo' is unknown"),
        (_response("evidence", [{"start": 5, "end": 99_999}]), "5 to 99999 is no passage"),
        (_response("evidence", ["x"]), "None to None is no passage"),
        (_about("fields", "report", "Other words."), "the text of report .*from character 0 on"),
        (_about("metadata", "set", "f" * 64), "it is about another set"),
        (_about("metadata", "report_id", "other"), "the sample has no report 'other'"),
        (lambda record: record.update(metadata={}), "it has no report and report_id"),
        (lambda record: record.update(id="accepted-7-7"), "'accepted-7-7' is no caption of the sample"),
    ],
)
def test_what_does_not_fit_is_told_and_nothing_is_written(root: Path, change: Change, message: str) -> None:
    record = answered(next(one for one in exported(root) if one["id"] == "accepted-0-0"), verdict="supported")
    change(record)
    with pytest.raises(ImportProblemsError, match=message):
        taken(root, [record])
    with audit_of(root) as store:
        assert not store.rows("SELECT * FROM event") and not store.rows("SELECT * FROM reviewer")


def test_files_of_another_kind(root: Path, tmp_path: Path) -> None:
    exported(root)
    contents: list[Any] = [[[]], [{"fields": []}]]
    for content in contents:
        with pytest.raises(InputError, match="entry 1 is no record of Argilla"):
            take_in(root, save_json(tmp_path / "x.json", content), read_dataset, (), Progress())
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        take_in(root, tmp_path / "empty", read_dataset, (), Progress())


def test_the_commands(root: Path) -> None:
    out, call = root.parent / "a", CliRunner().invoke
    done = call(ovct.app, ["export", "argilla", str(root), "--out", str(out), "--sample", "5"])
    assert done.exit_code == 0 and "5 records" in done.output, done.output
    assert out.stat().st_mode & 0o077 == 0 and (out / "records.json").stat().st_mode & 0o077 == 0
    again = call(ovct.app, ["export", "argilla", str(root), "--out", str(out)])
    assert again.exit_code == 2 and "holds an export already" in again.output
    assert call(ovct.app, ["export", "argilla", str(root), "--out", str(out), "--overwrite"]).exit_code == 0
    (root.parent / "mine").mkdir()
    (root.parent / "mine" / "notes").write_text("mine")
    mine = call(ovct.app, ["export", "argilla", str(root), "--out", str(root.parent / "mine")])
    assert mine.exit_code == 2 and "holds no export for Argilla" in mine.output
    records = json.loads((out / "records.json").read_text())
    (out / "records.json").write_text(json.dumps([answered(one, verdict="supported") for one in records]))
    done = call(ovct.app, ["import", "argilla", str(out), "--captions", str(root), "--reviewer", "ann"])
    assert done.exit_code == 0 and "ann: 5 reviews saved" in done.output, done.output
