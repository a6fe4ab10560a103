"""Reports of other modalities in a run: counted over the whole of it, and left out with ``modality``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.caption_set.merging import merge
from curation.caption_set.sharding import Shard
from curation.caption_set.work_folder import SetError
from curation.pipeline import CurateJob, curate
from curation.report import Modality
from curation.runtime.errors import InputError, Interrupted
from curation.runtime.progress import Progress

from .fakes import fake_recipe

EXAMINATIONS = ("CT HEAD", "MRI HEAD", "", "PET/CT", "US NECK")


def job(tmp_path: Path, **changes: Any) -> CurateJob:
    rows = (f"r{number},{EXAMINATIONS[number % 5]},A lesion of {number} mm.\n" for number in range(50))
    (tmp_path / "reports.csv").write_text("id,Exam,findings\n" + "".join(rows))
    given = CurateJob(tmp_path / "reports.csv", tmp_path / "set", workers=1, reports_per_part=7, modality=Modality.CT)
    return replace(given, **changes)


def rows(root: Path, table: str) -> list[dict[str, Any]]:
    table_rows: list[dict[str, Any]] = pq.read_table(root / table).to_pylist()
    return table_rows


COUNTS = {"CT": 10, "MR": 10, "unknown": 10, "PET/CT": 10, "US": 10}


def test_what_is_known_to_be_no_ct_is_left_out_counted_and_listed(tmp_path: Path) -> None:
    manifest = curate(job(tmp_path), fake_recipe()).manifest
    reports = rows(tmp_path / "set", "reports")
    assert [report["Exam"] for report in reports] == ["CT HEAD", "", "PET/CT"] * 10
    assert reports[0]["examination_modality"] == "CT" and reports[0]["examination_body_part"] == "head"
    assert reports[1]["examination_modality"] is None
    assert manifest.modalities == COUNTS and manifest.settings.modality == "ct" and manifest.skipped == 20
    skipped = [json.loads(line) for line in (tmp_path / "set" / "skipped.jsonl").read_text().splitlines()]
    assert skipped[0]["problem"] == "left out by --modality ct: MR, as 'MRI HEAD' says" and skipped[0]["line"] == 3


def test_without_it_all_are_kept_and_counted(tmp_path: Path) -> None:
    manifest = curate(job(tmp_path, modality=None), fake_recipe()).manifest
    assert manifest.modalities == COUNTS and manifest.counts.reports == 50 and not manifest.skipped


def test_a_limit_counts_reports_that_are_kept(tmp_path: Path) -> None:
    manifest = curate(job(tmp_path, limit=4), fake_recipe()).manifest
    assert manifest.counts.reports == 4 and sum((manifest.modalities or {}).values()) == 6


class StopAfter(Progress):
    """Asks to stop after some reports."""

    def __init__(self, reports: int) -> None:
        self.left = reports

    def advance(self) -> None:
        self.left -= 1

    def raise_if_interrupted(self) -> None:
        if self.left < 0:
            raise Interrupted


def test_a_resumed_run_and_merged_shards_are_what_one_run_makes(tmp_path: Path) -> None:
    whole = curate(job(tmp_path), fake_recipe()).manifest
    stopped = job(tmp_path, out=tmp_path / "stopped")
    with pytest.raises(Interrupted):
        curate(stopped, fake_recipe(), StopAfter(15))
    with pytest.raises(SetError, match="modality: ct then, none now"):
        curate(replace(stopped, modality=None), fake_recipe())
    assert curate(stopped, fake_recipe()).manifest.modalities == COUNTS
    shards = []
    for number in (1, 2):
        shards.append(tmp_path / f"shard{number}")
        curate(job(tmp_path, out=shards[-1], shard=Shard(number, 2)), fake_recipe())
    merged = merge(shards, tmp_path / "merged")
    assert merged.modalities == COUNTS and merged.settings == whole.settings
    for other in ("stopped", "merged"):
        assert rows(tmp_path / other, "reports") == rows(tmp_path / "set", "reports")


def test_where_all_are_left_out_the_error_says_why(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id,exam,report\n1,MRI,Clear.\n")
    with pytest.raises(
        InputError, match=r"no report could be read \(1 rows not used\)\n.*row 1.*left out by --modality"
    ):
        curate(CurateJob(tmp_path / "r.csv", tmp_path / "set", modality=Modality.CT), fake_recipe())
