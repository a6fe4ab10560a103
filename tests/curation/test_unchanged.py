"""What a refactoring must leave alone: the captions of real reports, and caption sets of earlier versions.

``python -m tests.curation.test_unchanged`` prints the digests, after a change that is meant to change captions.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.caption_set.manifest import load_manifest
from curation.extraction.text_engine import rules_recipe
from curation.pipeline import CurateJob, curate
from curation.runtime.provenance import data_hashes, ovct_version

ROOT = Path(__file__).resolve().parents[2]
OLD_SET = Path(__file__).parent / "old_set"
LIMIT = 150
# The beginning of the SHA-256 of the rows of up to LIMIT reports: captions, rejects, and the reports themselves.
CAPTIONS = {
    "examples/reports.csv": "d0276c030907acdb",
    "../shared/data/reports/ctrate_chest_ct.csv": "79a20f77d18d57cb",
    "../shared/data/reports/mtsamples_ct.jsonl": "8af76d1b030d066a",
    "../shared/data/reports/kidney_ct/10_sample_input.xlsx": "a514258ba77d3e86",
}
REJECTS = {
    "examples/reports.csv": "18022cc2d92d384f",
    "../shared/data/reports/ctrate_chest_ct.csv": "a8293e1cd501b38c",
    "../shared/data/reports/mtsamples_ct.jsonl": "9f21a85913367123",
    "../shared/data/reports/kidney_ct/10_sample_input.xlsx": "c5be53e9fa4f0668",
}
REPORTS = {
    "examples/reports.csv": "e4154d96e42b7dab",
    "../shared/data/reports/ctrate_chest_ct.csv": "9bd73db2820de8fc",
    "../shared/data/reports/mtsamples_ct.jsonl": "1509548530f4cd78",
    "../shared/data/reports/kidney_ct/10_sample_input.xlsx": "d50869cbf01fe3d8",
}


# Columns that sets of version 0.1.0 do not have.
LATER_COLUMNS = ("evidence_spans",)


def digest(table: Path, without: Sequence[str] = ()) -> str:
    """Digest of a table's rows: their values, and not how Parquet of one version or another packs them."""
    sha256 = hashlib.sha256()
    for values in pq.read_table(table).to_pylist():
        row = {name: value for name, value in values.items() if name not in without}
        sha256.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return sha256.hexdigest()[:16]


@pytest.mark.parametrize("name", CAPTIONS)
def test_the_captions_are_those_of_the_version_before(name: str, tmp_path: Path) -> None:
    reports = ROOT / name
    if not reports.exists():
        pytest.skip(f"no real data at {reports}")
    curate(CurateJob(reports, tmp_path / "set", limit=LIMIT, workers=1), rules_recipe())
    assert digest(tmp_path / "set" / "reports") == REPORTS[name]
    assert digest(tmp_path / "set" / "captions") == CAPTIONS[name]
    assert digest(tmp_path / "set" / "rejects") == REJECTS[name]


def old_set(folder: Path) -> Path:
    """A set that version 0.1.0 began, with one part of three; vocabulary and lexicon are taken to be today's."""
    for table in ("captions", "rejects", "reports"):
        (folder / table).mkdir(parents=True)
        shutil.copy(OLD_SET / f"{table}.parquet", folder / table / "part-00000.parquet")
    manifest = json.loads((OLD_SET / "manifest.json").read_text(encoding="utf-8"))
    manifest["settings"] |= data_hashes()._asdict() | {"ovct": ovct_version()}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_a_set_that_an_earlier_version_began_is_finished(tmp_path: Path) -> None:
    old = old_set(tmp_path / "old")
    before = {path: path.read_bytes() for path in old.rglob("*.parquet")}
    assert len(before) == 3 and not load_manifest(old).complete
    job = CurateJob(OLD_SET / "reports.csv", old, workers=1, reports_per_part=2)
    manifest = curate(job, rules_recipe()).manifest
    assert manifest.complete and manifest.counts.reports == 6 and len(manifest.parts) == 3
    assert {path: path.read_bytes() for path in before} == before
    new = CurateJob(OLD_SET / "reports.csv", tmp_path / "new", workers=1, reports_per_part=2)
    assert curate(new, rules_recipe()).manifest.counts == manifest.counts
    for table in ("captions", "rejects", "reports"):
        assert digest(old / table, LATER_COLUMNS) == digest(tmp_path / "new" / table, LATER_COLUMNS)


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    for reports in CAPTIONS:
        with TemporaryDirectory() as folder:
            curate(CurateJob(ROOT / reports, Path(folder) / "set", limit=LIMIT, workers=1), rules_recipe())
            print(reports, *(digest(Path(folder) / "set" / table) for table in ("captions", "rejects", "reports")))
