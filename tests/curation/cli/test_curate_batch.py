"""`ovct curate --engine openai --batch`: the same captions as by single requests, and no batch sent twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import ovct
from curation.llm.batches import batch_engine
from curation.llm.batches.batch_work import BatchLimits
from tests.curation.fakes import answer, sentences, write_reports
from tests.curation.llm.batches.batch_service import BatchService, Body, Exchange, Outcome

ROOT = Path(__file__).resolve().parents[3]
QUICK = BatchLimits(settle=0.3, first_poll=0.05, longest_poll=0.1)
REPORTS = 12


def respond(body: Body) -> Outcome:
    """A caption for each sentence of a report, and one that no report holds; nothing more when asked again."""
    text = body["messages"][-1]["content"]
    if "ruptured" in text:
        return answer([])
    drafts = json.loads(sentences(text.partition("\n")[2]))["captions"]
    return answer([*((row["organ"], row["caption"]) for row in drafts), ("spleen", "The spleen is ruptured")])


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchService]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    monkeypatch.setattr(batch_engine, "BatchLimits", lambda: QUICK)
    service = BatchService(respond)
    yield service
    service.close()


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return write_reports(tmp_path / "reports.csv", REPORTS)


def arguments(service: BatchService, reports: Path, out: Path, *more: str) -> list[str]:
    how = ["--engine", "openai", "--base-url", service.url, "--prompt", "organ_captions_short", *more]
    return ["curate", str(reports), "--out", str(out), *how]


def run(service: BatchService, reports: Path, out: Path, *more: str) -> Result:
    return CliRunner().invoke(ovct.app, arguments(service, reports, out, *more))


def captions(out: Path) -> list[tuple[str, str, str]]:
    rows = pq.read_table(out / "captions", columns=["report_id", "organ", "caption"]).to_pylist()
    return [(row["report_id"], row["organ"], row["caption"]) for row in rows]


def test_rounds_are_batches_and_captions_are_those_of_single_requests(
    service: BatchService, reports: Path, tmp_path: Path
) -> None:
    result = run(service, reports, tmp_path / "batched", "--batch", "--repair", "1", "--prices", "1", "2")
    assert result.exit_code == 0, result.output
    first = result.stderr.index(f"a batch of {REPORTS - 1} requests")
    assert "by --prices" in result.stderr[first:] and "tokens in, at most" in result.stderr[first:]
    assert service.sizes == [REPORTS - 1, REPORTS], "a round of questions and one of repairs"
    assert len(service.chats) == 1
    assert not (tmp_path / "batched/.work").exists()
    assert run(service, reports, tmp_path / "single", "--repair", "1").exit_code == 0
    assert captions(tmp_path / "batched") == captions(tmp_path / "single") != []
    manifests = [json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("batched", "single")]
    assert manifests[0]["settings"] == manifests[1]["settings"]


@pytest.mark.parametrize("is_made", [False, True], ids=["before", "behind"])
def test_a_kill_between_upload_and_batch_sends_it_once(
    service: BatchService, reports: Path, tmp_path: Path, is_made: bool
) -> None:
    """The process is killed while the server makes the batch, or is about to."""
    processes: list[subprocess.Popen[bytes]] = []

    def kill(exchange: Exchange) -> bool:
        if is_made:
            service.make_batch(json.loads(exchange.content))
        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait(30)
        return exchange.hang_up()

    service.faults["create"] = [kill]
    script = (
        "import ovct, sys; from curation.llm.batches import batch_engine; "
        "from tests.curation.cli.test_curate_batch import QUICK; "
        "batch_engine.BatchLimits = lambda: QUICK; ovct.app(sys.argv[1:])"
    )
    out = tmp_path / "captions"
    given = arguments(service, reports, out, "--batch", "--workers", "1")
    with subprocess.Popen([sys.executable, "-c", script, *given], cwd=ROOT, env=os.environ) as process:
        processes.append(process)
        process.wait(120)
    assert process.returncode == -signal.SIGKILL
    assert len(service.batches) == is_made and (out / ".work/batches.sqlite").exists()
    time.sleep(0.1)
    result = run(service, reports, out, "--batch")
    assert result.exit_code == 0, result.output
    assert service.sizes == [REPORTS - 1] and len(service.chats) == 1
    assert len({report for report, _, _ in captions(out)}) == REPORTS


def test_overwrite_keeps_what_was_sent(service: BatchService, reports: Path, tmp_path: Path) -> None:
    service.states = ["in_progress", "cancelled"]
    service.respond = lambda body: None if "of 3 mm" in json.dumps(body) else respond(body)
    assert run(service, reports, tmp_path / "captions", "--batch").exit_code == 1
    service.states = ["completed"]
    service.respond = respond
    result = run(service, reports, tmp_path / "captions", "--batch", "--overwrite", "--license", "other")
    assert result.exit_code == 0, result.output
    assert service.sizes == [REPORTS - 1, 1] and len(service.chats) == 1


def test_what_does_not_go_with_batches_is_told(service: BatchService, reports: Path, tmp_path: Path) -> None:
    ray = run(service, reports, tmp_path / "a", "--batch", "--ray", "local")
    assert ray.exit_code == 2 and "--batch: of no use with --ray" in ray.stderr
    rules = CliRunner().invoke(ovct.app, ["curate", str(reports), "--out", str(tmp_path / "b"), "--batch"])
    assert rules.exit_code == 2 and "--batch: of no use to the engine rules" in rules.stderr
    vllm = CliRunner().invoke(
        ovct.app, ["curate", str(reports), "--out", str(tmp_path / "b"), "--engine", "vllm", "--model", "m", "--batch"]
    )
    assert vllm.exit_code == 2 and "--batch: of no use to the engine vllm" in vllm.stderr
