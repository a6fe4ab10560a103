"""What columns tell of the examination."""

from __future__ import annotations

from pathlib import Path

from curation.readers.examinations.columns import ExaminationColumns, examination_columns, examination_of
from curation.readers.reports import read_reports
from curation.report import Examination, Modality, RowProblem


def test_columns_are_found_by_name() -> None:
    columns = examination_columns(
        ["id", "Study Description", "DICOM_Modality", "dicom.BodyPartExamined", "exam"], ["exam"]
    )
    assert columns == ExaminationColumns(("DICOM_Modality",), ("Study Description",), ("dicom.BodyPartExamined",))


def test_the_modality_comes_first_then_the_name_then_the_title() -> None:
    columns = ExaminationColumns(("m",), ("e",), ("b",))

    def examined(m: str = "", e: str = "", b: str = "", text: str = "US LIVER\nNormal.") -> tuple[str, str, str]:
        examination = examination_of(columns, {"m": m, "e": e, "b": b}, text, ())
        return examination.name, examination.body_part, examination.stated

    assert examined("MR", "CT HEAD") == ("MR", "head", "MR")
    assert examined("Computed Radiography", "", "Hand") == ("radiograph", "Hand", "Computed Radiography")
    assert examined("OT", "CT HEAD (prior MRI)") == ("CT", "head", "CT HEAD (prior MRI)")
    assert examined("nan", "Head") == ("US", "liver", "US LIVER")
    assert examined("", "MRI is recommended") == ("US", "liver", "US LIVER")
    assert examined(e="Head", text="Normal.") == ("unknown", "head", "head")


def test_may_be() -> None:
    assert Examination().may_be(Modality.CT) and Examination((Modality.PET, Modality.CT)).may_be(Modality.CT)
    assert not Examination((Modality.MR,)).may_be(Modality.CT)


def test_reports_of_other_modalities_are_left_out_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("id,exam,report\na,CT HEAD,Normal.\na,MRI HEAD,Abnormal.\na,,Clear.\n")
    problems: list[RowProblem] = []
    names: list[str] = []
    reports = list(
        read_reports(
            path,
            modality=Modality.CT,
            on_problem=problems.append,
            on_examination=lambda examination: names.append(examination.name),
        )
    )
    assert [report.report_id for report in reports] == ["a", "a#3"] and names == ["CT", "MR", "unknown"]
    assert [problem.problem for problem in problems if not problem.kept] == [
        "left out by --modality ct: MR, as 'MRI HEAD' says"
    ]
    assert reports[0].source == {"exam": "CT HEAD", "examination_modality": "CT", "examination_body_part": "head"}
    assert reports[1].source == {"exam": ""}
    everything = list(read_reports(path))
    assert [report.report_id for report in everything] == ["a", "a#2", "a#3"]
    assert len(list(read_reports(path, modality=Modality.CT, limit=2))) == 2
