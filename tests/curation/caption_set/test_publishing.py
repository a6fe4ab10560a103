"""Caption sets in a store: a real S3-compatible server over HTTP, which also throttles and drops requests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ovct
from curation.caption_set.manifest import Manifest
from curation.caption_set.merging import merge
from curation.caption_set.publishing import StorePublisher
from curation.caption_set.sharding import Shard
from curation.caption_set.work_folder import SetError
from curation.pipeline import CurateJob, CurateResult, curate
from curation.runtime import stores
from curation.runtime.errors import Interrupted, RunError
from curation.runtime.progress import Progress
from curation.runtime.store_cache import fetch, staging_folder
from curation.runtime.stores import StoreLocation
from tests.curation.fakes import fake_recipe, write_reports
from tests.curation.runtime.bucket import Bucket, connected_bucket, gladly, sometimes

ROOT = Path(__file__).resolve().parents[3]
SET = "s3://hospital/out/set"

pytestmark = [
    pytest.mark.usefixtures("in_this_process"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with connected_bucket(tmp_path / "cache", monkeypatch) as bucket:
        yield bucket


def run(reports: Path, progress: Progress | None = None, url: str = SET, **changes: Any) -> CurateResult:
    """Curate into the bucket."""
    progress = progress or Progress()
    publish = StorePublisher(url, staging_folder(url, progress), progress)
    changes = {"reports_per_part": 100} | changes
    return curate(CurateJob(reports, publish.root, publish=publish, **changes), fake_recipe(), progress)


def tables(objects: dict[str, bytes]) -> dict[str, bytes]:
    return {name.partition("set/")[2]: content for name, content in objects.items() if name.endswith(".parquet")}


def local(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.parquet")}


def expected(tmp_path: Path, reports: Path, **changes: Any) -> dict[str, bytes]:
    curate(CurateJob(reports, tmp_path / "here", **{"reports_per_part": 100} | changes), fake_recipe())
    return local(tmp_path / "here")


def test_from_a_store_to_a_store_with_the_command_line(bucket: Bucket, tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 60)
    bucket.put("in/reports.csv", reports.read_bytes())
    runner = CliRunner()
    done = runner.invoke(ovct.app, ["curate", "s3://hospital/in/reports.csv", "--out", SET])
    assert done.exit_code == 0 and f"In {SET}" in done.output, done.output
    here = runner.invoke(ovct.app, ["curate", str(reports), "--out", str(tmp_path / "here")])
    assert here.exit_code == 0
    objects = bucket.objects("out/")
    assert tables(objects) == local(tmp_path / "here")
    manifest = Manifest.model_validate_json(objects["out/set/manifest.json"])
    manifest_here = Manifest.model_validate_json((tmp_path / "here/manifest.json").read_bytes())
    assert manifest.complete and manifest.identity() == manifest_here.identity()
    assert {"out/set/README.md", "out/set/captions.png"} <= objects.keys()
    again = runner.invoke(ovct.app, ["curate", "s3://hospital/in/reports.csv", "--out", SET])
    assert again.exit_code == 0 and f"{SET} is complete" in again.output
    shown_again = runner.invoke(ovct.app, ["stats", SET, "--plot", str(tmp_path / "plot.png")])
    assert shown_again.exit_code == 0 and f"In {SET}" in shown_again.output
    accepted = f"{SET}/captions/part-00000.parquet"
    call = ["verify", "s3://hospital/in/reports.csv", accepted, "--out", str(tmp_path / "verified.parquet")]
    verified = runner.invoke(ovct.app, call)
    assert verified.exit_code == 0, verified.output
    texts = (content for name, content in bucket.objects("out/").items() if name.endswith((".md", ".json")))
    everything = b"".join(texts)
    assert b"a-secret" not in everything and b"127.0.0.1" not in everything


@pytest.mark.parametrize("seed", [1, 2])
def test_throttled_and_with_dropped_connections_the_same_set(bucket: Bucket, tmp_path: Path, seed: int) -> None:
    reports = write_reports(tmp_path / "reports.csv", 450)
    bucket.put("in/reports.csv", reports.read_bytes())
    bucket.behave = sometimes(0.3, seed)
    result = run(fetch("s3://hospital/in/reports.csv", Progress()))
    bucket.behave = gladly
    assert result.manifest.complete and sum(bucket.troubles.values()) > 5 and len(bucket.troubles) == 3
    assert tables(bucket.objects("out/")) == expected(tmp_path, reports)


def test_a_store_that_never_answers_ends_the_run_and_the_next_goes_on(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = write_reports(tmp_path / "reports.csv", 450)

    def fail() -> None:
        bucket.behave = lambda request: "throttle"

    monkeypatch.setattr(stores, "TRIES", 2)
    with pytest.raises(RunError, match=r"s3://hospital/out/set: gave up after 2 tries .*reduce your request rate"):
        run(reports, ActAfter(250, fail))
    bucket.behave = gladly
    before = Manifest.model_validate_json(bucket.objects("out/")["out/set/manifest.json"])
    assert before.counts.reports == 200 and not before.complete
    assert run(reports).manifest.complete
    assert tables(bucket.objects("out/")) == expected(tmp_path, reports)


class ActAfter(Progress):
    """Counts reports, and calls ``act`` after so many of them."""

    def __init__(self, reports: int, act: Any) -> None:
        self.left, self.act = reports, act

    def advance(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()


CHILD = """
import sys
from pathlib import Path
import curation.pipeline
from curation.pipeline import CurateJob
from curation.pipeline import curate
from curation.runtime.progress import Progress
from curation.caption_set.publishing import StorePublisher
from curation.runtime.store_cache import staging_folder
from tests.curation.fakes import fake_recipe
curation.pipeline.INLINE_REPORTS = sys.maxsize
reports, url = sys.argv[1:]
publish = StorePublisher(url, staging_folder(url, Progress()), Progress())
curate(CurateJob(Path(reports), publish.root, publish=publish, reports_per_part=100), fake_recipe(seconds=0.002))
"""


def test_killed_and_gone_on_with_on_another_machine(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = write_reports(tmp_path / "reports.csv", 1_000)
    child = tmp_path / "child.py"
    child.write_text(CHILD)
    process = subprocess.Popen(
        [sys.executable, str(child), str(reports), SET],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60
    while "out/set/captions/part-00003.parquet" not in bucket.objects("out/") and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = Manifest.model_validate_json(bucket.objects("out/")["out/set/manifest.json"])
    assert not left.complete and 3 <= len(left.parts) < 10
    monkeypatch.setenv("OVCT_CACHE", str(tmp_path / "other machine"))
    counted = ActAfter(10**9, None)
    assert run(reports, counted).manifest.complete
    assert 10**9 - counted.left == 1_000 - left.counts.reports
    assert tables(bucket.objects("out/")) == expected(tmp_path, reports)


def test_a_set_that_was_taken_away_or_never_begun_is_made_again(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = write_reports(tmp_path / "reports.csv", 150)
    monkeypatch.setattr(stores, "TRIES", 1)
    bucket.behave = lambda request: "throttle" if request["REQUEST_METHOD"] == "PUT" else None
    with pytest.raises(RunError, match="gave up after 1 tries"):
        run(reports)
    bucket.behave = gladly
    assert run(reports).manifest.complete
    for name in bucket.objects("out/"):
        bucket.client.delete_object(Bucket="hospital", Key=name)
    assert run(reports).manifest.complete
    assert tables(bucket.objects("out/")) == expected(tmp_path, reports)


def test_a_stop_in_the_middle_of_a_slow_store(bucket: Bucket, tmp_path: Path) -> None:
    class SlowStore(Progress):
        def raise_if_interrupted(self) -> None:
            if bucket.seen["PUT"] > 4:
                raise Interrupted

    with pytest.raises(Interrupted):
        run(write_reports(tmp_path / "reports.csv", 450), SlowStore())
    assert run(tmp_path / "reports.csv").manifest.complete


def test_two_runs_do_not_write_the_same_set(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = write_reports(tmp_path / "reports.csv", 450)

    def run_on_another_machine() -> None:
        monkeypatch.setenv("OVCT_CACHE", str(tmp_path / "other machine"))
        assert run(reports).manifest.complete

    with pytest.raises(RunError, match="was changed by another run: only one may write it"):
        run(reports, ActAfter(250, run_on_another_machine))
    assert tables(bucket.objects("out/")) == expected(tmp_path, reports)
    assert Manifest.model_validate_json(bucket.objects("out/")["out/set/manifest.json"]).complete


def test_the_disk_here_holds_one_part_and_a_shorter_set_leaves_nothing_of_a_longer_one(
    bucket: Bucket, tmp_path: Path
) -> None:
    reports = write_reports(tmp_path / "reports.csv", 450)
    most = list[int]()

    class PartCounter(Progress):
        def advance(self) -> None:
            most.append(len(list((tmp_path / "cache").rglob("part-*.parquet"))))

    run(reports, PartCounter())
    assert max(most) == 0 and len(tables(bucket.objects("out/"))) == 15
    with pytest.raises(SetError, match="made otherwise"):
        run(reports, limit=150)
    run(reports, limit=150, overwrite=True)
    assert tables(bucket.objects("out/")) == expected(tmp_path, reports, limit=150)
    bucket.client.delete_object(Bucket="hospital", Key="out/set/captions/part-00001.parquet")
    with pytest.raises(SetError, match=r"part-00001\.parquet is missing or not as it was written"):
        run(reports, limit=150)


def test_shards_in_a_store_are_merged_into_a_store(bucket: Bucket, tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 60)
    runner = CliRunner()
    for number in (1, 2):
        call = ["curate", str(reports), "--out", f"s3://hospital/shards/{number}", "--shard", f"{number}/2"]
        assert runner.invoke(ovct.app, call).exit_code == 0
    merged = runner.invoke(ovct.app, ["merge", "s3://hospital/shards/1", "s3://hospital/shards/2", "--out", SET])
    assert merged.exit_code == 0, merged.output
    assert runner.invoke(ovct.app, ["curate", str(reports), "--out", str(tmp_path / "here")]).exit_code == 0
    assert tables(bucket.objects("out/")) == local(tmp_path / "here")


def test_what_is_there_is_not_overwritten(bucket: Bucket, tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 20)
    bucket.put("out/set/thesis.docx", b"five years of work")
    with pytest.raises(SetError, match=r"holds no caption set \(thesis\.docx\)"):
        run(reports)
    with pytest.raises(SetError, match="is a file; name a folder"):
        run(reports, url="s3://hospital/out/set/thesis.docx")
    bucket.put("else/manifest.json", b'{"name": "a web page"}')
    with pytest.raises(SetError, match="that of something else"):
        run(reports, url="s3://hospital/else")
    assert bucket.objects("out/") == {"out/set/thesis.docx": b"five years of work"}


def flipped(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def test_a_file_that_was_replaced_in_the_store_is_found(bucket: Bucket, tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 150)
    run(reports)
    part = "out/set/captions/part-00001.parquet"
    whole = bucket.objects(part)[part]
    bucket.put(part, flipped(whole))
    with pytest.raises(SetError, match=rf"s3://hospital/{part} is not as it was written \(its sha256 has changed\)"):
        run(reports)
    bucket.put(part, whole)
    assert run(reports).already_done


def test_a_merged_set_in_a_store_is_made_anew_where_a_file_was_replaced(bucket: Bucket, tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 30)
    shard = tmp_path / "shard"
    curate(CurateJob(reports, shard, reports_per_part=10, shard=Shard(1, 1)), fake_recipe())
    told = Told()

    def merged() -> None:
        merge([shard], staging_folder(SET, told), told, publisher=StorePublisher(SET, staging_folder(SET, told), told))

    merged()
    whole = tables(bucket.objects("out/"))
    bucket.put("out/set/rejects/part-00000.parquet", flipped(whole["rejects/part-00000.parquet"]))
    merged()
    assert tables(bucket.objects("out/")) == whole and "made anew from the shards" in " ".join(told.sentences)


class Told(Progress):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.sentences = list[str]()

    def message(self, text: str) -> None:
        self.sentences.append(text)


@pytest.mark.parametrize("name", ["prompt.yaml", "site_lexicon.yaml", "skipped.jsonl"])
def test_a_file_of_others_in_a_set_of_a_store_stays(bucket: Bucket, tmp_path: Path, name: str) -> None:
    reports = write_reports(tmp_path / "reports.csv", 20)
    run(reports)
    bucket.put(f"out/set/{name}", b"mine")
    for overwrite in (False, True):
        with pytest.raises(SetError, match=rf"set/{name} is not what a run of this set put there"):
            run(reports, overwrite=overwrite)
    assert bucket.objects("out/set/")[f"out/set/{name}"] == b"mine"


def test_a_card_that_was_changed_in_the_store_stays(bucket: Bucket, tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "reports.csv", 20)
    run(reports)
    bucket.put("out/set/README.md", b"Mine")
    told = Told()
    assert run(reports, told, overwrite=True).manifest.complete
    assert bucket.objects("out/set/")["out/set/README.md"] == b"Mine" and "it stays as it is" in " ".join(
        told.sentences
    )


def test_a_store_that_tells_sizes_alone_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVCT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stores, "TIME_KEYS", ())
    monkeypatch.setattr(stores, "MARK_KEYS", ())
    reports, told = write_reports(tmp_path / "reports.csv", 30), Told()
    source = StoreLocation("memory://sizes/reports.csv", Progress())
    for folder in (source, StoreLocation("memory://sizes", Progress())):
        source.put(reports, "")
        fetch(folder.url, told)
        source.write("", reports.read_bytes().replace(b"normal", b"Normal"))
        fetched = fetch(folder.url, told)
        assert b"Normal" in (fetched if fetched.is_file() else fetched / "reports.csv").read_bytes()
        assert "neither a checksum nor a time, so that it is fetched each time" in told.sentences[-1]
    run(reports, url="memory://sizes/set")
    run(reports, told, url="memory://sizes/set")
    assert "memory://sizes/set: the store tells no times" in told.sentences[-1] and "sizes alone" in told.sentences[-1]


def test_the_digests_of_a_hub_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVCT_CACHE", str(tmp_path / "cache"))
    reports = write_reports(tmp_path / "reports.csv", 30)
    run(reports, url="memory://hub/set")
    publish = StorePublisher("memory://hub/set", staging_folder("memory://hub/set", Progress()), Progress())
    publish.begin()
    part = publish.root / "captions" / "part-00000.parquet"
    information = {"size": 3, "lfs": {"sha256": "0" * 64}, "blob_id": "1"}
    publish._files()["captions/part-00000.parquet"] = stores._stored_file("captions/part-00000.parquet", information)
    assert publish.changed_file({part: "0" * 64}, Told().message) is None
    assert publish.changed_file({part: "1" * 64}, Told().message) == part


@pytest.mark.parametrize(
    "moment", [86_400, 86_400.0, "1970-01-02T00:00:00Z", datetime(1970, 1, 2), datetime(1970, 1, 2, tzinfo=UTC)]
)
def test_times_as_stores_tell_them(moment: object) -> None:
    assert stores._seconds(moment) == 86_400
    assert stores._seconds("yesterday") is stores._seconds(None) is stores._seconds([]) is None


def test_any_store_that_fsspec_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVCT_CACHE", str(tmp_path / "cache"))
    reports = write_reports(tmp_path / "reports.csv", 250)
    StoreLocation("memory://in/reports.csv", Progress()).put(reports, "")
    run(fetch("memory://in/reports.csv", Progress()), url="memory://sets/one")
    location = StoreLocation("memory://sets/one", Progress())
    content = {file.name: location.read(file.name) for file in location.list_files() if file.name.endswith(".parquet")}
    assert content == expected(tmp_path, reports)


@pytest.mark.parametrize(
    "call",
    [
        ["audit", "s3://hospital/set"],
        ["verify", "r.csv", "c.csv", "--out", "s3://hospital/x.parquet"],
        ["train", "pretrain", "data", "--out", "s3://hospital/run"],
        ["evaluate", "data", "--checkpoint", "run", "--out", "s3://hospital/run"],
        ["segment", "ct.nii.gz", "--prompt", "liver", "--checkpoint", "run", "--out", "s3://hospital/mask.nii.gz"],
    ],
    ids=lambda call: call[0] + call[1][:6],
)
def test_what_is_made_on_this_machine_says_so(call: list[str]) -> None:
    done = CliRunner().invoke(ovct.app, call)
    assert done.exit_code == 2 and "this machine" in done.output and not Path("s3:").exists()
