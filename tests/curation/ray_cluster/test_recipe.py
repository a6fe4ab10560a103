"""`ovct curate --ray` on a real local cluster: the rows of one machine, whatever happens to the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.caption_set.manifest import load_manifest
from curation.extraction.text_engine import rules_recipe
from curation.language.site_words import SiteWords
from curation.pipeline import CurateJob, curate
from curation.ray_cluster import recipe
from curation.ray_cluster.cluster import connected
from curation.ray_cluster.recipe import RayRecipe
from curation.runtime.errors import InputError, Interrupted, RunError
from curation.runtime.progress import Progress
from tests.curation.cli.test_hostile_curate import recipe as hostile_recipe
from tests.curation.cli.test_hostile_curate import respond
from tests.curation.crashing_engine import deadly_recipe, eventually, workers_of_ray
from tests.curation.fakes import fake_recipe, write_reports
from tests.curation.hostile_server import HostileServer, answers
from tests.curation.server_faults import fails

ray = pytest.importorskip("ray", reason="needs the extra ray")
ROOT = Path(__file__).resolve().parents[3]
TABLES = ("reports", "captions", "rejects")

pytestmark = [
    pytest.mark.usefixtures("in_this_process"),  # what the cluster's rows are held against
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated.*"),
]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make many batches of few reports."""
    monkeypatch.setattr(recipe, "BATCH_OF_TEXT", 1)
    monkeypatch.setattr(recipe, "BATCH_OF_CHATS", 1)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Start three workers on this machine, which the tests' `local` then joins."""
    with connected("local", 3):
        yield


def files(out: Path) -> dict[str, bytes]:
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for name in TABLES for path in (out / name).iterdir()}


def manifest(out: Path) -> dict[str, Any]:
    """All fields of a manifest but its times, and the digests of what tells them."""
    fields = load_manifest(out).model_dump()
    return {name: value for name, value in fields.items() if name not in ("seconds", "finished", "files", "sha256")}


class RecordingProgress(Progress):
    """Keeps messages, and calls ``act`` after so many reports."""

    def __init__(self, after: int = -1, act: Any = None) -> None:
        self.messages, self.done, self.after, self.act = list[str](), 0, after, act

    def message(self, text: str) -> None:
        self.messages.append(text)

    def advance(self) -> None:
        self.done += 1
        if self.done == self.after:
            self.act()


def test_800_reports_by_rules_give_the_files_of_one_machine(tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 800)
    curate(CurateJob(reports, tmp_path / "one"), rules_recipe())
    progress = RecordingProgress()
    curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(rules_recipe(), "local", 2), progress)
    assert files(tmp_path / "ray") == files(tmp_path / "one")
    assert manifest(tmp_path / "ray") == manifest(tmp_path / "one")
    assert progress.messages == []
    assert curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(rules_recipe(), "local")).already_done


def test_workers_of_the_cluster_know_the_words_of_a_site(tmp_path: Path) -> None:
    reports = tmp_path / "reports.csv"
    reports.write_text("report_id,report\na,A klump in the liver.\nb,Klump of the spleen.\n", encoding="utf-8")
    recipe = rules_recipe(SiteWords(b"synonyms: [[mass, klump]]\nimplied_organ: {onion sign: liver}"))
    curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(recipe, "local", 1))
    curate(CurateJob(reports, tmp_path / "one"), recipe)
    assert files(tmp_path / "ray") == files(tmp_path / "one")


def test_the_same_text_is_worked_on_once(tmp_path: Path) -> None:
    reports, log = write_reports(tmp_path / "reports.csv", 500, distinct=70), tmp_path / "log"
    curate(CurateJob(reports, tmp_path / "one"), fake_recipe())
    curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(fake_recipe(log), "local"))
    assert files(tmp_path / "ray") == files(tmp_path / "one")
    assert len(log.read_text().splitlines()) == 70


def test_workers_that_are_killed_cost_no_row(tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 2_000)
    curate(CurateJob(reports, tmp_path / "one"), fake_recipe())

    class KillingProgress(RecordingProgress):
        """Kills workers several times, because a kill may hit a worker between two batches."""

        def advance(self) -> None:
            self.done += 1
            if self.done in (200, 400, 600, 800, 1_000, 1_200):
                if self.done == 200:  # later on a fast worker may have done all there is
                    eventually(lambda: bool(workers_of_ray()))
                time.sleep(0.15)  # an outcome has just come: into the middle of the next batch
                for process in workers_of_ray()[:2]:
                    os.kill(process, signal.SIGKILL)

    progress = KillingProgress()
    curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(fake_recipe(seconds=0.005), "local"), progress)
    assert files(tmp_path / "ray") == files(tmp_path / "one")
    assert any("were begun again" in message for message in progress.messages)


def test_a_read_task_that_is_killed_costs_no_row(tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 1_500)
    curate(CurateJob(reports, tmp_path / "one"), fake_recipe())

    def kill() -> None:
        for process in workers_of_ray("ReadQueuedBatches"):
            os.kill(process, signal.SIGKILL)

    curate(
        CurateJob(reports, tmp_path / "ray"),
        RayRecipe(fake_recipe(seconds=0.002), "local"),
        RecordingProgress(300, kill),
    )
    assert files(tmp_path / "ray") == files(tmp_path / "one")


def test_a_poisoned_report_is_rejected_and_no_other(tmp_path: Path) -> None:
    good = write_reports(tmp_path / "reports.csv", 2_000)
    lines = good.read_text().splitlines()
    lines[778] = lines[778].replace("The liver is normal.", "The liver is normal. POISON.")
    reports = tmp_path / "poisoned" / "reports.csv"
    reports.parent.mkdir()
    reports.write_text("\n".join(lines) + "\n")
    curate(CurateJob(reports, tmp_path / "one"), fake_recipe())
    curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(deadly_recipe(), "local"))
    expected = [
        row for row in pq.read_table(tmp_path / "one/captions").to_pylist() if row["report_id"] != "scan_777.nii.gz"
    ]
    assert pq.read_table(tmp_path / "ray/captions").to_pylist() == expected
    rejects = pq.read_table(tmp_path / "ray/rejects").to_pylist()
    assert [(row["report_id"], row["reason"]) for row in rejects] == [("scan_777.nii.gz", "engine_error")]
    assert "worker process died" in rejects[0]["detail"]
    assert load_manifest(tmp_path / "ray").counts.reports == 2_000


def test_a_stop_keeps_what_is_done_and_the_next_run_goes_on_on_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports, log = write_reports(tmp_path / "reports.csv", 600), tmp_path / "log"
    job = CurateJob(reports, tmp_path / "set", reports_per_part=200)
    curate(CurateJob(reports, tmp_path / "one", reports_per_part=200), fake_recipe())

    def stop() -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        curate(job, RayRecipe(fake_recipe(log, seconds=0.01), "local"), RecordingProgress(450, stop))
    before = len(log.read_text().splitlines())
    assert load_manifest(tmp_path / "set").counts.reports == 400 and before < 600
    curate(job, fake_recipe(log))
    assert files(tmp_path / "set") == files(tmp_path / "one")
    assert manifest(tmp_path / "set") == manifest(tmp_path / "one")
    # What had come back was not asked for again.
    assert len(log.read_text().splitlines()) - before < 600 - 400


def test_a_server_is_asked_by_actors_and_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-written-anywhere-0123456789")
    reports = write_reports(tmp_path / "reports.csv", 90)
    with HostileServer(respond) as hostile:
        curate(CurateJob(reports, tmp_path / "one"), hostile_recipe(hostile))
        answered = len(hostile.answered)
        curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(hostile_recipe(hostile), "local", 2))
        assert len(hostile.answered) == 2 * answered
    for table in (*TABLES, "responses"):
        assert pq.read_table(tmp_path / "ray" / table) == pq.read_table(tmp_path / "one" / table)
    here, on_ray = (load_manifest(tmp_path / name) for name in ("one", "ray"))
    assert here.usage and on_ray.usage and here.counts == on_ray.counts
    assert here.usage.questions == on_ray.usage.questions
    assert here.usage.completion_tokens == on_ray.usage.completion_tokens
    assert here.usage.first_accept_rate == on_ray.usage.first_accept_rate


def test_what_got_no_answer_is_asked_alone_when_it_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-written-anywhere-0123456789")
    reports = write_reports(tmp_path / "reports.csv", 60)
    with HostileServer(respond, lambda asked: fails(422) if "of 7 mm" in asked.question else answers) as hostile:
        first = curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(hostile_recipe(hostile), "local", 1))
        assert first.manifest.counts.rejects["engine_error"] == 1
        hostile.behave = lambda asked: answers
        before = len(hostile.log)
        again = curate(
            CurateJob(reports, tmp_path / "ray", overwrite=True), RayRecipe(hostile_recipe(hostile), "local", 1)
        )
        assert len(hostile.log) == before + 1
        curate(CurateJob(reports, tmp_path / "one"), hostile_recipe(hostile))
    assert "engine_error" not in again.manifest.counts.rejects
    assert files(tmp_path / "ray") == files(tmp_path / "one")


def test_a_server_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 90)
    with HostileServer(respond) as hostile:
        gone = hostile_recipe(hostile, attempts=2)
    with pytest.raises((RunError, InputError)):
        curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(gone, "local", 2))


def test_the_command_line_killed_and_gone_on_with(tmp_path: Path) -> None:
    """The process and its cluster go down together; what came back before is there for the next run."""
    reports = write_reports(tmp_path / "reports.csv", 1_500)
    curate(CurateJob(reports, tmp_path / "one"), rules_recipe())
    call = [sys.executable, "-m", "ovct", "curate", str(reports), "--out", "ray", "--ray", "local", "--workers", "2"]
    log = tmp_path / "stderr"
    with log.open("w") as errors:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        run = subprocess.Popen(call, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        store = tmp_path / "ray/.work/outcomes.sqlite-wal"
        eventually(lambda: store.exists() and store.stat().st_size > 100_000, 120)
        run.kill()
        run.wait()
    assert "Traceback" not in log.read_text() and "WARNING" not in log.read_text()
    assert not load_manifest(tmp_path / "ray").complete
    curate(CurateJob(reports, tmp_path / "ray"), RayRecipe(rules_recipe(), "local", 2))
    assert files(tmp_path / "ray") == files(tmp_path / "one")
