"""Shards, each made on its own, and the one set that they are together."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import curation.caption_set.merging
from curation.caption_set.card import with_file
from curation.caption_set.manifest import Manifest, load_manifest
from curation.caption_set.merging import merge
from curation.caption_set.sharding import Shard
from curation.caption_set.work_folder import SetError
from curation.pipeline import CurateJob, curate
from curation.runtime.errors import InputError
from tests.curation.fakes import fake_recipe, write_reports
from tests.curation.test_pipeline import files

COUNT = 3


def sharded(folder: Path, reports: Path, count: int = COUNT, **changes: Any) -> list[Path]:
    """All shards of a set, the last one first."""
    folders = []
    for number in range(count, 0, -1):
        job = CurateJob(reports, folder / f"shard-{number}", workers=1, reports_per_part=5, shard=Shard(number, count))
        curate(replace(job, **changes), fake_recipe())
        folders.append(job.out)
    return folders


def single_run(folder: Path, reports: Path, **changes: Any) -> Path:
    job = CurateJob(reports, folder / "whole", workers=1, reports_per_part=5)
    curate(replace(job, **changes), fake_recipe())
    return job.out


def without_times(manifest: Manifest) -> dict[str, object]:
    """All but when and how long, which the data card tells too."""
    return manifest.model_dump(exclude={"seconds": True, "finished": True, "files": {"README.md"}})


def card(root: Path) -> str:
    """Without the time of day."""
    return re.sub(r"\d{4}-\d\d-\d\dT\S+", "", (root / "README.md").read_text())


@pytest.mark.parametrize(("reports", "count"), [(47, 3), (45, 3), (15, 3), (3, 4), (47, 1)])
def test_merged_is_what_one_run_makes(tmp_path: Path, reports: int, count: int) -> None:
    source = write_reports(tmp_path / "reports.csv", reports, distinct=20)
    whole_set = single_run(tmp_path, source)
    merged = tmp_path / "merged"
    manifest = merge(sharded(tmp_path, source, count), merged)
    assert files(merged) == files(whole_set) and len(files(whole_set)) >= 3
    assert without_times(load_manifest(merged)) == without_times(
        load_manifest(whole_set)
    ) and manifest == load_manifest(merged)
    assert card(merged) == card(whole_set)
    assert not list(merged.rglob(".*"))


def test_limit_and_bad_rows_are_those_of_the_whole(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "reports.csv", 30)
    lines = source.read_text().splitlines()
    lines[3] = lines[2]  # an id twice, in another shard than most
    source.write_text("\n".join(lines) + "\n")
    whole_set = single_run(tmp_path, source, limit=22)
    merge(sharded(tmp_path, source, limit=22), tmp_path / "merged")
    assert files(tmp_path / "merged") == files(whole_set)
    manifest = load_manifest(tmp_path / "merged")
    assert without_times(manifest) == without_times(load_manifest(whole_set)) and manifest.skipped
    assert (tmp_path / "merged" / "skipped.jsonl").read_bytes() == (whole_set / "skipped.jsonl").read_bytes()


def test_a_shard_goes_on_where_it_was(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "reports.csv", 40)
    job = CurateJob(source, tmp_path / "set", workers=1, reports_per_part=5, shard=Shard(2, 3))
    with pytest.raises(SetError, match=r"shard: 2/3 then, 1/3 now"):
        curate(job, fake_recipe())
        curate(replace(job, shard=Shard(1, 3)), fake_recipe())
    rows, before = files(job.out), load_manifest(job.out)
    before.model_copy(update={"complete": False, "parts": before.parts[:1], "counts": before.counts}).save(job.out)
    first = before.parts[0]
    counts = before.counts.model_copy(update={"reports": first.reports})
    before.model_copy(update={"complete": False, "parts": (first,), "counts": counts}).save(job.out)
    curate(job, fake_recipe())
    assert files(job.out) == rows and load_manifest(job.out).parts == before.parts


def test_merging_again_changes_nothing_and_a_stop_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_reports(tmp_path / "reports.csv", 47)
    shards, merged = sharded(tmp_path, source), tmp_path / "merged"
    real, left = curation.caption_set.merging._link_or_copy, [4]

    def stops(source: Path, target: Path) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(curation.caption_set.merging, "_link_or_copy", stops)
    with pytest.raises(KeyboardInterrupt):
        merge(shards, merged)
    assert not load_manifest(merged).complete
    monkeypatch.undo()
    first = merge(shards, merged)
    assert files(merged) == files(single_run(tmp_path, source)) and merge(shards[::-1], merged) == first
    with pytest.raises(SetError, match="holds another caption set"):
        merge(sharded(tmp_path / "other", write_reports(tmp_path / "others.csv", 20)), merged)


def test_the_shards_are_left_as_they_were(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "reports.csv", 47)
    shards = sharded(tmp_path, source)
    before = [files(shard) for shard in shards]
    merged = tmp_path / "merged"
    merge(shards, merged)
    curate(CurateJob(source, merged, workers=1, reports_per_part=5, overwrite=True), fake_recipe())
    assert [files(shard) for shard in shards] == before
    shutil.rmtree(merged)
    assert [files(shard) for shard in shards] == before


def test_shards_replayed_at_different_times_are_merged(tmp_path: Path) -> None:
    """Only the words and the program decide the rows of a replay, not its time; the set says when the last one was."""
    shards = sharded(tmp_path, write_reports(tmp_path / "reports.csv", 47))
    for shard, time in zip(shards, ["2026-01-01T10:00:01+00:00", None, "2026-01-01T10:00:02+00:00"], strict=True):
        load_manifest(shard).model_copy(update={"replayed": time}).save(shard)
    assert merge(shards, tmp_path / "merged").replayed == "2026-01-01T10:00:02+00:00"
    assert files(tmp_path / "merged") == files(single_run(tmp_path, tmp_path / "reports.csv"))


def test_nothing_of_another_set_is_left(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "reports.csv", 20)
    merged = single_run(tmp_path, write_reports(tmp_path / "others.csv", 47))
    (merged / "responses").mkdir()
    leftovers = [merged / name for name in ("prompt.yaml", "skipped.jsonl", "responses/part-00000.parquet")]
    for path in leftovers:
        path.write_bytes(b"of a set by a language model")
    before = load_manifest(merged)
    with_file(with_file(before, leftovers[0]), leftovers[1]).save(merged)
    merge(sharded(tmp_path, source), merged, overwrite=True)
    assert not any(path.exists() for path in leftovers)
    assert files(merged) == files(single_run(tmp_path / "alone", source))


def other_input(shards: list[Path], folder: Path) -> None:
    sharded(folder / "other", write_reports(folder / "others.csv", 46))
    shards[0] = folder / "other" / "shard-3"


def other_settings(shards: list[Path], folder: Path) -> None:
    job = CurateJob(folder / "reports.csv", shards[0], workers=1, reports_per_part=4, shard=Shard(3, 3), overwrite=True)
    curate(job, fake_recipe())


def other_count(shards: list[Path], folder: Path) -> None:
    job = CurateJob(folder / "reports.csv", shards[0], workers=1, reports_per_part=5, shard=Shard(3, 4), overwrite=True)
    curate(job, fake_recipe())


def unfinished(shards: list[Path], folder: Path) -> None:
    load_manifest(shards[0]).model_copy(update={"complete": False}).save(shards[0])


def cut(shards: list[Path], folder: Path) -> None:
    path = shards[0] / "captions" / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda shards, folder: shards.pop(0), InputError, "shards are missing: 3/3"),
        (lambda shards, folder: shards.append(shards[0]), InputError, "are both shard 3/3"),
        (lambda shards, folder: shards.clear(), InputError, "no caption sets to merge"),
        (
            lambda shards, folder: shards.append(single_run(folder, folder / "reports.csv")),
            InputError,
            "whole is no shard",
        ),
        (other_input, SetError, "the input has changed"),
        (other_settings, SetError, "reports per part: 4 then, 5 now|reports per part: 5 then, 4 now"),
        (other_count, SetError, "shards: 4 there, 3 here|shards: 3 there, 4 here"),
        (unfinished, SetError, r"shard-3 \(shard 3/3\) is unfinished: run its `ovct curate --shard 3/3` again"),
        (cut, SetError, "part-00000.parquet is missing or not as it was written"),
    ],
)
def test_what_does_not_belong_together_is_told(
    tmp_path: Path, spoil: Callable[[list[Path], Path], None], error: type[Exception], message: str
) -> None:
    shards = sharded(tmp_path, write_reports(tmp_path / "reports.csv", 47))
    spoil(shards, tmp_path)
    with pytest.raises(error, match=message):
        merge(shards, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
