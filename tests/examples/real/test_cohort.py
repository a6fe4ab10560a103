"""The patients of the real-CT demo: divided once, read where they lie."""

import shutil
from pathlib import Path

import pytest
from pydantic import JsonValue

from examples.real.cohort import write_cohort
from tests.examples.real.heads import write_heads
from train.data.cases import DataError, split_cases
from train.evaluation.case_selection import select_cases

CASES = [f"pt_{number}" for number in range(8)]


def test_a_quarter_of_the_patients_is_held_out_and_files_are_read_where_they_lie(tmp_path: Path) -> None:
    data = write_heads(tmp_path / "data", CASES, without=CASES[:3])
    cohort = write_cohort(data, tmp_path / "cohort", seed=0)
    parts = {name: [case.id for case in cases] for name, cases in split_cases(cohort, validation=0.1).items()}
    assert len(parts["train"]) == 6 and len(parts["val"]) == 2 and not parts["test"]
    assert sorted(parts["train"] + parts["val"]) == CASES
    assert {case.image.parent for case in cohort.cases} == {(data / "imagesTr").resolve()}
    assert not list((tmp_path / "cohort").rglob("*.nii.gz"))
    assert cohort.structures == {"parotid_gland_right": (1,), "parotid_gland_left": (2,), "mandible": (3,)}
    assert all(case.labelled_if_present for case in cohort.cases)
    again = write_cohort(data, tmp_path / "cohort", seed=0)
    assert again == cohort
    trained_on: dict[str, JsonValue] = {
        "stage": "segment",
        "data": [{"data": str(cohort.root)}],
        "options": {"seed": 0},
    }
    assert [case.id for case in select_cases(cohort, [trained_on]).cases] == parts["val"]


def test_scans_of_one_patient_stay_together(tmp_path: Path) -> None:
    data = write_heads(tmp_path / "data", CASES)
    rows = [f"{case},{'a' if number < 4 else case}" for number, case in enumerate(CASES)]
    (data / "patients.csv").write_text("\n".join(["id,patient", *rows]))
    held_out = []
    for seed in range(6):
        cohort = write_cohort(data, tmp_path / f"cohort{seed}", seed)
        held_out.append({case.id for case in cohort.cases if case.split == "val"})
    assert all(cases.isdisjoint(CASES[:4]) or cases >= set(CASES[:4]) for cases in held_out)
    assert len({frozenset(cases) for cases in held_out}) > 1


def test_a_run_does_not_go_on_with_other_patients(tmp_path: Path) -> None:
    data = write_heads(tmp_path / "data", CASES)
    write_cohort(data, tmp_path / "cohort", seed=0)
    for other, seed in ((data, 1), (write_heads(tmp_path / "other", CASES), 0)):
        with pytest.raises(DataError, match=r"is of other patients than those of .*; name another --out"):
            write_cohort(other, tmp_path / "cohort", seed)


def test_too_few_patients_and_no_label_maps(tmp_path: Path) -> None:
    data = write_heads(tmp_path / "data", CASES[:3])
    with pytest.raises(DataError, match="has 3 patients; to hold some out, 4 are needed"):
        write_cohort(data, tmp_path / "cohort", seed=0)
    shutil.rmtree(data / "labelsTr")
    shutil.copytree(data / "imagesTr", tmp_path / "volumes")
    with pytest.raises(DataError, match="has no label map"):
        write_cohort(tmp_path / "volumes", tmp_path / "cohort", seed=0)
