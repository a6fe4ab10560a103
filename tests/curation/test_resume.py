"""Runs killed for real, again and again, end with the same files as one that was left alone."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.caption_set.manifest import load_manifest
from curation.caption_set.set_files import WORK_FOLDER
from curation.pipeline import CurateJob, curate
from tests.curation.fakes import fake_recipe, write_reports

ROOT = Path(__file__).resolve().parents[2]
REPORTS = 400
PER_PART = 40

# Makes a caption set with the fake engine. The last argument, if not 0, is the step that kills it: the n-th time that
# it flushes a file, gives one its name or keeps outcomes.
RUN = """
import os, signal, sys
from pathlib import Path
import curation.pipeline
from curation.runtime.errors import Interrupted
from curation.extraction.outcome_store import OutcomeStore
from curation.pipeline import CurateJob
from curation.pipeline import curate
from curation.runtime.progress import TerminalProgress
from tests.curation.fakes import fake_recipe

reports, out, log, per_part, seconds, inline, step = sys.argv[1:]
curation.pipeline.INLINE_REPORTS = int(inline)
left = int(step)

def killing(function):
    def call(*args):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args)
    return call

os.fsync, os.replace, OutcomeStore.keep = killing(os.fsync), killing(os.replace), killing(OutcomeStore.keep)
job = CurateJob(Path(reports), Path(out), workers=2, reports_per_part=int(per_part))
if __name__ == "__main__":
    print("started", flush=True)
    try:
        with TerminalProgress("reports") as progress:
            curate(job, fake_recipe(Path(log), float(seconds)), progress)
    except Interrupted:
        sys.exit(130)
"""


class Runs:
    """One caption set in the making, by processes that tests start and stop."""

    def __init__(self, folder: Path) -> None:
        self.reports = write_reports(folder / "reports.csv", REPORTS, distinct=REPORTS * 3 // 4)
        self.out = folder / "set"
        self.log = folder / "log"
        self.mark = uuid.uuid4().hex
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, seconds: float = 0.0, *, inline: bool = False, step: int = 0) -> subprocess.Popen[bytes]:
        """Start a run whose engine takes ``seconds`` for a report; returns when all is imported."""
        arguments = [self.reports, self.out, self.log, PER_PART, seconds, 10_000 if inline else 0, step]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OVCT_TEST_MARK": self.mark}
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, *map(str, arguments)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def processes(self) -> list[int]:
        """Processes of this set's runs, workers included, that have not ended."""
        return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and self._ours(path)]

    def _ours(self, path: Path) -> bool:
        try:
            return self.mark.encode() in (path / "environ").read_bytes()
        except OSError:
            return False

    def wait_until_gone(self) -> None:
        deadline = time.monotonic() + 20
        while self.processes():
            assert time.monotonic() < deadline, "worker processes outlive their run"
            time.sleep(0.02)

    def parts(self) -> int:
        return len(load_manifest(self.out).parts) if (self.out / "manifest.json").exists() else 0

    def files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.out)): path.read_bytes() for path in sorted(self.out.glob("*/*.parquet"))}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(tmp_path)
    yield runs
    for process in runs.started:
        with process:
            process.kill()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run gives that is left alone."""
    runs = Runs(tmp_path_factory.mktemp("expected"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("curation.pipeline.INLINE_REPORTS", REPORTS)
        curate(CurateJob(runs.reports, runs.out, reports_per_part=PER_PART), fake_recipe())
    return runs.files()


def check(runs: Runs, expected: dict[str, bytes]) -> None:
    manifest = load_manifest(runs.out)
    assert manifest.complete and manifest.counts.reports == REPORTS
    ids = pq.read_table(runs.out / "reports")["report_id"].to_pylist()
    assert ids == [f"scan_{number}.nii.gz" for number in range(REPORTS)]
    assert runs.files() == expected
    assert not (runs.out / WORK_FOLDER).exists()
    assert not list(runs.out.rglob("*.tmp"))


def test_killed_from_outside_at_random_moments(runs: Runs, expected: dict[str, bytes]) -> None:
    chance = random.Random(20261)
    progress = []
    for _ in range(5):
        process = runs.start(0.004)
        time.sleep(chance.uniform(0, 1))
        process.kill()
        process.wait()
        runs.wait_until_gone()
        progress.append(runs.parts())
    assert progress == sorted(progress)
    assert runs.start().wait() == 0
    check(runs, expected)


def test_killed_at_random_steps_of_writing(runs: Runs, expected: dict[str, bytes]) -> None:
    """Between any two steps that matter: before a flush, between the renames of a part, before the manifest's.

    tests/faults/test_kills.py kills a run at each of them.
    """
    chance = random.Random(1)
    killed = 0
    for _ in range(60):
        process = runs.start(inline=True, step=chance.randint(1, 40))
        if process.wait() == 0:
            break
        assert process.returncode == -signal.SIGKILL
        killed += 1
    assert killed >= 4
    check(runs, expected)
    extracted = runs.log.read_text().split()
    assert len(set(extracted)) == REPORTS * 3 // 4
    assert len(extracted) <= REPORTS * 3 // 4 + 64 * killed, "outcomes that were kept are extracted again"


@pytest.mark.parametrize(("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGTERM, True)])
def test_a_signal_stops_it_cleanly(runs: Runs, expected: dict[str, bytes], number: signal.Signals, group: bool) -> None:
    """Ctrl-C and batch systems signal all processes of a group, `kill` only one."""
    process = runs.start(0.008)
    while runs.parts() < 3:
        time.sleep(0.01)
    (os.killpg if group else os.kill)(process.pid, number)
    assert process.wait(timeout=20) == 130
    runs.wait_until_gone()
    assert 3 <= runs.parts() < REPORTS // PER_PART
    assert not list(runs.out.glob("*/.part*"))
    assert runs.start(inline=True).wait() == 0
    check(runs, expected)


def test_a_killed_worker_ends_the_run_and_loses_nothing(runs: Runs, expected: dict[str, bytes]) -> None:
    process = runs.start(0.008)
    while runs.parts() < 2:
        time.sleep(0.01)
    workers = [pid for pid in runs.processes() if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(workers[0], signal.SIGKILL)
    assert process.wait(timeout=20) == 1
    runs.wait_until_gone()
    assert runs.start(inline=True).wait() == 0
    check(runs, expected)


def test_a_second_run_is_refused_while_one_is_writing(runs: Runs) -> None:
    process = runs.start(0.008)
    while runs.parts() < 1:
        time.sleep(0.01)
    process.send_signal(signal.SIGSTOP)  # on a busy machine it could be done before the second run begins
    assert runs.start().wait() == 1
    process.send_signal(signal.SIGCONT)
    assert process.wait() == 0
    assert load_manifest(runs.out).complete
