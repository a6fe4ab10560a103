import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.caption_set.manifest import load_manifest
from curation.caption_set.work_folder import SetError
from curation.pipeline import CurateJob, curate
from curation.readers.reports import ColumnsRead
from curation.report import Modality, Report
from curation.runtime.errors import InputError, Interrupted, RunError
from curation.runtime.progress import Progress
from curation.verify_table import VerifyJob, verify_table
from tests.curation.fakes import FakeVerifier, fake_recipe, write_reports


def job(tmp_path: Path, count: int = 50, *, distinct: int | None = None, **changes: Any) -> CurateJob:
    reports = write_reports(tmp_path / "reports.csv", count, distinct=distinct)
    return replace(CurateJob(reports, tmp_path / "captions", workers=2, reports_per_part=20), **changes)


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.glob("*/*.parquet"))}


def column(root: Path, table: str, name: str) -> list[Any]:
    values: list[Any] = pq.read_table(root / table)[name].to_pylist()
    return values


def test_every_report_is_in_the_set_in_its_order(tmp_path: Path) -> None:
    call = job(tmp_path)
    result = curate(call, fake_recipe())
    assert column(call.out, "reports", "report_id") == [f"scan_{number}.nii.gz" for number in range(50)]
    captions = pq.read_table(call.out / "captions").to_pylist()
    texts = dict(zip(column(call.out, "reports", "report_id"), column(call.out, "reports", "text"), strict=True))
    assert len(captions) == 200
    for row in captions:
        assert texts[row["report_id"]][row["evidence_start"] : row["evidence_end"]] == row["evidence"]
    assert [part.reports for part in result.manifest.parts] == [20, 20, 10]
    assert [(part.first_row, part.last_row) for part in result.manifest.parts] == [(1, 20), (21, 40), (41, 50)]
    assert result.manifest.complete and load_manifest(call.out) == result.manifest
    assert sorted(path.name for path in call.out.iterdir()) == [
        "README.md", "captions", "manifest.json", "rejects", "reports",
    ]  # fmt: skip


def test_the_files_do_not_depend_on_the_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = job(tmp_path, 300, distinct=170)
    file_sets = []
    for inline in (1000, 0):
        monkeypatch.setattr("curation.pipeline.INLINE_REPORTS", inline)
        for workers in (1, 3) if inline == 0 else (1,):
            shutil.rmtree(call.out, ignore_errors=True)
            curate(replace(call, workers=workers), fake_recipe())
            file_sets.append(files(call.out))
    assert len(file_sets[0]) == 3 * 15
    assert file_sets[0] == file_sets[1] == file_sets[2]


@pytest.mark.parametrize("inline", [0, 1000])
def test_a_text_is_extracted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inline: int) -> None:
    monkeypatch.setattr("curation.pipeline.INLINE_REPORTS", inline)
    call = job(tmp_path, 230, distinct=75, reports_per_part=50)
    log = tmp_path / "log"
    curate(call, fake_recipe(log))
    assert sorted(log.read_text().split()) == sorted(f"scan_{number}.nii.gz" for number in range(75))
    captions = pq.read_table(call.out / "captions", columns=["report_id", "caption"]).to_pylist()
    by_report: dict[str, list[str]] = {}
    for row in captions:
        by_report.setdefault(row["report_id"], []).append(row["caption"])
    assert len(by_report) == 230
    assert by_report["scan_3.nii.gz"] == by_report["scan_78.nii.gz"] == by_report["scan_228.nii.gz"]


def test_the_caller_learns_which_columns_are_read_before_any_work_is_done(tmp_path: Path) -> None:
    call = job(tmp_path)
    inputs = list[tuple[ColumnsRead, int]]()

    def on_input(columns: ColumnsRead, head: Sequence[Report]) -> None:
        assert call.out.exists() == bool(inputs)
        inputs.append((columns, len(head)))

    columns = ColumnsRead("VolumeName", ("Findings_EN", "Impressions_EN"), "utf-8", "CSV")
    assert not curate(call, fake_recipe(), on_input=on_input).already_done
    assert curate(call, fake_recipe(), on_input=on_input).already_done
    assert inputs == [(columns, 50), (columns, 50)]


def test_a_finished_set_is_left_alone(tmp_path: Path) -> None:
    call = job(tmp_path)
    curate(call, fake_recipe())
    before = files(call.out)
    log = tmp_path / "log"
    again = curate(replace(call, workers=1), fake_recipe(log))
    assert again.already_done and not log.exists()
    assert files(call.out) == before
    assert not (call.out / ".work").exists()


def test_other_settings_and_changed_input_are_refused(tmp_path: Path) -> None:
    call = job(tmp_path)
    curate(call, fake_recipe())
    before = files(call.out)
    with pytest.raises(SetError, match=r"limit: none then, 7 now\n.*--overwrite"):
        curate(replace(call, limit=7), fake_recipe())
    with pytest.raises(SetError, match="engine: fake then, other now"):
        curate(call, fake_recipe(engine="other"))
    write_reports(call.reports, 51)
    with pytest.raises(SetError, match="the input has changed"):
        curate(call, fake_recipe())
    assert files(call.out) == before
    assert not (call.out / ".work").exists()


def test_overwrite_starts_again(tmp_path: Path) -> None:
    call = job(tmp_path)
    curate(call, fake_recipe())
    (call.out / "notes.txt").write_text("mine")
    log = tmp_path / "log"
    result = curate(replace(call, limit=7, overwrite=True), fake_recipe(log))
    assert len(log.read_text().split()) == 7
    assert result.manifest.counts.reports == 7
    assert sorted(files(call.out)) == [f"{table}/part-00000.parquet" for table in ("captions", "rejects", "reports")]
    assert (call.out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_something_else_in_it_is_not_touched(tmp_path: Path, overwrite: bool) -> None:
    call = job(tmp_path, overwrite=overwrite)
    (call.out / "reports").mkdir(parents=True)
    (call.out / "reports" / "part-00000.parquet").write_text("someone's work")
    with pytest.raises(SetError, match="holds no caption set"):
        curate(call, fake_recipe())
    (call.out / "manifest.json").write_text('{"name": "a web app"}')
    with pytest.raises(SetError, match="holds no caption set"):
        curate(call, fake_recipe())
    assert (call.out / "reports" / "part-00000.parquet").read_text() == "someone's work"
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(SetError, match="is a file"):
        curate(replace(call, out=file), fake_recipe())


def test_a_part_that_was_tampered_with_is_noticed(tmp_path: Path) -> None:
    call = job(tmp_path)
    curate(call, fake_recipe())
    (call.out / "captions" / "part-00001.parquet").unlink()
    with pytest.raises(SetError, match=r"part-00001\.parquet is missing"):
        curate(call, fake_recipe())


def test_input_that_changes_under_way_is_noticed(tmp_path: Path) -> None:
    call = job(tmp_path)

    class WritingProgress(Progress):
        def advance(self) -> None:
            with call.reports.open("a") as file:
                file.write(" ")

    with pytest.raises(RunError, match="changed while it was read"):
        curate(call, fake_recipe(), WritingProgress())
    assert not load_manifest(call.out).complete


def test_what_was_made_of_an_input_that_changed_does_not_count(tmp_path: Path) -> None:
    call = job(tmp_path)
    before = call.reports.read_bytes()

    class ChangingProgress(Progress):
        def advance(self) -> None:
            call.reports.write_bytes(before.replace(b"normal", b"absent"))

    with pytest.raises(RunError, match=r"reports\.csv changed while it was read.*put it back"):
        curate(call, fake_recipe(), ChangingProgress())
    assert load_manifest(call.out).parts == ()
    call.reports.write_bytes(before)
    manifest = curate(call, fake_recipe()).manifest
    whole = curate(replace(call, out=tmp_path / "whole"), fake_recipe()).manifest
    assert manifest.complete and manifest.counts == whole.counts
    assert [part.sha256 for part in manifest.parts] == [part.sha256 for part in whole.parts]


def test_no_report_no_folder(tmp_path: Path) -> None:
    call = job(tmp_path)
    call.reports.write_text("VolumeName,Findings_EN,Impressions_EN\na,Not given.,Not given.\n")
    with pytest.raises(InputError, match="no report could be read"):
        curate(call, fake_recipe())
    with pytest.raises(InputError, match="no such file"):
        curate(replace(call, reports=tmp_path / "none.csv"), fake_recipe())
    assert not call.out.exists()


def test_problems_are_counted_and_all_listed(tmp_path: Path) -> None:
    call = job(tmp_path)
    with call.reports.open("a") as file:
        file.writelines(f"empty_{number}.nii.gz,,Not given.,050Y\n" for number in range(8))
    result = curate(call, fake_recipe())
    assert result.manifest.skipped == 8 and result.manifest.counts.reports == 50
    assert [problem.row for problem in result.problems] == [51, 52, 53, 54, 55]
    listed = [json.loads(line) for line in (call.out / "skipped.jsonl").read_text().splitlines()]
    assert [(line["row"], line["kept"]) for line in listed] == [(row, False) for row in range(51, 59)]


def test_a_column_that_comes_late_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.pipeline.GROUP_REPORTS", 5)
    path = tmp_path / "reports.jsonl"
    lines = [{"id": f"r{number}", "report": f"Liver {number} is normal.", "age": "1"} for number in range(6)]
    late = [{"id": f"s{number}", "report": f"Spleen {number} is normal.", "dose": "9"} for number in range(3)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines + late))
    result = curate(CurateJob(path, tmp_path / "captions"), fake_recipe())
    if "dose" in result.manifest.source_columns:
        pytest.skip("the reader sees the column ahead of time")
    assert [(problem.row, problem.kept) for problem in result.problems if "dose" in problem.problem] == [(7, True)]


def test_an_engine_that_never_works_ends_the_run(tmp_path: Path) -> None:
    call = job(tmp_path)
    call.reports.write_text("id,report\n" + "".join(f"r{number},CRASH {number}.\n" for number in range(12)))
    with pytest.raises(RunError, match=r"failed on every report.*the fake engine crashed"):
        curate(call, fake_recipe())


def test_one_failure_is_a_reject(tmp_path: Path) -> None:
    call = job(tmp_path)
    with call.reports.open("a") as file:
        file.write("bad.nii.gz,CRASH.,,1\nodd.nii.gz,INVENT. Liver is normal.,,1\n")
    result = curate(call, fake_recipe())
    assert result.manifest.counts.rejects == {"engine_error": 1, "not_grounded": 1}
    assert column(call.out, "rejects", "report_id") == ["bad.nii.gz", "odd.nii.gz"]
    assert column(call.out, "rejects", "engine") == ["fake", "fake"]


def test_a_stop_keeps_finished_parts_and_the_next_run_goes_on(tmp_path: Path) -> None:
    call = job(tmp_path)
    log = tmp_path / "log"

    class InterruptingProgress(Progress):
        seen = 0

        def advance(self) -> None:
            self.seen += 1
            if self.seen == 25:
                raise Interrupted

    with pytest.raises(Interrupted):
        curate(call, fake_recipe(log), InterruptingProgress())
    manifest = load_manifest(call.out)
    assert not manifest.complete and len(manifest.parts) == 1
    assert not list(call.out.glob("*/.part*"))
    extracted = len(log.read_text().split())
    result = curate(call, fake_recipe(log))
    assert result.manifest.complete and result.manifest.counts.reports == 50
    lines = log.read_text().split()
    assert len(lines) == len(set(lines)) == 50, f"{extracted} were extracted before the stop"


@pytest.mark.parametrize(
    "row", ["r{},", "r1,The liver is normal.", '"r{}","n/a"', "r{},The liver is normal {}.,MR"], ids=str
)
def test_a_stop_is_heard_while_no_row_is_of_use(tmp_path: Path, row: str) -> None:
    reports = tmp_path / "reports.csv"
    rows = [row.replace("{}", str(number)) for number in range(500)]
    reports.write_text("\n".join(["id,findings,modality" if ",MR" in row else "id,findings", *rows]))

    class Stopping(Progress):
        asked = 0

        def raise_if_interrupted(self) -> None:
            self.asked += 1
            if self.asked == 300:
                raise Interrupted

    for out in (tmp_path / "set", tmp_path / "verified.parquet"):
        progress = Stopping()
        with pytest.raises(Interrupted):
            if out.suffix:
                (tmp_path / "captions.csv").write_text("report_id,organ,caption\nr1,liver,x\n")
                verify_table(VerifyJob(reports, tmp_path / "captions.csv", out), FakeVerifier, progress)
            else:
                curate(CurateJob(reports, out, modality=Modality.CT), fake_recipe(), progress)
        assert progress.asked == 300 and not out.exists()


def test_limit(tmp_path: Path) -> None:
    call = job(tmp_path, limit=20)
    result = curate(call, fake_recipe())
    assert [part.reports for part in result.manifest.parts] == [20]
    assert result.manifest.complete
