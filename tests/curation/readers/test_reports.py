"""Reports in: from files as people have them to reports with sections, with nothing dropped in silence."""

from __future__ import annotations

import csv
import gzip
import io
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.readers.reports import read_reports
from curation.report import READ_SECTIONS, Report, RowProblem
from curation.runtime.errors import InputError

SHARED = Path(__file__).parents[4] / "shared" / "data" / "reports"
SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet", ".xlsx", ".txt", ".csv.gz", ".jsonl.gz")


def read(
    path: Path, *, id_column: str | None = None, text_columns: Sequence[str] = (), limit: int | None = None
) -> tuple[list[Report], list[RowProblem]]:
    skipped: list[RowProblem] = []
    reports = read_reports(path, id_column=id_column, text_columns=text_columns, limit=limit, on_problem=skipped.append)
    return list(reports), skipped


def from_text(folder: Path, text: str, name: str = "reports.csv") -> tuple[list[Report], list[RowProblem]]:
    (folder / name).write_bytes(text.encode())
    return read(folder / name)


def bodies(report: Report) -> list[tuple[str, str]]:
    return [(section.name, report.text[section.start : section.end]) for section in report.sections]


def test_findings_and_impression_columns(tmp_path: Path) -> None:
    (report, empty, missing), skipped = from_text(
        tmp_path,
        "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n"
        'train_1_a_1.nii.gz,Cough,No contrast,"The lungs are clear. ",Normal.\n'
        "train_2_a_1.nii.gz,Not given.,Not given.,The liver is large.,Not given.\n"
        "train_3_a_1.nii.gz,,,Not given.,Nodule.\n"
        "train_4_a_1.nii.gz,,,nan,\n",
    )
    assert report.report_id == "train_1_a_1.nii.gz" and report.row == 1
    assert report.text == "The lungs are clear. \n\nNormal."
    assert bodies(report) == [("findings", "The lungs are clear."), ("impression", "Normal.")]
    assert report.source == {"ClinicalInformation_EN": "Cough", "Technique_EN": "No contrast"}
    assert bodies(empty) == [("findings", "The liver is large.")] and "Not given" not in empty.text
    assert bodies(missing) == [("impression", "Nodule.")]
    assert [(problem.row, problem.kept) for problem in skipped] == [(4, False)]
    assert skipped[0].problem == "no text in Findings_EN, Impressions_EN"
    assert skipped[0].file == str(tmp_path / "reports.csv")


def test_one_text_column_is_kept_word_for_word(tmp_path: Path) -> None:
    text = ' Vertebral corpus heights are preserved. "" Thymic hyperplasia."" Cyst.\r\n'
    (report,), skipped = from_text(tmp_path, f'AccessionNo,report_text,Lung nodule\ntrain_1,"{text}",0\n')
    assert report.text == text.replace('""', '"')
    assert bodies(report)[1] == ("impression", 'Thymic hyperplasia." Cyst.')
    assert report.source == {"Lung nodule": "0"} and not skipped


def test_headings_inside_columns(tmp_path: Path) -> None:
    (report,), _ = from_text(
        tmp_path,
        'study id,Findings,Split\n7,"TECHNIQUE: Axial. FINDINGS: LIVER: Normal. IMPRESSION: No disease.",train\n',
    )
    assert bodies(report) == [("technique", "Axial."), ("findings", "LIVER: Normal."), ("impression", "No disease.")]


def test_regions_of_one_volume_are_one_report(tmp_path: Path) -> None:
    (first, second, again), skipped = from_text(
        tmp_path,
        "Volumename,Anatomy,Sentence\na,lung,Clear.\na,heart,Large.\na,,No mass.\na,lung,No nodule.\nb,lung,Nodule.\n"
        "a,lung,Other.\n",
    )
    assert first.text == "lung: Clear. No nodule.\n\nheart: Large.\n\nNo mass."
    assert [section.name for section in first.sections] == ["findings"]
    assert (second.report_id, second.row, again.report_id) == ("b", 5, "a#2")
    assert [(problem.row, problem.kept) for problem in skipped] == [(6, True)]


def test_repeated_and_missing_ids(tmp_path: Path) -> None:
    reports, skipped = from_text(tmp_path, "id,report\n1,Liver.\n1,Liver.\n1,Spleen.\n,Lung.\nnan,Aorta.\n")
    assert [report.report_id for report in reports] == ["1", "1#2", "row-000004", "row-000005"]
    assert [(problem.row, problem.kept) for problem in skipped] == [(2, False), (3, True), (4, True), (5, True)]
    assert "repeats the report 1 word for word" in skipped[0].problem and "1#2" in skipped[1].problem


def test_rows_are_counted_where_nothing_is_an_id(tmp_path: Path) -> None:
    reports, skipped = from_text(tmp_path, "report\nLiver.\nLiver.\n")
    assert [report.report_id for report in reports] == ["row-000001", "row-000002"]
    assert [(problem.row, problem.kept) for problem in skipped] == [(None, True)]


def test_named_columns(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("patient,exam,befund,Impression\np,e,Liver.,Normal.\n")
    (report,), _ = read(tmp_path / "x.csv", id_column="exam", text_columns=["befund", "impression"])
    assert report.report_id == "e" and report.source == {"patient": "p"}
    assert bodies(report) == [("findings", "Liver."), ("impression", "Normal.")]
    with pytest.raises(InputError, match=r"x\.csv: there is no column 'no' .--id-column.*Columns seen: patient, exam"):
        read(tmp_path / "x.csv", id_column="no")


def test_a_whole_report_beside_its_impression(tmp_path: Path) -> None:
    (same, more), _ = from_text(
        tmp_path,
        "id,report,impression\n"
        "1,FINDINGS: Liver is large. IMPRESSION: There is hepatomegaly.,There is hepatomegaly.\n"
        "2,The liver is large.,There is hepatomegaly.\n",
    )
    assert same.text.endswith("IMPRESSION: There is hepatomegaly.")
    assert bodies(more)[1] == ("impression", "There is hepatomegaly.")


def test_delimiters_in_a_text_without_quotes(tmp_path: Path) -> None:
    (first, second), skipped = from_text(tmp_path, "id;report;lab\n1;a; b; c;0\n2;x;1;;\n")
    assert (first.text, first.source) == ("a; b; c", {"lab": "0"})
    assert (second.text, second.source) == ("x", {"lab": "1"})
    assert [(problem.row, problem.kept) for problem in skipped] == [(1, True)]
    (report,), _ = from_text(tmp_path, "id,findings,impression,lab\n1,a,b,0,x,y\n")
    assert report.source == {"lab": "0", "surplus": "x,y"}


def test_nul_bytes_and_half_characters_keep_their_place(tmp_path: Path) -> None:
    (report,), _ = from_text(tmp_path, "id,report\n1,The\0liver is normal.\n")
    assert report.text == "The liver is normal."
    (report,), _ = from_text(tmp_path, json.dumps({"id": "1", "text": "x\ud800y"}), "x.jsonl")
    assert report.text == "x\ufffdy"


def test_limit_and_nothing_to_read(tmp_path: Path) -> None:
    reports, _ = from_text(tmp_path, "id,report\n" + "".join(f"{number},Liver {number}.\n" for number in range(9)))
    assert len(reports) == 9 and len(read(tmp_path / "reports.csv", limit=4)[0]) == 4
    assert read(tmp_path / "reports.csv", limit=0)[0] == []
    reports, skipped = from_text(tmp_path, "id,report\n")
    assert not reports and "no rows" in skipped[0].problem
    with pytest.raises(InputError, match="is empty"):
        from_text(tmp_path, "")


def test_cut_off_gzip_gives_what_is_there(tmp_path: Path) -> None:
    raw = "id,report\n" + "".join(f"{number},Finding {number**7}.\n" for number in range(5000))
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(raw.encode())[:-3000])
    reports, skipped = read(tmp_path / "x.csv.gz")
    assert len(reports) > 1000 and all(r.text == f"Finding {int(r.report_id) ** 7}." for r in reports)
    assert skipped[-1].row == len(reports) + 1 and "cut off" in skipped[-1].problem


def test_folder_names_the_file_in_its_problems(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("FINDINGS: Normal liver.\nIMPRESSION: Normal.")
    (tmp_path / "b.txt").write_text("")
    (report,), skipped = read(tmp_path)
    assert report.report_id == "a" and [name for name, _ in bodies(report)] == ["findings", "impression"]
    assert skipped[0].file == str(tmp_path / "b.txt")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=150).map(str.encode), st.sampled_from(SUFFIXES))
def test_any_bytes_end_in_reports_or_a_clear_error(raw: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        for head in (b"", b"id,report\n", b'{"id": "1", "report": "a"}\n'):
            content = head + raw
            path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
            try:
                reports, skipped = read(path)
            except InputError as error:
                assert str(path) in str(error)
                continue
            assert len({report.report_id for report in reports}) == len(reports)
            for report in reports:
                report.text.encode()
                assert all(report.text[s.start : s.end].strip() for s in report.sections)
            assert reports or skipped


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(cell, cell, cell), max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_row_comes_back_or_is_reported(rows: list[tuple[str, str, str]], delimiter: str, encoding: str) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("report_id", "report", "lab"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(file.getvalue().encode(encoding))
        reports, skipped = read(path)
    lost = {problem.row for problem in skipped if not problem.kept and problem.row}
    assert {report.row for report in reports} | lost == set(range(1, len(rows) + 1))
    assert not {report.row for report in reports} & lost
    for report in reports:
        assert report.text == rows[report.row - 1][1] and report.source == {"lab": rows[report.row - 1][2]}


def test_problems_of_csv_name_row_and_line(tmp_path: Path) -> None:
    _, skipped = from_text(
        tmp_path, 'sep=,\n\nid,report\n1,"Liver\n\nis normal."\n\n2,\n3,"Spleen ""x" y.\n4,-\n5,"a\nb"\n6,none\n'
    )
    assert sorted((problem.row, problem.line) for problem in skipped if problem.row) == [
        (2, 8),
        (3, 9),
        (4, 10),
        (6, 13),
    ]
    _, skipped = from_text(tmp_path, '{"id": "1", "text": ""}\n', "x.jsonl")
    assert skipped[0].line is None


def test_the_name_is_that_of_the_caller(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,report\n1,\n")
    problems: list[RowProblem] = []
    assert not list(read_reports(tmp_path / "x.csv", name="the frame", on_problem=problems.append))
    assert problems[0].file == "the frame"
    with pytest.raises(InputError, match=r"^the frame: there is no column"):
        list(read_reports(tmp_path / "x.csv", name="the frame", id_column="no"))


MEASURE = """
import resource, sys
from curation.readers.reports import read_reports
count = sum(1 for _ in read_reports(sys.argv[1]))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    assert resource.getpagesize() > 0
    peaks = []
    for count in (2_000, 30_000):
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write("id,report\n")
            file.writelines(
                f'case_{n},"The liver measures {n} mm. {"No lesion is seen. " * 30}"\n' for n in range(count)
            )
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[3],
        )
        reports_read, peak = map(int, run.stdout.split())
        assert reports_read == count
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 12_000, f"peak memory grew from {peaks[0]} to {peaks[1]} kB"


def test_real_chest_reports() -> None:
    path = SHARED / "ctrate_chest_ct.csv"
    if not path.exists():
        pytest.skip(f"the shared report collection is not here: {path}")
    reports, skipped = read(path)
    assert len(reports) == 742 and not skipped
    assert all(len(report.source) == 18 for report in reports)
    assert {section.name for report in reports for section in report.sections} <= {
        *READ_SECTIONS,
        "comparison",
        "other",
    }


def test_real_kidney_spreadsheet() -> None:
    path = SHARED / "kidney_ct" / "10_sample_input.xlsx"
    if not path.exists():
        pytest.skip(f"the shared report collection is not here: {path}")
    reports, skipped = read(path)
    assert len(reports) == 9 and not skipped
    for report in reports:
        assert [name for name, _ in bodies(report)][-1] == "impression"
        assert "findings" in {name for name, _ in bodies(report)}
        assert not any(
            "signed" in body or "reviewed the images" in body for name, body in bodies(report) if name in READ_SECTIONS
        )
