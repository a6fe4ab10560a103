import os
import random
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.caption import OutcomeColumns
from curation.caption_set import writer as caption_set
from curation.caption_set.manifest import CurationSettings, InputFingerprint, Manifest, load_manifest
from curation.caption_set.work_folder import SetError
from curation.caption_set.writer import open_set
from curation.pipeline import CurateJob, curate
from curation.report import Report
from curation.runtime.digests import do_nothing
from tests.curation.fakes import fake_recipe, write_reports

SOURCE = InputFingerprint(name="r.csv", files=1, bytes=9, sha256="a" * 64)
SETTINGS = CurationSettings(ovct="1", engine="fake", vocabulary="b" * 64, lexicon="c", reports_per_part=2)
CAPTION = ("liver", "Liver is normal.", "normal", 0, 16, "findings", 100.0, "rules", ())
OUTCOME = OutcomeColumns([[value] for value in CAPTION], [])


def report(number: int) -> Report:
    return Report(f"r{number}", f"Liver is normal. {number}", (), {}, number)


def fill(root: Path, numbers: range, finish: bool = True) -> None:
    with open_set(root, SOURCE, SETTINGS, []) as captions:
        for number in numbers:
            captions.add(report(number), OUTCOME)
        if finish:
            captions.finish(0, 0, iter(()))


def test_a_run_goes_on_behind_the_finished_parts(tmp_path: Path) -> None:
    root = tmp_path / "set"
    fill(root, range(1, 6), finish=False)
    assert (root / ".work" / "lock").exists()
    with open_set(root, SOURCE, SETTINGS, []) as captions:
        assert (captions.reports_done, captions.last_row) == (4, 4)
        captions.add(report(5), OUTCOME)
        captions.finish(1, 2, iter([b"{}\n"]))
    ids = pq.read_table(root / "reports")["report_id"].to_pylist()
    assert ids == [f"r{number}" for number in range(1, 6)]
    manifest = load_manifest(root)
    assert (manifest.skipped, manifest.warnings, manifest.complete) == (1, 2, True)
    assert (root / "skipped.jsonl").read_text() == "{}\n"
    assert not (root / ".work").exists()


def test_leftovers_of_killed_runs_are_removed(tmp_path: Path) -> None:
    root = tmp_path / "set"
    fill(root, range(1, 4), finish=False)
    leftovers = [
        root / "captions" / "part-00001.parquet",
        root / "reports" / "part-00007.parquet",
        root / "reports" / ".part-00001.parquet.tmp",
    ]
    others = [root / "captions" / "mine.parquet", root / "captions" / "part-1.csv"]
    for path in leftovers + others:
        path.write_text("x")
    fill(root, range(3, 5))
    assert not any(path.exists() for path in leftovers[1:])
    assert all(path.exists() for path in others)
    assert pq.read_table(root / "captions" / "part-00001.parquet").num_rows == 2


def test_a_long_manifest_is_not_written_for_each_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names all parts, so writing it for each would take the square of their number."""
    monkeypatch.setattr(caption_set, "PARTS_PER_SAVE", 3)
    saved, save = list[int](), Manifest.save

    def counted(manifest: Manifest, root: Path, check: Callable[[], None] = do_nothing) -> None:
        saved.append(len(manifest.parts))
        save(manifest, root, check)

    monkeypatch.setattr(Manifest, "save", counted)
    root = tmp_path / "set"
    fill(root, range(1, 42), finish=False)
    assert saved == [0, 1, 2, 3, 4, 5, 6, 8, 9, 12, 15, 18]
    assert len(load_manifest(root).parts) == 18
    fill(root, range(37, 44))
    manifest = load_manifest(root)
    assert len(manifest.parts) == 22 and manifest.counts.reports == 43
    assert pq.read_table(root / "reports")["report_id"].to_pylist() == [f"r{number}" for number in range(1, 44)]


@contextmanager
def small_files(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("row", "failing"),
    [
        ("big,Liver is normal. NOISE,,1\n", sqlite3.OperationalError),
        ("big,Liver is normal.,,NOISE\n", OSError),
    ],
)
def test_a_disk_that_takes_no_more_keeps_what_is_finished(tmp_path: Path, row: str, failing: type[Exception]) -> None:
    """A limit on the size of files fails a write as a full disk does, and needs no disk of its own."""
    reports = write_reports(tmp_path / "r.csv", 20)
    with reports.open("a") as file:
        file.write(row.replace("NOISE", random.Random(1).randbytes(300_000).hex()))
    job = CurateJob(reports, tmp_path / "set", reports_per_part=10)
    with small_files(200_000), pytest.raises(failing):
        curate(job, fake_recipe())
    manifest = load_manifest(job.out)
    assert [part.reports for part in manifest.parts] == [10, 10]
    assert not list(job.out.glob("*/.part*"))
    assert curate(job, fake_recipe()).manifest.counts.reports == 21


def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    """Root may write in any folder of a disk, but not in one of the kernel's."""
    closed = tmp_path if os.geteuid() else Path("/sys")
    if os.geteuid():
        closed.chmod(0o555)
    with pytest.raises(SetError, match=f"cannot write to {closed}/set: .*not permitted|denied|[Rr]ead-only"):
        fill(closed / "set", range(1))
    tmp_path.chmod(0o755)
