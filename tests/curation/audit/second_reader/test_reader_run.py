"""Second readers of a whole set: stored as they come, killed and resumed, disagreements first in the next sample."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ovct
from curation.audit.folder import audit_to_write, finished_set
from curation.audit.publish import html_report, write_results
from curation.audit.sample import SampleRequest
from curation.audit.sampling import DISPUTED_STRATUM
from curation.audit.second_reader.reader_run import ModelReader, reading_cost
from curation.audit.second_reader.readings import ReadingsError, readings_path, readings_to_read, readings_to_write
from curation.audit.summary import judged_captions, summarise
from curation.audit.tables import as_csv, audit_facts
from curation.caption_set.audit_results import AUDIT
from curation.engines.chat import Answer, EngineDown
from curation.llm.batches import batch_engine
from curation.llm.batches.batch_work import BatchLimits
from curation.runtime.errors import InputError, Interrupted, RunError
from curation.runtime.progress import Progress
from tests.curation.audit.builders import give_verdicts, open_audit, plain_reports, write_set
from tests.curation.audit.second_reader.reader_sets import (
    PROMPT,
    READER,
    changed,
    numbered,
    read_by,
    rightly,
    small_set,
    stored,
)
from tests.curation.fakes import FakeChat
from tests.curation.hostile_server import Act, ChatRequest, Exchange, HostileServer, answers
from tests.curation.llm.batches.batch_service import BatchService

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return small_set(tmp_path / "set")


class Noting(Progress):
    """Keeps warnings; stops the run after so many reports."""

    def __init__(self, stop: int | None = None) -> None:
        self.warnings: list[str] = []
        self._done = 0
        self._stop = stop

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def advance(self) -> None:
        self._done += 1

    def raise_if_interrupted(self) -> None:
        if self._stop is not None and self._done >= self._stop:
            raise Interrupted


def test_all_captions_of_a_report_are_asked_about_at_once_and_none_twice(root: Path) -> None:
    chat = FakeChat(rightly)
    run = read_by(root, chat)
    assert (
        len(chat.history) == 4
        and [len(numbered(question.messages[-1].content)) for question in chat.history] == [3] * 4
    )
    result = run.result
    assert (run.read_now, result.agrees, result.disagrees, result.unread, result.not_asked) == (12, 12, 0, 0, 0)
    assert (result.organ.percent, result.organ.kappa, result.status.kappa, result.status.ac1) == (1.0, 1.0, 1.0, 1.0)
    again = read_by(root, chat)
    assert again.read_now == 0 and len(chat.history) == 4 and again.result == result


def test_differences_are_counted_by_what_differs(root: Path) -> None:
    result = read_by(root, changed("cyst", organ="right kidney", said="no")).result
    assert (result.agrees, result.disagrees, result.organ_differs, result.status_differs, result.not_said) == (
        8,
        4,
        4,
        0,
        4,
    )
    assert result.organ.percent == pytest.approx(2 / 3) and result.status.percent == 1.0
    # Of three organs alike often one is always another: expected by chance is 2/9.
    assert result.organ.kappa == pytest.approx((2 / 3 - 2 / 9) / (1 - 2 / 9))
    marginals = [1 / 3, 1 / 3, 1 / 6, 1 / 6]
    chance = sum(share * (1 - share) for share in marginals) / 3
    assert result.organ.ac1 == pytest.approx((2 / 3 - chance) / (1 - chance))


def test_answers_that_cannot_be_read_are_counted_never_agree_and_are_asked_for_again(root: Path) -> None:
    run = read_by(root, lambda question: "I cannot say." if "3 mm" in question else rightly(question))
    result = run.result
    assert (run.read_now, result.agrees, result.unread, result.status.compared) == (9, 9, 3, 9)
    assert run.problems == [("no JSON in the answer: “I cannot say.”", 3)]
    chat = FakeChat(rightly)
    result = read_by(root, chat).result
    assert len(chat.history) == 1 and (result.agrees, result.unread) == (12, 0)


def test_a_stopped_run_and_a_server_that_goes_down_keep_what_they_have(root: Path) -> None:
    with pytest.raises(Interrupted):
        read_by(root, rightly, progress=Noting(stop=1))

    def down(question: str) -> str:
        raise EngineDown("the server is gone")

    with pytest.raises(RunError, match="the server is gone"):
        read_by(root, down)
    chat = FakeChat(rightly)
    assert read_by(root, chat).result.agrees == 12 and len(chat.history) == 3


def test_a_killed_run_goes_on_where_it_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    process: list[subprocess.Popen[bytes]] = []

    def behave(request: ChatRequest) -> Act:
        return kills if request.number == 3 and process[0].poll() is None else answers

    def kills(exchange: Exchange, request: ChatRequest) -> None:
        process[0].send_signal(signal.SIGKILL)
        exchange.drop()

    with HostileServer(lambda turns: rightly(turns[-1]["content"]), behave) as server:
        options = ["audit", str(root), "--second-reader", "openai", "--base-url", server.url, "--concurrency", "1"]
        command = [sys.executable, "-m", "ovct", *options]
        process.append(subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}))
        assert process[0].wait(120) == -signal.SIGKILL
        with readings_to_read(root, finished_set(root)) as store:
            assert store is not None
            kept = len(stored(store))
        done = CliRunner().invoke(ovct.app, options)
        asked = Counter(request.question for request in server.answered)
    assert kept in (6, 9) and done.exit_code == 0, done.output
    assert f"{12 - kept} captions of {4 - kept // 3} reports to read" in done.stdout
    assert f"{12 - kept} captions read now; of 12 captions 12 read alike, none otherwise" in done.stdout
    assert len(asked) == 4 and max(asked.values()) <= 2
    assert "begins with the captions that are read otherwise" in done.stdout


def test_what_it_will_cost_is_shown_first_and_alone_if_asked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    with HostileServer(lambda turns: rightly(turns[-1]["content"])) as server:
        options = ["audit", str(root), "--second-reader", "openai", "--base-url", server.url]
        shown = CliRunner().invoke(ovct.app, [*options, "--cost"])
        assert not server.log
        done = CliRunner().invoke(ovct.app, options)
        sent = sum(len(turn["content"]) for request in server.log for turn in request.turns) // 4
    line = shown.stdout.splitlines()[0]
    assert "12 captions of 4 reports to read, in 4 requests of about " in line and len(shown.stdout.splitlines()) == 1
    assert done.stdout.splitlines()[0] == line
    tokens = int(line.partition("about ")[2].partition(" tokens")[0].replace(",", ""))
    assert tokens == pytest.approx(sent, rel=0.02)
    assert "kappa 1.00" in done.stdout


def test_the_summary_has_the_agreement_before_a_sample_is_drawn(root: Path) -> None:
    untouched = CliRunner().invoke(ovct.app, ["audit", str(root), "--summary"])
    assert untouched.exit_code == 2 and "has not been audited yet" in untouched.stderr
    read_by(root, changed("liver", organ="aorta"))
    shown = CliRunner().invoke(ovct.app, ["audit", str(root), "--summary"])
    assert shown.exit_code == 0, shown.output
    assert "kappa" in shown.stdout and "AC1" in shown.stdout and "No caption was reviewed yet" in shown.stdout
    assert CliRunner().invoke(ovct.app, ["audit", str(root), "--summary", "--json"]).exit_code == 2


def test_long_lists_cost_several_requests(tmp_path: Path) -> None:
    report, captions, _ = next(iter(plain_reports(1)))
    many = [captions[0]._replace(caption=f"The liver is normal ({number})") for number in range(45)]
    write_set(tmp_path / "set", [(report, [*many, many[0]], [])])
    manifest = finished_set(tmp_path / "set")
    with readings_to_write(tmp_path / "set", manifest) as store:
        cost = reading_cost(tmp_path / "set", manifest, store, READER, PROMPT, Progress())
    assert (cost.reports, cost.captions, cost.requests) == (1, 46, 3)


def test_a_set_that_has_changed_is_read_anew(root: Path) -> None:
    read_by(root, changed("cyst", said="no"))
    write_set(root.parent / "other", plain_reports(5))
    for file in (root / AUDIT).iterdir():
        (root.parent / "other" / AUDIT).mkdir(exist_ok=True)
        file.rename(root.parent / "other" / AUDIT / file.name)
    with readings_to_read(root.parent / "other", finished_set(root.parent / "other")) as store:
        assert store is None


def test_one_process_reads_at_a_time_and_a_damaged_file_is_told(root: Path) -> None:
    manifest = finished_set(root)
    with readings_to_write(root, manifest), pytest.raises(InputError, match=r"is reading .* already"):
        read_by(root)
    readings_path(root, manifest).write_bytes(b"no database, and long enough to be one" * 9)
    with pytest.raises(ReadingsError, match="damaged or holds no readings"):
        read_by(root)


def test_a_model_without_room_for_the_prompt_is_not_asked(root: Path) -> None:
    chat = FakeChat(rightly)
    chat.context = 256
    with pytest.raises(InputError, match="the second reader's prompt alone has about"):
        read_by(root, chat)
    assert not chat.history and chat.closed


# -- the sample and the summary ----------------------------------------------------------------------------------------


def test_the_next_sample_begins_with_the_disagreements(tmp_path: Path) -> None:
    root = small_set(tmp_path / "set", 30)
    read_by(root, changed("1 mm cyst", status="normal"))  # 11, 21 and 31 mm
    with open_audit(root, sample=SampleRequest(20)) as store:
        captions = [store.caption_of(item).caption for item in range(1, 21)]
        assert all("1 mm cyst" in text for text in captions[:3]) and not any(
            "1 mm cyst" in text for text in captions[3:]
        )
        assert store.sampled_in(DISPUTED_STRATUM) == 3
        give_verdicts(store, "ann", ["hallucinated"] * 3)
        early = summarise(store, "g").hallucination
        assert early.rate is None and early.hits == 3 and early.high > 0.95
        give_verdicts(store, "ann", ["hallucinated"] * 3 + ["supported"] * 17)
        results = write_results(root, store)
        weights = Counter({row.item: row.weight for row in judged_captions(store)})
        assert weights.total() == pytest.approx(90) and weights[1] == pytest.approx(1)
    assert results.hallucination.rate == pytest.approx(3 / 90)
    assert {name: share.rate for name, share in results.by_second_reader.items()} == {
        "second reader disagrees": 1.0, "all others": 0.0,
    }  # fmt: skip
    (reader,) = results.second_readers
    assert (reader.reader, reader.disagrees, reader.status_differs) == (READER, 3, 3)
    stored_summary = json.loads((root / AUDIT / "summary.json").read_text())
    assert stored_summary["second_readers"][0]["status"]["kappa"] == reader.status.kappa
    sentence = "of 90 captions 87 read alike, 3 otherwise (status 3)"
    assert audit_facts(results)[f"second reader {READER}"] == sentence
    page = html_report("set", results, [])
    assert sentence in page and f"the set, {READER}" in page
    assert f'ac1,"the set, {READER}: status",{reader.status.ac1}' in as_csv(results)


def test_a_sample_that_was_drawn_stays_and_one_that_grows_keeps_its_strata(tmp_path: Path) -> None:
    root = small_set(tmp_path / "set", 30)
    read_by(root, changed("1 mm cyst", status="normal"))
    with open_audit(root, sample=SampleRequest(4)) as store:
        first = [store.caption_of(item).caption for item in range(1, 5)]
    read_by(root, changed("cyst", status="normal"), name="another reader")
    with open_audit(root, sample=SampleRequest(10)) as store:
        assert [store.caption_of(item).caption for item in range(1, 5)] == first
        assert len(store.disputed_rows()) == 3 and store.sampled_in(DISPUTED_STRATUM) == 3
        assert "1 mm cyst" in store.caption_of(5).caption


def test_an_unfinished_reading_is_told_when_a_sample_is_drawn(root: Path) -> None:
    with pytest.raises(Interrupted):
        read_by(root, changed("cyst", said="no"), progress=Noting(stop=1))
    progress = Noting()
    with audit_to_write(root, SampleRequest(4), progress) as store:
        assert store.sampled_in(DISPUTED_STRATUM) == 1
    assert ["has been asked about 3 of 12 captions" in text for text in progress.warnings] == [True]


def test_without_a_second_reader_the_summary_has_none(root: Path) -> None:
    with open_audit(root) as store:
        give_verdicts(store, "ann", ["supported"] * 12)
        results = write_results(root, store)
    assert results.second_readers == () and results.by_second_reader == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--second-reader", "gpt"), "--second-reader gpt: there are radgraph, openai and vllm"),
        (("--second-reader", "openai", "--judge", "openai"), "--judge and --second-reader: one at a time"),
        (("--second-reader", "openai", "--prompt", "x"), "--prompt: a second reader has one of its own"),
        (
            ("--second-reader", "openai", "--sample", "9", "--redraw"),
            "--redraw, --sample: of no use to --second-reader",
        ),
        (
            ("--second-reader", "radgraph", "--base-url", "http://x"),
            "--base-url: of no use to --second-reader radgraph",
        ),
        (("--cost",), "--cost: only with --second-reader"),
        (("--batch",), "--batch: only with --second-reader"),
        (("--second-reader", "radgraph", "--batch"), "--batch: of no use to --second-reader radgraph"),
        (("--second-reader", "vllm", "--model", "m", "--batch"), "--batch: of no use to the engine vllm"),
    ],
)
def test_options_that_do_not_go_together(root: Path, options: tuple[str, ...], message: str) -> None:
    done = CliRunner().invoke(ovct.app, ["audit", str(root), *options])
    assert done.exit_code == 2 and message in done.stderr and not (root / AUDIT).exists()


def test_tokens_are_counted_over_all_runs(root: Path) -> None:
    def respond(question: str) -> Answer:
        return Answer(rightly(question), "stop", 50, 7)

    with pytest.raises(Interrupted):
        read_by(root, respond, progress=Noting(stop=1))
    tokens = read_by(root, respond).tokens
    assert tokens.requests >= 4 and (tokens.prompt, tokens.completion) == (50 * tokens.requests, 7 * tokens.requests)
    assert ModelReader.asks_said


def test_a_set_is_read_by_batches_and_what_is_out_is_awaited(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    monkeypatch.setattr(batch_engine, "BatchLimits", lambda: BatchLimits(settle=0.2, first_poll=0.02))
    service = BatchService(lambda body: rightly(body["messages"][-1]["content"]))
    options = ["audit", str(root), "--second-reader", "openai", "--batch", "--base-url", service.url]
    try:
        service.states = ["in_progress", "cancelled"]
        service.respond = lambda body: None if service.batches else "no JSON"
        assert CliRunner().invoke(ovct.app, options).exit_code == 1
        service.states = ["in_progress", "completed"]
        service.respond = lambda body: rightly(body["messages"][-1]["content"])
        first = CliRunner().invoke(ovct.app, options)
        done = CliRunner().invoke(ovct.app, options)
    finally:
        service.close()
    assert done.exit_code == 0, done.output
    assert "3 captions without a usable reading" in first.stderr, "an answer that was awaited, and is none"
    assert "of 12 captions 12 read alike" in done.stdout, "asked once more where there was no usable answer"
    assert (root / AUDIT / "batches.sqlite").stat().st_mode & 0o777 == 0o600
