"""`ovct curate --engine openai` against a server with bad manners: every report ends once, whatever the server does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import ovct
from curation.caption import MadeBy
from curation.engines.openai import OpenAIEngine
from curation.engines.server import ServerSettings
from curation.llm.pool import ChatRecipe
from curation.pipeline import CurateJob, curate
from curation.runtime.errors import RunError
from prompts.prompt_file import load_prompt
from tests.curation.fakes import answer, sentences, write_reports
from tests.curation.hostile_server import Act, ChatRequest, HostileServer, Turns, answers
from tests.curation.server_faults import NONSENSE, Switch, at_first, drips, fails, in_turn, message, says, sometimes

ROOT = Path(__file__).resolve().parents[3]
TABLES = ("reports", "captions", "rejects", "responses")
KEY = "sk-never-written-anywhere-0123456789"


def respond(turns: Turns) -> str:
    """A caption for each sentence of the report, and one that no report holds."""
    drafts = json.loads(sentences(turns[-1]["content"].partition("\n")[2]))["captions"]
    return answer([*((row["organ"], row["caption"]) for row in drafts), ("spleen", "The spleen is ruptured")])


@pytest.fixture(autouse=True)
def a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return write_reports(tmp_path / "reports.csv", 60)


def recipe(hostile: HostileServer, **how: Any) -> ChatRecipe:
    """What the command line makes, but impatient."""
    server = ServerSettings(hostile.url, "hostile-1", first_wait=0.01, longest_wait=0.05, **how)
    prompt = load_prompt("organ_captions_short")

    async def connect() -> OpenAIEngine:
        return await OpenAIEngine.connect(server)

    return ChatRecipe(MadeBy("openai", "hostile-1", prompt.hash), prompt, connect, 500)


def rows(out: Path, table: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(out / table).to_pylist()
    return rows


def files(out: Path, *tables: str) -> dict[str, bytes]:
    return {f"{table}/{path.name}": path.read_bytes() for table in tables for path in (out / table).iterdir()}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a server of good manners gives."""
    folder = tmp_path_factory.mktemp("good")
    with HostileServer(respond) as hostile:
        curate(CurateJob(write_reports(folder / "reports.csv", 60), folder / "set"), recipe(hostile))
    return files(folder / "set", *TABLES)


@pytest.mark.parametrize("seed", [1, 2])
def test_trouble_in_a_third_of_the_calls_changes_nothing(
    tmp_path: Path, reports: Path, expected: dict[str, bytes], seed: int
) -> None:
    with HostileServer(respond, sometimes(0.3, seed=seed)) as hostile:
        curate(CurateJob(reports, tmp_path / "set"), recipe(hostile, attempts=12))
        troubled = len(hostile.log) - len(hostile.answered)
    assert troubled > 10
    assert files(tmp_path / "set", *TABLES) == expected


def test_nonsense_ends_in_rejects_and_every_report_ends_once(tmp_path: Path, reports: Path) -> None:
    trouble = sometimes(0.3, NONSENSE, seed=3, then=answers)
    with HostileServer(respond, lambda asked: sometimes(0.2, seed=4, then=trouble(asked))(asked)) as hostile:
        curate(CurateJob(reports, tmp_path / "set"), recipe(hostile, attempts=12))
    out = tmp_path / "set"
    ids = [row["report_id"] for row in rows(out, "reports")]
    assert len(ids) == len(set(ids)) == 60
    ended = {row["report_id"] for table in ("captions", "rejects") for row in rows(out, table)}
    assert ended == set(ids)
    lost = [row for row in rows(out, "rejects") if row["reason"] in ("schema", "truncated")]
    tried = Counter(row["report_id"] for row in rows(out, "responses"))
    assert 0 < len({row["report_id"] for row in lost}) < 30
    assert all(tried[row["report_id"]] > 1 for row in lost), "none is given up at the first answer"
    keys = Counter((row["report_id"], row["organ"], row["caption"]) for row in rows(out, "captions"))
    assert set(keys.values()) == {1}


def test_reports_that_break_the_server_are_rejected_and_asked_again(
    tmp_path: Path, reports: Path, expected: dict[str, bytes]
) -> None:
    def poison(asked: ChatRequest) -> Act:
        return fails(500) if "lesion of 7 mm" in asked.question else answers

    switch = Switch(poison)
    with HostileServer(respond, switch) as hostile:
        curate(CurateJob(reports, tmp_path / "set"), recipe(hostile, attempts=2))
        failed = [row for row in rows(tmp_path / "set", "rejects") if row["reason"] == "engine_error"]
        assert [row["report_id"] for row in failed] == ["scan_7.nii.gz"]
        assert "500" in str(failed[0]["detail"])
        switch.behave = lambda asked: answers
        curate(CurateJob(reports, tmp_path / "set", overwrite=True), recipe(hostile))
    assert files(tmp_path / "set", *TABLES) == expected, "a failure is never kept"


def test_slow_bytes_do_not_hold_a_run_up(tmp_path: Path, reports: Path, expected: dict[str, bytes]) -> None:
    slow = at_first(drips(5.0))
    with HostileServer(respond, lambda asked: slow(asked) if asked.number < 3 else answers) as hostile:
        began = time.monotonic()
        curate(CurateJob(reports, tmp_path / "set"), recipe(hostile, timeout=0.5))
        assert time.monotonic() - began < 15
    assert files(tmp_path / "set", *TABLES) == expected


def test_a_server_that_goes_away_stops_the_run_which_then_goes_on(
    tmp_path: Path, reports: Path, expected: dict[str, bytes]
) -> None:
    switch = Switch()
    with HostileServer(respond, switch) as hostile:
        switch.behave = lambda asked: answers if asked.number < 25 else fails(503)
        with pytest.raises(RunError):
            curate(CurateJob(reports, tmp_path / "set"), recipe(hostile, attempts=2, concurrency=4))
        assert not (tmp_path / "set" / "README.md").exists()
        before = {asked.key for asked in hostile.answered}
        assert len(before) == 25
        asked_so_far = len(hostile.log)
        switch.behave = lambda asked: answers
        curate(CurateJob(reports, tmp_path / "set"), recipe(hostile))
        again = {asked.key for asked in hostile.log[asked_so_far:]}
    assert not again & before and len(again) == 35
    assert files(tmp_path / "set", *TABLES) == expected


# The command as users call it.


def call(*arguments: object) -> Result:
    return CliRunner().invoke(ovct.app, [str(argument) for argument in arguments])


def start(reports: Path, out: Path, hostile: HostileServer) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "ovct.py"), "curate", str(reports), "--out", str(out), "--engine", "openai"]
    options = ["--base-url", hostile.url, "--prompt", "organ_captions_short", "--concurrency", "4"]
    return subprocess.Popen(
        [*command, *options],
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_a_killed_run_goes_on_without_asking_again(tmp_path: Path, reports: Path, expected: dict[str, bytes]) -> None:
    def slow(asked: ChatRequest) -> Act:
        time.sleep(0.05)
        return answers

    out = tmp_path / "set"
    with HostileServer(respond, slow) as hostile:
        for count, killed_by in ((10, signal.SIGKILL), (30, signal.SIGINT)):
            with start(reports, out, hostile) as process:
                deadline = time.monotonic() + 60
                while len(hostile.answered) < count and time.monotonic() < deadline:
                    time.sleep(0.01)
                process.send_signal(killed_by)
                code = process.wait(20)
            assert code == (-signal.SIGKILL if killed_by == signal.SIGKILL else 130)
        with start(reports, out, hostile) as process:
            assert process.wait(60) == 0
        requests = Counter(request.key for request in hostile.log)
    assert len(requests) == 60
    assert sum(requests.values()) - 60 <= 2 * 4, "only what was under way is asked again"
    assert files(out, *TABLES) == expected


@pytest.fixture
def served(examples: Path) -> Iterator[HostileServer]:
    with HostileServer(respond) as hostile:
        yield hostile


def test_the_command_from_end_to_end(tmp_path: Path, examples: Path, served: HostileServer) -> None:
    out = tmp_path / "set"
    options = ["--engine", "openai", "--base-url", served.url, "--prompt", "organ_captions_short", "--prices", 1, 2]
    done = call("curate", examples / "reports.csv", "--out", out, *options)
    assert done.exit_code == 0, done.output
    assert "openai, hostile-1" in done.stdout and "cost" in done.stdout and "accepted" in done.stdout
    captions = files(out, "captions", "rejects")
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["settings"]["model"] == "hostile-1" and manifest["usage"]["questions"] == 43
    replayed = call("verify", "--replay", out)
    assert replayed.exit_code == 0, replayed.output
    assert files(out, "captions", "rejects") == captions
    shown = call("stats", out)
    assert shown.exit_code == 0 and "tokens" in shown.stdout


def test_the_key_is_written_nowhere(tmp_path: Path, examples: Path, served: HostileServer) -> None:
    served.key = KEY
    out = tmp_path / "set"
    options = ["--out", out, "--engine", "openai", "--base-url", served.url, "--limit", 3]
    done = call("curate", examples / "reports.csv", *options, "--prompt", "organ_captions_short")
    assert done.exit_code == 0, done.output
    written = [path for path in out.rglob("*") if path.is_file()]
    assert written and not any(KEY.encode() in path.read_bytes() for path in written)
    served.key = "another"
    refused = call("curate", examples / "reports.csv", *options, "--out", tmp_path / "other")
    assert refused.exit_code == 2 and "OPENAI_API_KEY" in refused.output and KEY not in refused.output
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_model_that_only_thinks_is_told_with_the_way_out_and_no_success(
    tmp_path: Path, examples: Path, served: HostileServer, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    served.behave = in_turn(then=message({"content": None, field: "The report says the liver is normal, so"}, "length"))
    options = ["--engine", "openai", "--base-url", served.url, "--prompt", "organ_captions_short", "--limit", 2]
    done = call("curate", examples / "reports.csv", "--out", tmp_path / "set", *options)
    assert done.exit_code == 1 and "no report got an answer" in done.output
    assert "the model only thinks" in caplog.text and "--reasoning-effort none" in caplog.text
    again = call("curate", examples / "reports.csv", "--out", tmp_path / "set", *options)
    assert again.exit_code == 1, "a set without answers is no success either when it is found finished"
    served.behave = in_turn()
    options += [
        "--reasoning-effort",
        "none",
        "--request-option",
        "top_k=7",
        "--request-header",
        "X-Team=env:OPENAI_API_KEY",
    ]
    done = call("curate", examples / "reports.csv", "--out", tmp_path / "set", "--overwrite", *options)
    assert done.exit_code == 0, done.output
    assert (served.log[-1].body["reasoning_effort"], served.log[-1].body["top_k"]) == ("none", 7)
    manifest = (tmp_path / "set" / "manifest.json").read_text()
    assert KEY not in manifest and "top_k" in manifest


def test_an_answer_within_the_thoughts_is_read(tmp_path: Path, examples: Path, served: HostileServer) -> None:
    thinks = answer([("liver", "The liver is normal"), ("liver", "x" * 1_000_000)])
    served.behave = in_turn(then=message({"content": None, "reasoning_content": f"So I answer: {thinks}"}))
    options = ["--engine", "openai", "--base-url", served.url, "--prompt", "organ_captions_short", "--limit", 3]
    done = call("curate", examples / "reports.csv", "--out", tmp_path / "set", *options)
    assert done.exit_code == 0, done.output
    refused = rows(tmp_path / "set", "rejects")
    assert any("1,000,000 characters" in str(row["detail"]) for row in refused)
    assert max(len(str(row["caption"])) for row in refused) <= 300


def test_nonsense_from_first_to_last_is_no_success(tmp_path: Path, examples: Path, served: HostileServer) -> None:
    options = ["--engine", "openai", "--base-url", served.url, "--prompt", "organ_captions_short", "--limit", 3]
    served.behave = in_turn(then=says("Sure! The liver is normal."))
    done = call("curate", examples / "reports.csv", "--out", tmp_path / "set", *options, "--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["reports"] == 3 and "no JSON in the answer" in done.stderr
    served.behave = in_turn(then=says('{"captions": []}'))
    assert call("curate", examples / "reports.csv", "--out", tmp_path / "set2", *options).exit_code == 0
