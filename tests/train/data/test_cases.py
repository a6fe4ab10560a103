"""Splits by patient, and names that two volumes must not share."""

from dataclasses import replace
from pathlib import Path

import pytest

from train.data.cases import Case, DataError, DataSet, Split, patient_fraction, split_cases


def cases(count: int, split: Split | None = None, start: int = 0) -> list[Case]:
    return [Case(f"c{n:04}", f"p{n // 2}", f"s{n}", Path(f"c{n}.nii.gz"), split) for n in range(start, start + count)]


def dataset(*cases_: Case) -> DataSet:
    return DataSet(Path("set"), "volumes", cases_)


def ids(split: list[Case]) -> set[str]:
    return {case.id for case in split}


def test_the_split_is_by_patient_and_has_about_the_shares_asked_for() -> None:
    parts = split_cases(dataset(*cases(2000)), validation=0.1, test=0.2, seed=3)
    patients = {name: {case.patient for case in part} for name, part in parts.items()}
    assert not patients["train"] & patients["val"] and not patients["test"] & (patients["train"] | patients["val"])
    assert sum(map(len, parts.values())) == 2000
    assert 0.07 < len(patients["val"]) / 1000 < 0.13 and 0.16 < len(patients["test"]) / 1000 < 0.24


def test_the_split_stays_when_cases_are_added_and_changes_with_the_seed() -> None:
    few, many = split_cases(dataset(*cases(400))), split_cases(dataset(*cases(600)))
    assert all(ids(few[name]) <= ids(many[name]) for name in ("train", "val"))
    assert ids(split_cases(dataset(*cases(400)), seed=1)["val"]) != ids(few["val"])
    assert patient_fraction("p1", 0) == pytest.approx(0.91560, abs=1e-5), (
        "another hash would move patients between splits"
    )


def test_small_set_has_something_in_each_part() -> None:
    parts = split_cases(dataset(*cases(6)), validation=0.01, test=0.01)
    assert [len({case.patient for case in parts[name]}) for name in ("train", "val", "test")] == [1, 1, 1]
    assert len(split_cases(dataset(*cases(2)))["train"]) == 2, "a single patient is trained on"


def test_the_data_sets_own_split_is_kept() -> None:
    mixed = dataset(*cases(4, "train"), *cases(4, "val", 4), *cases(4, "test", 8), *cases(2, None, 12))
    parts = split_cases(mixed, validation=0.5, test=0.4)
    assert [len(parts[name]) for name in ("train", "val", "test")] == [6, 4, 4]
    without_validation = dataset(*cases(40, "train"), *cases(4, "test", 40))
    parts = split_cases(without_validation, validation=0.2)
    assert ids(parts["test"]) == ids(cases(4, "test", 40)) and 0 < len(parts["val"]) < 40


def test_a_patient_in_two_splits_is_refused() -> None:
    first, second = cases(2, "train")
    with pytest.raises(DataError, match="patient p0 is in train and, with c0001, in test"):
        split_cases(dataset(first, replace(second, split="test")))
    with pytest.raises(DataError, match="leave something to train on"):
        split_cases(dataset(first), validation=0.6, test=0.4)


def test_two_volumes_of_one_name_are_refused() -> None:
    (case,) = cases(1)
    with pytest.raises(DataError, match=r"two volumes are called c0000: c0\.nii\.gz and other\.nii"):
        dataset(case, replace(case, image=Path("other.nii")))
