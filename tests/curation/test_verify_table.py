import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.caption_set.schemas import parquet_schema
from curation.runtime.errors import InputError
from curation.verification.answers import Verification
from curation.verify_table import FIRST_REFUSALS, VerifyJob, VerifyResult, verify_table
from tests.curation.fakes import FakeVerifier, write_reports

CAPTIONS = """\
report_id,organ,caption
scan_1.nii.gz,liver,The liver is normal.
scan_0.nii.gz,liver,The liver is enlarged.
scan_9.nii.gz,spleen,The spleen is normal.
,liver,The liver is normal.
scan_1.nii.gz,kidney,Kidney 1 is of normal size.
scan_1.nii.gz,liver,Normal, not enlarged.
"""


@pytest.fixture
def job(tmp_path: Path) -> VerifyJob:
    captions = tmp_path / "captions.csv"
    captions.write_text(CAPTIONS)
    return VerifyJob(write_reports(tmp_path / "reports.csv", 3), captions, tmp_path / "out.parquet", workers=2)


def rows(job: VerifyJob) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = pq.read_table(job.out).to_pylist()
    return written


def test_each_row_has_its_verdict_in_the_order_of_the_input(job: VerifyJob) -> None:
    result = verify_table(job, FakeVerifier)
    assert pq.read_schema(job.out).equals(parquet_schema("verified"))
    assert [(row["accepted"], row["reason"]) for row in rows(job)] == [
        (True, None),
        (False, "not_grounded"),
        (False, "schema"),
        (False, "schema"),
        (True, None),
        (False, "schema"),
    ]
    assert rows(job)[0] == {
        "report_id": "scan_1.nii.gz", "organ": "liver", "caption": "The liver is normal.", "accepted": True,
        "reason": None, "detail": None, "evidence": "The liver is normal.", "evidence_start": 0, "evidence_end": 20,
        "score": 100.0, "evidence_spans": [{"start": 0, "end": 20}],
    }  # fmt: skip
    details = [row["detail"] for row in rows(job)]
    assert details[2] == "report not found: reports.csv has none with this id"
    assert details[3].startswith("report_id: ")
    assert "more cells than columns" in details[5]
    assert result == VerifyResult(2, result.refused, result.first_refusals, (), 0)
    assert result.refused == {"schema": 3, "not_grounded": 1}
    assert [(row.reason, row.detail) for row in result.first_refusals] == [
        (row["reason"], row["detail"]) for row in rows(job) if not row["accepted"]
    ][:FIRST_REFUSALS]
    figures = result.figures(job.out)
    assert (figures.captions, figures.accepted, figures.refused) == (6, 2, 4)
    assert figures.refused_by_reason == {"not_grounded": 1, "schema": 3}
    assert [refusal.nearest for refusal in figures.first_refusals] == [row.evidence for row in result.first_refusals]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "folder"])
def test_captions_come_in_any_format(job: VerifyJob, tmp_path: Path, kind: str) -> None:
    claims = [
        {"report_id": f"scan_{number}.nii.gz", "organ": "liver", "caption": "The liver is normal.", "rank": number}
        for number in (2, 0, 1)
    ]
    if kind == "jsonl":
        path = tmp_path / "c.jsonl"
        path.write_text("".join(json.dumps(claim) + "\n" for claim in claims))
    elif kind == "parquet":
        path = tmp_path / "c.parquet"
        pq.write_table(pa.Table.from_pylist(claims), path)
    else:
        path = tmp_path / "parts"
        path.mkdir()
        for number, claim in enumerate(claims):
            pq.write_table(pa.Table.from_pylist([claim]), path / f"part-{number}.parquet")
    verify_table(replace(job, captions=path), FakeVerifier)
    assert [row["report_id"] for row in rows(job)] == [claim["report_id"] for claim in claims]
    assert all(row["accepted"] for row in rows(job))


def test_many_captions_in_no_order_go_to_the_workers(job: VerifyJob, tmp_path: Path) -> None:
    reports = write_reports(tmp_path / "many.csv", 700)
    order = [number * 389 % 700 for number in range(1500)]
    path = tmp_path / "c.jsonl"
    claims = [
        {"report_id": f"scan_{number}.nii.gz", "organ": "liver", "caption": f"A lesion of {number} mm is seen."}
        for number in order
    ]
    path.write_text("".join(json.dumps(claim) + "\n" for claim in claims))
    result = verify_table(replace(job, reports=reports, captions=path), FakeVerifier)
    assert (result.accepted, result.refused.total()) == (1500, 0)
    assert [row["report_id"] for row in rows(job)] == [claim["report_id"] for claim in claims]


def test_a_caption_that_breaks_the_verifier_harms_no_other(job: VerifyJob) -> None:
    class Fragile(FakeVerifier):
        def verify(self, report: str, organ: str, caption: str, near: Sequence[int] = ()) -> Verification:
            if "enlarged" in caption:
                raise RecursionError("too deep")
            return super().verify(report, organ, caption)

    verify_table(job, Fragile)
    assert [row["reason"] for row in rows(job)][:3] == [None, "engine_error", "schema"]
    assert rows(job)[1]["detail"] == "RecursionError: too deep"


def test_wrong_calls(job: VerifyJob, tmp_path: Path) -> None:
    other_columns = tmp_path / "other.csv"
    other_columns.write_text("report,organ,text\n1,2,3\n")
    (tmp_path / "empty").mkdir()
    as_input = tmp_path / "in.parquet"
    pq.write_table(pa.table({"report_id": ["a"], "organ": ["b"], "caption": ["c"]}), as_input)
    for wrong, problem in [
        (replace(job, captions=other_columns), "no column report_id, caption .*seen: report, organ, text"),
        (replace(job, captions=tmp_path / "none.csv"), "none.csv"),
        (replace(job, captions=tmp_path / "empty"), "without .parquet files"),
        (replace(job, reports=tmp_path / "none.csv"), "none.csv"),
        (replace(job, out=tmp_path / "out.csv"), "ends in .parquet"),
        (replace(job, out=tmp_path / "none" / "out.parquet"), "no such folder"),
        (replace(job, captions=as_input, out=as_input), "is an input too"),
    ]:
        with pytest.raises(InputError, match=problem):
            verify_table(wrong, FakeVerifier)
    assert not job.out.exists()
    assert not list(tmp_path.glob(".*"))
