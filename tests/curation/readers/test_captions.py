"""Captions from a table, brought together with the reports they are about."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from curation.readers import captions
from curation.readers.captions import CaptionClaim, ReportIndex, batches_of, caption_files, read_claims
from curation.report import Report, RowProblem, Section
from curation.runtime.errors import InputError

SECTIONS = (Section("findings", 0, 16),)
REPORTS = [Report(f"r{number}", f"Liver is normal. {number}", SECTIONS, {}, number) for number in range(3)]


def claim(report_id: str, problem: str | None = None) -> CaptionClaim:
    return CaptionClaim(report_id, "liver", "Liver is normal", problem)


def test_claims_with_what_is_wrong_with_them(tmp_path: Path) -> None:
    path = tmp_path / "captions.csv"
    path.write_text(
        "report_id,organ,caption\n r0 ,liver,Liver is normal\n,liver,Large liver\nr1,liver,Large, and fat\n"
    )
    problems: list[RowProblem] = []
    named, nameless, split = read_claims(path, problems.append)
    assert named == claim("r0") and not problems
    assert nameless.problem is not None and nameless.problem.startswith("report_id: ")
    assert split.problem is not None and "row 3 has more cells than columns" in split.problem


def test_a_column_that_is_missing_and_a_folder_without_tables(tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text("report_id,organ\nr0,liver\n")
    with pytest.raises(
        InputError, match=r"no column caption .expected report_id, organ, caption; seen: report_id, organ"
    ):
        list(read_claims(tmp_path / "captions.csv", list[RowProblem]().append))
    with pytest.raises(InputError, match=r"without \.parquet files"):
        caption_files(tmp_path)


def test_the_first_of_two_reports_with_one_id_counts() -> None:
    with closing(ReportIndex()) as index:
        assert index.fill([*REPORTS, Report("r0", "Another text.", (), {}, 9)]) == 3
        assert index.get("r0") == (REPORTS[0].text, SECTIONS)
        assert index.get("r9") is None


def test_batches_have_the_reports_of_their_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "BATCH_CLAIMS", 2)
    claims = [claim("r1"), claim("r1"), claim("r9"), claim("r0", "no organ"), claim("r2")]
    with closing(ReportIndex()) as index:
        index.fill(REPORTS)
        batches = list(batches_of(claims, index, "reports.csv"))
    assert [len(batch.claims) for batch in batches] == [2, 2, 1]
    assert [list(batch.texts) for batch in batches] == [["r1"], [], ["r2"]]
    assert [row.problem for row in batches[1].claims] == [
        "report not found: reports.csv has none with this id",
        "no organ",
    ]


def test_columns_are_found_in_any_case(tmp_path: Path) -> None:
    path = tmp_path / "captions.csv"
    path.write_text("ORGAN,Report ID,Caption\nliver,r1,Normal liver.\n")
    assert list(read_claims(path, lambda problem: None)) == [CaptionClaim("r1", "liver", "Normal liver.", None)]
