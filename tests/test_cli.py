"""Each command from end to end, with the engine and the verifier that users have."""

import csv
import hashlib
import importlib
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import ovct
from curation.audit.sample import SampleRequest
from curation.caption_set.schemas import parquet_schema
from curation.caption_set.work_folder import lock_set
from curation.runtime.errors import Interrupted, RunError
from tests.curation.audit.builders import give_verdicts, open_audit


def call(*arguments: object) -> Result:
    return CliRunner().invoke(ovct.app, [str(argument) for argument in arguments])


@pytest.fixture
def reports(examples: Path) -> Path:
    return examples / "reports.csv"


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    out = tmp_path_factory.mktemp("cli") / "captions"
    done = call("curate", examples / "reports.csv", "--out", out)
    assert done.exit_code == 0, done.output
    return out


def test_curate_makes_a_set_whose_evidence_is_verbatim(captions: Path, reports: Path) -> None:
    with reports.open(newline="", encoding="utf-8") as file:
        wanted = [row["report_id"] for row in csv.DictReader(file)]
    stored = pq.read_table(captions / "reports")
    assert stored["report_id"].to_pylist() == wanted
    texts = dict(zip(wanted, stored["text"].to_pylist(), strict=True))
    rows = pq.read_table(captions / "captions").to_pylist()
    assert len(rows) > 5 * len(wanted)
    assert {row["engine"] for row in rows} == {"rules"}
    for row in rows:
        assert texts[row["report_id"]][row["evidence_start"] : row["evidence_end"]] == row["evidence"]


def test_curate_needs_nothing_else(tmp_path: Path, reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(reports, "reports.csv")
    done = call("curate", "reports.csv")
    assert done.exit_code == 0, done.output
    assert "captions by organ" in done.stdout and "engine" in done.stdout and "In captions" in done.stdout
    again = call("curate", "reports.csv")
    assert again.exit_code == 0 and "nothing to do" in again.stderr
    assert again.stdout == done.stdout
    shown = call("stats")
    assert shown.exit_code == 0, shown.output
    assert "captions by organ" in shown.stdout
    assert shown.stdout.endswith("In captions\nPlot in captions/captions.png\n")
    assert Path("captions/captions.png").read_bytes().startswith(b"\x89PNG")


def test_shards_are_merged(captions: Path, reports: Path, tmp_path: Path) -> None:
    folders = [tmp_path / f"shard-{number}" for number in (1, 2)]
    for number, folder in enumerate(folders, 1):
        done = call("curate", reports, "--out", folder, "--shard", f"{number}/2")
        assert done.exit_code == 0, done.output
    done = call("merge", *folders, "--out", tmp_path / "merged")
    assert done.exit_code == 0 and "captions by organ" in done.stdout, done.output
    assert (tmp_path / "merged" / "captions.png").exists()
    rows = [pq.read_table(folder / "captions").to_pylist() for folder in (captions, tmp_path / "merged")]
    assert rows[0] == rows[1]
    done = call("merge", folders[0], "--out", tmp_path / "half")
    assert done.exit_code == 2 and "shards are missing: 2/2" in done.stderr
    done = call("curate", reports, "--out", tmp_path / "none", "--shard", "3/2")
    assert done.exit_code == 2 and "--shard 3/2: expected I/N" in done.stderr


def test_stats_names_its_plot(captions: Path, tmp_path: Path) -> None:
    assert call("stats", captions, "--plot", tmp_path / "a.svg").exit_code == 0
    assert (tmp_path / "a.svg").exists()
    for plot, error in (("a.txt", ".png or .svg"), ("none/a.png", "none: no such folder")):
        wrong = call("stats", captions, "--plot", tmp_path / plot)
        assert wrong.exit_code == 2 and error in wrong.stderr and wrong.stdout == ""
    none = call("stats", tmp_path)
    assert none.exit_code == 2 and "holds no caption set" in none.stderr


def test_verify_takes_what_curate_makes_and_refuses_a_flip(captions: Path, reports: Path, tmp_path: Path) -> None:
    rows = pq.read_table(captions / "captions", columns=["report_id", "organ", "caption"]).to_pylist()
    claims = tmp_path / "claims.csv"
    with claims.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["report_id", "organ", "caption"])
        writer.writeheader()
        writer.writerows(rows)
        writer.writerow({"report_id": "nobody", "organ": "liver", "caption": "The liver is normal."})
        writer.writerow({**rows[0], "organ": "flux capacitor"})
    out = tmp_path / "verified.parquet"
    done = call("verify", reports, claims, "--out", out)
    assert done.exit_code == 0, done.output
    table = pq.read_table(out)
    assert table.schema.equals(parquet_schema("verified"))
    verdicts = table["accepted"].to_pylist()
    assert sum(verdicts[:-2]) / len(rows) == 1.0
    assert table["reason"].to_pylist()[-2:] == ["schema", "unknown_organ"]
    assert "accepted" in done.stdout and "unknown_organ" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["curate"], 2, "Missing argument"),
        (["curate", "none.csv"], 2, "none.csv: no such file or folder"),
        (["curate", "REPORTS", "--engine", "vllm"], 2, "needs --model"),
        (["curate", "REPORTS", "--engine", "vllm", "--model", "./none"], 2, "--engine rules"),
        (["curate", "REPORTS", "--engine", "vllm", "--timeout", "3"], 2, "--timeout: of no use to the engine vllm"),
        (["curate", "REPORTS", "--engine", "vllm", "--model", "m", "--vllm-option", "x"], 2, "NAME=VALUE"),
        (["curate", "REPORTS", "--engine", "openai"], 2, "--base-url"),
        (["curate", "REPORTS", "--engine", "openai", "--dtype", "half"], 2, "--dtype: of no use"),
        (["curate", "REPORTS", "--engine", "openai", "--base-url", "http://127.0.0.1:9/v1"], 2, "no server answers"),
        (["curate", "REPORTS", "--engine", "openai", "--prompt", "nothing"], 2, "organ_captions_short"),
        (["curate", "REPORTS", "--engine", "magic"], 2, "no engine 'magic'"),
        (["curate", "REPORTS", "--model", "m", "--prompt", "p"], 2, "--model, --prompt: of no use to the engine rules"),
        (["prompts", "REPORTS"], 2, "reports.csv"),
        (["verify"], 2, "REPORTS, CAPTIONS and --out"),
        (["verify", "--replay", "none"], 2, "no caption set"),
        (["verify", "--replay", "REPORTS"], 2, "no caption set"),
        (["stats", "REPORTS"], 2, "no caption set"),
        (["verify", "REPORTS", "--replay", "none"], 2, "--replay takes no reports"),
        (["curate", "REPORTS", "--id-column", "nobody"], 2, "nobody"),
        (["curate", "REPORTS", "--text-column", "nothing"], 2, "nothing"),
        (["curate", "REPORTS", "--limit", "0"], 2, "--limit"),
        (["curate", "REPORTS", "--workers", "0"], 2, "--workers"),
        (["curate", "REPORTS", "--ray", "ray://head:10001"], 2, "Ray Client cannot stream"),
        (["verify", "REPORTS", "none.csv", "--out", "v.parquet"], 2, "none.csv"),
        (["verify", "REPORTS", "REPORTS", "--out", "v.parquet"], 2, "no column organ, caption"),
        (["verify", "REPORTS", "REPORTS"], 2, "--out FILE"),
    ],
)
def test_a_wrong_call_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: Path, arguments: list[str], code: int, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*[reports if argument == "REPORTS" else argument for argument in arguments])
    assert done.exit_code == code, done.output
    assert problem in done.stderr and not done.stdout
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_or_of_someone_else(tmp_path: Path, reports: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    done = call("curate", reports, "--out", tmp_path / "mine", "--overwrite")
    assert done.exit_code == 2 and "holds no caption set" in done.stderr
    with lock_set(tmp_path / "busy"):
        done = call("curate", reports, "--out", tmp_path / "busy", "--limit", 2)
    assert done.exit_code == 2 and "another run" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (RunError("the engine is gone"), 1, "ovct: the engine is gone\n"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (ZeroDivisionError("oh"), 1, "unexpected ZeroDivisionError: oh (--debug shows where)"),
        (Interrupted(), 130, "without --overwrite, goes on from there"),
        (KeyboardInterrupt(), 130, "without --overwrite, goes on from there"),
    ],
)
def test_what_goes_wrong_under_way(
    monkeypatch: pytest.MonkeyPatch, reports: Path, error: BaseException, code: int, text: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("curation.pipeline.curate", fail)
    done = call("curate", reports)
    assert done.exit_code == code and text in done.stderr
    if code == 1:
        assert call("curate", reports, "--debug").exception is error


def test_skipped_rows_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("id,report\na,Liver is normal.\n" + "".join(f"e{number},\n" for number in range(9)))
    done = call("curate", path, "--out", tmp_path / "set")
    assert done.exit_code == 0
    assert f"{path}: row 2 (line 3): no text" in done.stderr and "and 4 more" in done.stderr
    assert "skipped rows" in done.stdout


def test_version() -> None:
    done = call("--version")
    assert done.exit_code == 0 and done.stdout.startswith("ovct ")


def test_the_console_script_is_there() -> None:
    assert callable(importlib.import_module("ovct").main)


def test_prompts_are_listed_shown_and_checked(tmp_path: Path) -> None:
    listed = call("prompts")
    assert listed.exit_code == 0
    assert all(name in listed.stdout for name in ("organ_captions", "organ_captions_short", "organ_captions_statement"))
    shown = call("prompts", "organ_captions_short")
    assert shown.exit_code == 0 and "are in their own reports" in shown.stderr
    mine = tmp_path / "mine.yaml"
    mine.write_text(shown.stdout)
    digest = hashlib.sha256(shown.stdout.encode()).hexdigest()
    checked = call("prompts", mine, "--check")
    assert checked.exit_code == 0 and digest in checked.stdout
    mine.write_text(shown.stdout.replace("small cyst in the left kidney", "large cyst in the left kidney"))
    refused = call("prompts", mine, "--check")
    assert refused.exit_code == 2 and "large cyst" in refused.stderr and "example 2" in refused.stderr
    assert call("curate", tmp_path / "r.csv", "--engine", "openai", "--prompt", mine).exit_code == 2


def test_all_shipped_prompts_hold() -> None:
    checked = call("prompts", "--check")
    assert checked.exit_code == 0 and len(checked.stdout.splitlines()) == 5


def test_other_tools_read_the_set(captions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    pandas = pytest.importorskip("pandas")
    rows = pq.read_table(captions / "captions").num_rows
    with duckdb.connect() as base:
        (row_count,) = base.execute(f"SELECT count(*) FROM read_parquet('{captions}/captions/*.parquet')").fetchone()
        joined = f"""
            SELECT count(*) FROM read_parquet('{captions}/captions/*.parquet') AS captions
            JOIN read_parquet('{captions}/reports/*.parquet') USING (report_id)
            WHERE substring(text, evidence_start + 1, evidence_end - evidence_start) = evidence
        """
        (verbatim,) = base.execute(joined).fetchone()
    assert row_count == verbatim == rows
    frame = pandas.read_parquet(captions / "captions")
    assert len(frame) == rows and list(frame.columns) == parquet_schema("captions").names


def test_audit_summary_and_apply(tmp_path: Path, captions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(captions, tmp_path / "captions")
    monkeypatch.chdir(tmp_path)
    none = call("audit", "--summary")
    assert none.exit_code == 2 and "has not been audited yet: run `ovct audit captions` first" in none.stderr
    with open_audit(Path("captions"), sample=SampleRequest(100)) as store:
        nothing = call("audit", "--summary")
        assert nothing.exit_code == 0 and "No caption has been judged yet." in nothing.stdout
        give_verdicts(store, "ann", ["supported"] * 100)
    done = call("audit", "--summary")
    assert done.exit_code == 0, done.output
    assert "0.0 to 3.7 %" in done.stdout and "none was hallucinated" in done.stdout
    assert {path.name for path in Path("captions/audit").iterdir()} >= {"summary.json", "summary.csv", "report.html"}
    card = Path("captions/README.md").read_text()
    assert "0 of 100 reviewed captions, 0.0 % (95 % interval 0.0 to 3.7 %)" in card and "audit/score.png" in card
    applied = call("audit", "--apply")
    assert applied.exit_code == 0, applied.output
    assert Path("captions-audited/captions.png").exists() and "captions are out" in applied.stdout
    again = call("audit", "--apply")
    assert again.exit_code == 2 and "is there already" in again.stderr
    shown = call("stats", "captions-audited")
    assert shown.exit_code == 0, shown.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing"], "holds no caption set"),
        (["--summary", "--apply"], "--summary and --apply: one at a time"),
        (["--model", "m"], "--model: only with --judge"),
        (["--prompt", "p", "--summary"], "--prompt: only with --judge"),
        (["--out", "x"], "--out: only with --apply"),
        (["--design", "magic"], "--design magic: there are stratified and random"),
        (["--judge", "rules"], "there is no engine 'rules'"),
        (["--judge", "vllm"], "needs --model"),
        (["--judge", "openai", "--base-url", "http://127.0.0.1:9/v1"], "no server answers"),
        (["--judge", "openai", "--prompt", "none.yaml"], "none.yaml"),
        (["--reviewer", "ann", "--reviewer", "ann"], "--reviewer: each needs a name of their own"),
        (["--overlap", "2"], "--overlap"),
        (["--overlap", "nan"], "--overlap"),
        (["--sample", "0"], "--sample"),
        (["--port", "70000"], "--port"),
    ],
)
def test_a_wrong_call_of_audit_is_told(
    captions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], problem: str
) -> None:
    shutil.copytree(captions, tmp_path / "captions")
    monkeypatch.chdir(tmp_path)
    done = call("audit", *arguments)
    assert done.exit_code == 2, done.output
    assert problem in done.stderr and "Traceback" not in done.output
    assert not Path("captions/audit").exists()


def test_the_size_of_parts_can_be_said(reports: Path, tmp_path: Path) -> None:
    done = call("curate", reports, "--out", tmp_path / "set", "--reports-per-part", "20")
    assert done.exit_code == 0, done.output
    assert [path.name for path in sorted((tmp_path / "set/captions").iterdir())] == [
        f"part-0000{number}.parquet" for number in range(3)
    ]
