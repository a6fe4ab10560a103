"""Files of labels: what is read, and what is told of those that cannot be used."""

from pathlib import Path

import pytest

from train.data.cases import Case
from train.evaluation.findings.labels import FindingLabels, read_labels_file
from train.evaluation.record import EvaluationError

KNOWN = ("Pleural effusion", "Cardiomegaly", "Lung nodule")


def read(folder: Path, text: str) -> FindingLabels:
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    return read_labels_file(folder / "labels.csv", KNOWN)


def case(name: str, path: str = "ct.nii.gz") -> Case:
    return Case(name, name, name, Path(path))


def test_ct_rate_s_form_is_read(tmp_path: Path) -> None:
    labels = read(
        tmp_path,
        "\ufeffVolumeName,Cardiomegaly,Pleural effusion\nvalid_1_a_1.nii.gz,1,0\n\nfolder/valid_2_a_1.nii.gz, 0 ,1.0\n",
    )
    assert labels.findings == ("Cardiomegaly", "Pleural effusion")
    assert labels.by_volume == {"valid_1_a_1": (True, False), "valid_2_a_1": (False, True)}
    assert labels.of(case("valid_1_a_1")) == labels.of(case("a/valid_1_a_1")) == (True, False)
    assert labels.of(case("other", "x/valid_2_a_1.nii.gz")) == (False, True)
    assert labels.of_all([case("valid_2_a_1"), case("valid_1_a_1")]) == [(False, True), (True, False)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column VolumeName; it has none"),
        ("name,Cardiomegaly\na,1\n", "has no column VolumeName; it has 'name', 'Cardiomegaly'"),
        ("VolumeName\na\n", "has no column but VolumeName"),
        ("VolumeName,Cardiomegaly,Cardiomegaly\na,1,1\n", "two columns 'Cardiomegaly'"),
        ("VolumeName,Cardiomegali\na,1\n", r"no prompts for the column 'Cardiomegali' \(near it: 'Cardiomegaly'\)"),
        ("VolumeName,Gout\na,1\n", "no prompts for the column 'Gout'; take it out, or .*--finding-prompts FILE"),
        ("VolumeName,Cardiomegaly\na,1\nb,2\n", "row 3, column 'Cardiomegaly': '2' is neither 0 nor 1"),
        ("VolumeName,Cardiomegaly\na,\n", "row 2, column 'Cardiomegaly': '' is neither 0 nor 1"),
        ("VolumeName,Cardiomegaly\na,1\na.nii.gz,1\n", "row 3: 'a' stands in an earlier row too"),
        ("VolumeName,Cardiomegaly\na,1,0\n", "row 2: 3 values for 2 columns"),
        ("VolumeName,Cardiomegaly\n,1\n", "row 2: no name in the column VolumeName"),
        ("VolumeName,Cardiomegaly\n", "has no rows below its header"),
    ],
)
def test_what_cannot_be_used_is_told_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=rf"labels\.csv.*{message}"):
        read(tmp_path, text)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"none\.csv.*No such file"):
        read_labels_file(tmp_path / "none.csv", KNOWN)
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00V")
    with pytest.raises(EvaluationError, match=r"labels\.csv.*expected a CSV file in UTF-8"):
        read_labels_file(tmp_path / "labels.csv", KNOWN)


def test_a_case_without_labels_is_named(tmp_path: Path) -> None:
    labels = read(tmp_path, "VolumeName,Cardiomegaly\na,1\n")
    with pytest.raises(EvaluationError, match=r"no row for 2 of 3 cases, the first is 'b'.*such as 'a'"):
        labels.of_all([case("a"), case("b"), case("c")])
